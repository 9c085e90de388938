"""QuickDraw's drawings as published: an object of JSON in each line of a .ndjson, simplified or raw."""

import itertools
import json
import pathlib
from collections.abc import Iterator

import numpy as np

from toolkit.data.strokes.holding_out import held_out
from toolkit.data.strokes.lines import FARTHEST, Line, from_strokes
from toolkit.data.strokes.skipping import read_each
from toolkit.files import binary, limits
from toolkit.files.names import visible

_EXPECTED = "QuickDraw's drawings, a .ndjson"


def read_quickdraw(
    path: pathlib.Path, *, seed: int, skip_corrupt: bool = False
) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads drawings, a line of a file at a time.

    Args:
        path: A file, such as "full_simplified_cat.ndjson", or a folder of them, in folders below too.
        seed: Decides which drawings are held out: a twentieth of each file's for validation, another for the test.
        skip_corrupt: Whether to leave out drawings that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test; offsets in pixels, y growing downward. The simplified ones are 256
        pixels wide or tall; in the raw ones a pixel is one of the screen's, and points follow its clock.

    Raises:
        ValueError: Where a file is damaged or has fewer than 3 drawings, or all together take more than a gigabyte;
            file and line are named.
        FileNotFoundError: Where the folder holds no such file.
        OSError: Where the system refuses.
    """
    source = f"--data=quickdraw:{path}"
    paths = visible(path, ".ndjson") if path.is_dir() else [path]
    if not paths:
        raise FileNotFoundError(f"{source}: the folder holds no .ndjson file, nor do those below it.")
    parts, taken = ([], [], []), 0

    def rows(each):
        for number, content in _rows(each):
            limits.check(taken, source, limits.GIB)
            yield each, number, content

    def line_of(row):
        nonlocal taken
        each, number, content = row
        offsets = _offsets(content, f"{each}, line {number}")
        taken += offsets.nbytes
        return Line(offsets, name=f"{each.name}, line {number}")

    for each in read_each(paths, _checked, source=source, skip_corrupt=skip_corrupt):
        lines = read_each(rows(each), line_of, source=source, skip_corrupt=skip_corrupt, unit="drawings")
        for part, held in zip(parts, held_out(lines, str(each), seed=seed), strict=True):
            part += held
    return parts


def _checked(path):
    binary.check(path, _EXPECTED)
    binary.check_holes(path)
    return path


def _rows(path) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank, and its number; of a longer one than a drawing has, only its beginning."""
    longest = limits.allowed(limits.MIB)
    with binary.opened(path, _EXPECTED) as file:
        for number in itertools.count(1):
            row = rest = file.readline(longest + 1)
            while len(rest) > longest and not rest.endswith(b"\n"):
                rest = file.readline(longest + 1)
            if not row:
                return
            if row.strip() or len(row) > longest:
                yield number, row


def _offsets(content, where):
    limits.check(len(content), where, limits.MIB)
    try:
        drawing = json.loads(content.decode("utf-8-sig"))["drawing"]
        # [[x, ...], [y, ...]], and in the raw ones a third list, of milliseconds.
        strokes = [np.array(stroke) for stroke in drawing]
        if not strokes or any(s.ndim != 2 or len(s) not in (2, 3) or s.dtype.kind not in "iuf" for s in strokes):
            raise ValueError("strokes are no lists of numbers")
        if not all(s.size and (np.abs(s.astype("float64")) < FARTHEST).all() for s in strokes):
            raise ValueError("a stroke has no points, or not all are finite")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f'{where}: expected a drawing, {{"drawing": [[[x, ...], [y, ...]], ...]}}, in a line of its own; got '
            f"{content[:60].decode('latin-1')!r}... ({_why(error)})."
        ) from None
    return from_strokes([stroke[:2].T for stroke in strokes])


def _why(error):
    if isinstance(error, KeyError):
        return "it has no drawing"
    return getattr(error, "msg", None) or (str(error).splitlines() or [type(error).__name__])[0][:120]
