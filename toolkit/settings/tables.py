"""Settings of tables of numbers."""

from toolkit.settings.fields import group, setting
from toolkit.settings.running import Run


@group
class Tables(Run):
    """The table."""

    data: str = setting(
        "embedded:wave",
        "a table: embedded:wave[:ROWS], embedded:friedman[:ROWS] or embedded:diabetes; uci:FOLDER or uci:FILE of "
        "nothing but numbers; csv:FILE with a header",
        path=True,
    )
    target: str = setting("", "name of the column that is to be told; empty: the last one", maximum=1000)
    leave_out: str = setting("", "names of columns that are not read, between commas", maximum=10_000)
    skip_missing: bool = setting(False, "leave out rows with a missing value; else they are an error")
    held_out: float = setting(
        0.1, "share of the rows that is tested; 0.1: seed 0 has UCI's published splits", minimum=0.001, maximum=0.9
    )

    def reading(self) -> dict:
        """Gives what `data.tables.load` is asked for, by its arguments' names."""
        return {"source": self.data, **self.only("target", "leave_out", "skip_missing", "held_out", "seed")}
