"""Omniglot's drawings as published: pen strokes of 1,623 characters in 50 alphabets, each by twenty people."""

import pathlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator

import numpy as np

from toolkit.data.strokes.embedded_writers import sample_stroke
from toolkit.data.strokes.lines import Line, check_offsets, from_strokes


def read_omniglot(path: pathlib.Path) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads the drawings; each character was drawn by the same people, of whom 16 are for training.

    Args:
        path: The published zip of strokes, such as strokes_background_small1.zip, or the folder it unpacks to.

    Returns:
        Lines for training, validation and test; offsets in units of the canvas, which is 105 wide, y growing downward.

    Raises:
        ValueError: Where a file is damaged or malformed; it and the line are named.
        FileNotFoundError: Where there are no drawings.
    """
    parts = ([], [], [])
    for name, content in _files(path):
        drawer = int(re.search(r"_(\d+)\.txt$", name).group(1))
        line = Line(_drawing(_decode(content, name), name), writer=f"drawer {drawer}", name=name.split("/")[-1])
        # Each character was drawn by the same twenty people: hold out people, so that every character is in each split.
        parts[0 if drawer <= 16 else 1 if drawer <= 18 else 2].append(line)
    return parts


def _files(path) -> Iterator[tuple[str, bytes]]:
    pattern = re.compile(r"(?:^|/)\d+_\d+\.txt$")
    if path.is_dir():
        names = sorted(file for file in path.rglob("*.txt") if pattern.search(file.name))
        contents: Iterable = ((str(name), name.read_bytes()) for name in names)
    else:
        try:
            archive = zipfile.ZipFile(path)
            damaged = archive.testzip()
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
            raise ValueError(f"{path} is not a whole zip file ({error}). Fetch it again.") from error
        if damaged:
            raise ValueError(f"{path}: {damaged} in it is damaged. Fetch it again.")
        names = sorted(name for name in archive.namelist() if pattern.search(name))
        contents = ((f"{path}: {name}", archive.read(name)) for name in names)
    if not names:
        raise FileNotFoundError(
            f"--data=omniglot:{path} holds no drawings (ALPHABET/characterNN/NNNN_NN.txt). Expected the published "
            "strokes, such as strokes_background_small1.zip, not the images."
        )
    return iter(contents)


def _drawing(content, where, step=4.0):
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
                    f"{where}, line {number}: expected 'x,y,time' on a canvas of 105, START or BREAK; got {row!r}."
                ) from None
            points.append((x, -y))
    strokes = [np.array(stroke) for stroke in [*strokes, points] if stroke]
    if not strokes:
        raise ValueError(f"{where}: an empty drawing: no point between START and BREAK.")
    # The tablet's points are 0.8 units apart and follow its clock; every `step` units is how Graves' data looks.
    offsets = from_strokes([sample_stroke(stroke, step) for stroke in strokes])
    check_offsets(offsets, where)
    return offsets


def _decode(content, where):
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{where} is not UTF-8 text ({error}).") from error
