"""Omniglot's drawings as published: pen strokes of 1,623 characters in 50 alphabets, each by twenty people."""

import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from toolkit.data.strokes.embedded_writers import sample_stroke
from toolkit.data.strokes.lines import Line, check_offsets, from_strokes
from toolkit.data.strokes.skipping import read_each
from toolkit.files import archives, binary, limits, text

_NAME = re.compile(r"(?:^|/)\d+_(\d{1,9})\.txt\Z", re.ASCII)
# The tablet's points are 0.8 units apart and follow its clock; every so many units is how Graves' data looks.
_STEP = 4.0
_EXPECTED = "the zip of Omniglot's strokes"


def read_omniglot(path: pathlib.Path, *, skip_corrupt: bool = False) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads the drawings; each character was drawn by the same people, of whom 16 are for training.

    Args:
        path: The published zip of strokes, such as strokes_background_small1.zip, or the folder it unpacks to.
        skip_corrupt: Whether to leave out drawings that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test; offsets in units of the canvas, which is 105 wide, y growing downward.

    Raises:
        ValueError: Where a file is damaged or malformed; it and the line are named.
        FileNotFoundError: Where there are no drawings.
        OSError: Where the system refuses.
    """

    def drawing(name_and_content):
        name, content = name_and_content
        drawer = int(_NAME.search(name).group(1))
        offsets = _drawing(text.decode(content(), name), name)
        # Each character was drawn by the same twenty people: hold out people, so that every character is in each split.
        part = 0 if drawer <= 16 else 1 if drawer <= 18 else 2
        return part, Line(offsets, writer=f"drawer {drawer}", name=name.split("/")[-1])

    lines = read_each(_files(path), drawing, source=f"--data=omniglot:{path}", skip_corrupt=skip_corrupt)
    return tuple([line for part, line in lines if part == number] for number in range(3))


def _files(path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Each drawing's name, and what reads it."""
    if path.is_dir():
        names = sorted(str(file) for file in path.rglob("*.txt") if _wanted(file.relative_to(path).as_posix()))
        yield from _some(((name, lambda name=name: binary.read(name, "a drawing", limits.MIB)) for name in names), path)
    else:
        with archives.Zip(path, _EXPECTED) as archive:
            names = sorted(name for name in archive.names if _wanted(name))
            limits.check(sum(map(archive.size, names)), f"{path}, unpacked,", limits.GIB)
            read = ((f"{path}: {name}", lambda name=name: archive.read(name, limits.MIB)) for name in names)
            yield from _some(read, path)


def _wanted(name):
    """A drawing, in no hidden folder: macOS packs a __MACOSX/._NAME.txt with each NAME.txt."""
    return _NAME.search(name) and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _some(files, path):
    missing = True
    for file in files:
        missing = False
        yield file
    if missing:
        raise FileNotFoundError(
            f"--data=omniglot:{path} holds no drawings (ALPHABET/characterNN/NNNN_NN.txt). Expected the published "
            "strokes, such as strokes_background_small1.zip, not the images."
        )


def _drawing(content, where):
    """Strokes 'x,y,milliseconds' between START and BREAK lines, on a canvas of 105 units with y growing upward."""
    strokes, points = [], []
    for number, row in enumerate(content.split("\n"), 1):
        row = row.strip()
        if row == "BREAK":
            strokes.append(points)
            points = []
        elif row and row != "START":
            try:
                x, y, _ = map(float, row.split(","))
                if not (abs(x) < 1000 and abs(y) < 1000):
                    raise ValueError("off the canvas, or NaN")
            except ValueError:
                raise ValueError(
                    f"{where}, line {number}: expected 'x,y,time' on a canvas of 105, START or BREAK; got {row[:60]!r}."
                ) from None
            points.append((x, -y))
    strokes = [np.array(stroke) for stroke in [*strokes, points] if stroke]
    if not strokes:
        raise ValueError(f"{where}: an empty drawing: no point between START and BREAK.")
    try:
        offsets = from_strokes([sample_stroke(stroke, _STEP) for stroke in strokes])
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    check_offsets(offsets, where)
    return offsets
