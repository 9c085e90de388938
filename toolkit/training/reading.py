"""The data of a run: read once, compared with what the workdir's networks were trained on, done without where gone."""

from collections.abc import Callable, Mapping
from typing import Any

from toolkit.data import sources
from toolkit.files.text import read_json
from toolkit.files.writing import write_json
from toolkit.training.differences import first_difference
from toolkit.training.results import Results
from toolkit.training.workdir import command, is_trained

FILE = "trained_on.json"
_TOLERANCE = 1e-5  # of figures of examples: another processor, or a decoder's other version, rounds otherwise


class Reading(Results):
    """A workdir, its results, and the data that `load` gives for its settings.

    What was trained on is kept in trained_on.json. Other data is refused where something would be trained on it, and
    said where it is evaluated; the same data may lie elsewhere.

    Args:
        settings: The recipe's settings.
        recipe: The recipe's name.
    """

    _load: Callable[[Any], Any] | None = None

    def __init__(self, settings: Any, recipe: str = "") -> None:
        super().__init__(settings, recipe)
        # The data, and how it differs from what was trained on; a list, which rounds share.
        self._loaded: list[tuple[Any, str | None]] = []

    @property
    def data(self) -> Any:
        """What the recipe's `load` gives for the settings; it is called once.

        Raises:
            ValueError: Where the recipe has no `load`.
        """
        if self._load is None:
            raise ValueError(f"{self.recipe or 'this run'} was given no `load`, so it has no data.")
        if not self._loaded:
            found = self._load(self.settings)
            self._loaded.append((found, self._compared(found)))
        return self._loaded[0][0]

    def data_if_there(self, without: str) -> Any:
        """Gives the data where it is still there; what can be done without it is then done without.

        Args:
            without: What is left out where its files are gone, which is printed.

        Returns:
            `data`; None where its files are gone, and this command names no others.
        """
        source = getattr(self.settings, "data", "")
        gone = sources.missing(source)
        if not gone or (self.trained_data is not None and sources.absolute(source) != self.trained_data):
            return self.data
        print(f"  --data: {', '.join(gone)} is not there any more. Left out: {without}.", flush=True)
        return None

    def data_to_measure(self) -> Any:
        """Gives the data by which an export is measured; None as in `data_if_there`.

        Without it `export` measures nothing. int8's ranges come of typical inputs: where it is asked for, the data must
        be there.
        """
        if self.asked("quantize") in ("int8", "all"):
            return self.data
        found = self.data_if_there("what the exported files are measured by")
        self._measures = found is not None
        return found

    def check_same_data(self) -> None:
        """To be called before something is trained: keeps what it is trained on.

        Raises:
            ValueError: Where something was trained here on other data.
        """
        if not self._loaded:
            return
        path, (found, difference) = self.workdir / FILE, self._loaded[0]
        if difference:
            raise ValueError(
                f"--data={getattr(self.settings, 'data', '')} is not what {self.workdir} was trained on: "
                f"{difference}. Train on with that data, or choose another --workdir. Where it is the same after "
                f"all, remove {path}."
            )
        if self.shows and not (path.exists() and is_trained(self.workdir)):
            if (contents := contents_of(found)) is not None:
                write_json(self.path(FILE), {"command": command(), "contents": contents})

    def _compared(self, found):
        source = getattr(self.settings, "data", "")
        moved = self.trained_data is not None and sources.absolute(source) != self.trained_data
        difference = self._other(found) if is_trained(self.workdir) else ""
        if difference is None and moved:
            raise ValueError(self.made_with("data", self.trained_data, source))
        if difference and self.is_chief:
            print(f"  note: --data={source} is not what this was trained on: {difference}", flush=True)
        elif moved and self.is_chief:
            self.data_is_at(source)
        return difference

    def _other(self, found):
        """The first difference of data from what was trained on; None where it cannot be said."""
        path, now = self.workdir / FILE, contents_of(found)
        if not path.exists() or now is None:
            return None
        remedy = "Remove it, where you know that --data is what this was trained on."
        before = read_json(path, "what a run was trained on", fields={"contents": dict}, remedy=remedy)
        return first_difference(before["contents"], now, tolerance=_TOLERANCE)


def contents_of(data: Any) -> dict[str, Any] | None:
    """Gives what tells data apart; None where it does not say so.

    Args:
        data: What a recipe's `load` gives: anything with `contents`, such as `data.pipelines.Splits`, or several such
            by name.
    """
    if isinstance(data, Mapping):
        found = {name: contents_of(each) for name, each in data.items()}
        return found if found and None not in found.values() else None
    return getattr(data, "contents", None)
