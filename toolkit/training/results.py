"""What a run leaves for a person: numbers, pictures, sounds, films, tables, in its folder and in TensorBoard."""

import csv
import dataclasses
import io
import math
import os
import pathlib
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolkit.files.text import numbers, read_json
from toolkit.files.writing import write_json, write_text, write_whole
from toolkit.lazy import tensorflow as tf
from toolkit.training import projector
from toolkit.training.workdir import Workdir, command, is_trained
from toolkit.visualize.board import Board
from toolkit.visualize.lettering import as_written


class Results(Workdir):
    """A workdir and the verbs that leave something: report, check, picture, mask, sound, film, table, text,
    embedding, export, benchmark.

    Args:
        settings: The recipe's settings.
        recipe: The recipe's name.
    """

    is_chief = True
    """Whether this process writes; True but in the other workers of --strategy=multi_worker."""
    timing = False
    """Whether steps are timed instead of trained: then nothing is left but the times."""
    prefix = ""
    """What the names of stages, pictures and metrics begin with: of a round, "round_3/"."""
    _measures = True  # whether an export says how good its files are
    _stand_in: pathlib.Path | None = None
    _board = Board(None)
    _step = 0  # that what is shown belongs to

    @property
    def shows(self) -> bool:
        """Whether this process leaves results."""
        return self.is_chief and not self.timing

    def at(self, step: int) -> None:
        """Says to which step belongs what is shown from here on.

        Args:
            step: Of the stage that is trained.
        """
        self._step = step

    def show(self, found: Mapping[str, Any], stage: Any) -> None:
        """Keeps what a training shows of itself after an epoch.

        Args:
            found: By name figures, scalars (float), and sounds (samples, rate).
            stage: The `Stage` that is trained.
        """
        self.at(stage.step)
        for name, shown in found.items():
            if isinstance(shown, float):
                stage.board.scalars("validation", {name: shown}, stage.step)
            elif isinstance(shown, tuple):
                self.sound(name, *shown)
            else:
                self.picture(name, shown)

    def report(self, metrics: Mapping[str, float], *, paper: Mapping[str, float] | None = None) -> None:
        """Prints metrics, and keeps them in metrics.json and TensorBoard.

        Args:
            metrics: Numbers by name, the name ending in the unit: "log_loss_nats_per_point".
            paper: The paper's numbers, by the same or other names.

        Raises:
            ValueError: Where something is no number.
        """
        if not self.shows:
            return
        metrics = {name: _number(name, value) for name, value in metrics.items()}
        path = self.path("metrics.json")
        write_json(path, {**_numbers(path), **{self.prefix + name: value for name, value in metrics.items()}})
        self._board.scalars("test", metrics, self._step)
        width = max(map(len, [*metrics, *(paper or {})]))
        for name, value in metrics.items():
            print(f"  {name:<{width}}  {value:12.4f}")
        for name, value in (paper or {}).items():
            print(f"  {name:<{width}}  {value:12.4f}   (the paper's)")
        odd = [name for name, value in metrics.items() if not math.isfinite(value)]
        if odd:
            print(f"  WARNING: not a finite number: {', '.join(odd)}.", flush=True)

    def metrics(self) -> dict[str, float]:
        """What metrics.json holds; of a round, that round's."""
        found = _numbers(self.workdir / "metrics.json")
        return {name.removeprefix(self.prefix): value for name, value in found.items() if name.startswith(self.prefix)}

    def check(self, report, pictures: Callable[[], Mapping[str, Any]]) -> None:
        """Prints what was found in the data, and keeps it in data_check.json and pictures/data/.

        Args:
            report: A `data.Report`.
            pictures: Returns figures by name.

        Raises:
            ValueError: Where a training would be refused.
        """
        print(report, flush=True)
        write_json(self.path("data_check.json"), report.as_dict())
        for name, figure in pictures().items():
            self.picture(f"data/{name}", figure)
        if report.refusal:
            raise ValueError(report.refusal)

    def picture(self, name: str, figure) -> None:
        """Keeps a picture in pictures/ and TensorBoard.

        Args:
            name: Its name.
            figure: A matplotlib figure (kept as PNG and SVG) or a uint8 array (height, width, channels) (as PNG).
        """
        import numpy as np
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image

        if not self.shows:
            return
        path = self.path("pictures", self.prefix + name)
        if hasattr(figure, "savefig"):
            with as_written(figure):
                write_whole(_named(path, ".svg"), lambda file: figure.savefig(file, format="svg"))
                canvas = FigureCanvasAgg(figure)
                canvas.draw()
            figure = np.asarray(canvas.buffer_rgba())[..., :3]
        write_whole(_named(path, ".png"), lambda file: Image.fromarray(figure).save(file, format="png"))
        self._board.image(name, figure, self._step)

    def mask(self, name: str, labels, colors) -> None:
        """Keeps the classes of an image's pixels in masks/, as PNGs of Pascal VOC's kind.

        Args:
            name: Its name.
            labels: uint8 (height, width), class numbers.
            colors: uint8 (classes, 3), with which programs show them.
        """
        from PIL import Image

        if not self.shows:
            return
        image = Image.fromarray(labels)
        image.putpalette(colors.reshape(-1).tolist())
        path = _named(self.path("masks", self.prefix + name), ".png")
        write_whole(path, lambda file: image.save(file, format="png"))

    def sound(self, name: str, samples, rate: int) -> None:
        """Keeps a sound in sounds/ and on TensorBoard's audio page.

        Args:
            name: Its name.
            samples: Floats (samples,) or (samples, channels), -1 to 1; louder ones are cut off.
            rate: Samples a second.

        Raises:
            ValueError: Where the samples are none.
        """
        import numpy as np

        samples = np.asarray(samples, "float32")
        samples = samples[:, None] if samples.ndim == 1 else samples
        if samples.ndim != 2 or not samples.size or not np.isfinite(samples).all():
            raise ValueError(f"{name}: a sound is finite samples (samples, channels); got shape {samples.shape}.")
        if not self.shows:
            return
        samples = np.clip(samples, -1.0, 1.0)
        content = tf.audio.encode_wav(samples, rate).numpy()
        write_whole(_named(self.path("sounds", self.prefix + name), ".wav"), lambda file: file.write(content))
        self._board.sound(name, samples, rate, self._step)

    def film(self, name: str, frames, rate: float = 10.0) -> None:
        """Keeps moving pictures as a GIF in pictures/ and in TensorBoard.

        Args:
            name: Its name.
            frames: uint8 (frames, height, width, 3), or (frames, height, width, 1) for grey ones.
            rate: Frames a second.

        Raises:
            ValueError: Where the frames are none.
        """
        import numpy as np
        from PIL import Image

        frames = np.asarray(frames)
        if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] not in (1, 3) or not len(frames):
            raise ValueError(
                f"{name}: a film is uint8 (frames, height, width, 1 or 3); got {frames.dtype} of shape {frames.shape}."
            )
        if not self.shows:
            return
        first, *others = (Image.fromarray(frame[..., 0] if frames.shape[-1] == 1 else frame) for frame in frames)
        content = io.BytesIO()
        first.save(content, "GIF", save_all=True, append_images=others, duration=round(1000 / rate), loop=0)
        write_whole(
            _named(self.path("pictures", self.prefix + name), ".gif"), lambda file: file.write(content.getvalue())
        )
        self._board.film(name, content.getvalue(), frames.shape[1:3], self._step)

    def table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keeps a table as CSV in tables/, as text in TensorBoard, and prints it.

        Args:
            name: Its name.
            rows: Each a mapping of the columns' names, with units, to numbers or words; all with the same columns.

        Raises:
            ValueError: Where there is no row, or rows have unlike columns.
        """
        columns = list(rows[0]) if rows else []
        if not columns or any(list(row) != columns for row in rows):
            raise ValueError(f"{name}: a table is rows of the same columns; got {[list(row) for row in rows][:3]}.")
        if not self.shows:
            return
        lines = io.StringIO()
        written = csv.DictWriter(lines, columns)
        written.writeheader()
        written.writerows(rows)
        content = lines.getvalue().encode()
        write_whole(_named(self.path("tables", self.prefix + name), ".csv"), lambda file: file.write(content))
        self._board.rows(name, rows, self._step)
        cells = [columns, *([_cell(row[column]) for column in columns] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            print("  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))

    def embedding(self, name: str, vectors, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keeps vectors, such as a codebook's, for TensorBoard's Projector.

        Args:
            name: Its name.
            vectors: (vectors, channels).
            rows: What is known of each vector, all by the same names, two at least.
        """
        if self.shows:
            # Where pictures are: the Projector looks into folders of runs only.
            projector.write(self.path("logs", "pictures"), (self.prefix + name).replace("/", "_"), vectors, rows)

    def text(self, name: str, texts: Sequence[str]) -> None:
        """Prints texts, and keeps them in NAME.txt.

        Args:
            name: Of the file.
            texts: What to keep.
        """
        if not self.shows:
            return
        write_text(_named(self.path(self.prefix + name), ".txt"), "\n\n---\n\n".join(texts) + "\n")
        for number, text in enumerate(texts, 1):
            print(f"\n--- {number} of {len(texts)}\n{text}")

    @property
    def exported(self) -> pathlib.Path:
        """The folder of the exported model: export/, or the shipped model's where nothing was exported.

        Raises:
            ValueError: Where there is neither.
        """
        for folder in (self.workdir / "export", self._stand_in):
            if folder is not None and (folder / "model.tflite").exists():
                return folder
        first = "Export first: --mode=export" if is_trained(self.workdir) else "Train first: --mode=all"
        raise ValueError(f"--workdir={self.workdir} holds no export. {first}.")

    def export(self, served: Any, **card: Any) -> None:
        """Writes export/: SavedModel, `.tflite` and card, whole or not at all.

        Args:
            served: What the model offers: of `toolkit.serving`, or anything whose `arguments()` are those of
                `export.write`.
            **card: What else the card says, such as data and description; the recipe, the command, the settings and the
                metrics are added.
        """
        if not self.shows:
            return
        from toolkit.export.writer import write

        arguments = served.arguments()
        if not self._measures:
            arguments["measure"] = None
        told = {"name": self.recipe, "command": command(), "settings": dataclasses.asdict(self.settings)}
        arguments["card"] = {**told, "metrics": self.metrics(), **arguments.get("card", {}), **card}
        write(self.path("export"), quantize=self.asked("quantize"), **arguments)

    def benchmark(self, name: str, function: Callable[[], Any], *, per: str = "call", repeats: int = 10) -> float:
        """Times a function, prints the median and keeps it in benchmarks.json.

        Args:
            name: What is timed.
            function: Called once to warm up, then `repeats` times; its result is waited for.
            per: What one call makes, for the print.
            repeats: How often.

        Returns:
            Median milliseconds.
        """

        def timed():
            start = time.perf_counter()
            tf.nest.map_structure(lambda value: value.numpy() if hasattr(value, "numpy") else value, function())
            return (time.perf_counter() - start) * 1e3

        timed()
        milliseconds = statistics.median(timed() for _ in range(repeats))
        self.keep_benchmark(name, milliseconds, per)
        return milliseconds

    def keep_benchmark(self, name: str, milliseconds: float, per: str) -> None:
        """Prints a time and keeps it in benchmarks.json.

        Args:
            name: What was timed.
            milliseconds: How long it took.
            per: What was made in this time.
        """
        path = self.path("benchmarks.json")
        before = _kept(path, "the times of a run")
        write_json(path, {**before, name: {"milliseconds": milliseconds, "per": per}})
        print(f"  {name}: {milliseconds:.2f} ms a {per}")


def _kept(path, expected):
    """What a JSON file of fields holds; nothing where there is none."""
    if not os.path.lexists(path):
        return {}
    return read_json(path, expected, fields={}, remedy="Remove it; what it held is then measured again.")


def _numbers(path):
    """The metrics that a file keeps, by name."""
    return numbers(_kept(path, "the metrics of a run"), str(path), "the metrics of a run")


def _number(name, value):
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"run.report: {name}={value!r} is no number.") from error


def _named(path, suffix):
    """With the suffix, and not in place of what follows a dot in the name."""
    return path.with_name(path.name + suffix)


def _cell(value):
    return f"{value:.4g}" if isinstance(value, float) else str(value)
