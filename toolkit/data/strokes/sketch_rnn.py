"""sketch-rnn's drawings as published: a .npz of offsets with three numbers a point, or with five."""

import pathlib

import numpy as np

from toolkit.data.strokes.lines import FARTHEST, MOST_POINTS, Line
from toolkit.data.strokes.skipping import read_each
from toolkit.files import arrays, limits
from toolkit.files.names import visible

_PARTS = ("train", "valid", "test")
_EXPECTED = "sketch-rnn's drawings, a .npz of train, valid and test"


def read_sketch_rnn(path: pathlib.Path, *, skip_corrupt: bool = False) -> tuple[list[Line], list[Line], list[Line]]:
    """Reads drawings, one part of a file at a time.

    The published files hold arrays of Python objects, which are pickles; only the arrays of numbers in them are read,
    without running anything (see `toolkit.files.object_arrays`).

    Args:
        path: A file, such as "cat.npz", with the arrays train, valid and test, or a folder of them, in folders below
            too. Each holds drawings (points, 3): x and y offset, and 1 where a stroke ends; or (points, 5): x and y
            offset, and 1 for one of: the pen goes on, a stroke ends here, the drawing has ended.
        skip_corrupt: Whether to leave out drawings that cannot be read, instead of stopping.

    Returns:
        Lines for training, validation and test; offsets in the file's unit, y growing downward.

    Raises:
        ValueError: Where a file is damaged or holds other objects, or all together take more than a gigabyte; file,
            part and drawing are named.
        FileNotFoundError: Where the folder holds no such file.
        OSError: Where the system refuses.

    Reference: Ha and Eck 2017, arXiv 1704.03477, section 3.1.
    """
    source = f"--data=sketch_rnn:{path}"
    paths = visible(path, ".npz") if path.is_dir() else [path]
    if not paths:
        raise FileNotFoundError(f"{source}: the folder holds no .npz file, nor do those below it.")
    how = {"source": source, "skip_corrupt": skip_corrupt}
    parts, taken = ([], [], []), 0
    for each in paths:
        for name, part in zip(_PARTS, parts, strict=True):

            def line_of(numbered, each=each, name=name):
                number, drawing = numbered
                return Line(
                    _offsets(drawing, f"{each}, {name}, drawing {number}"), name=f"{each.name}, {name} {number}"
                )

            for drawings in read_each([each], lambda each, name=name: _drawings(each, name), **how):
                lines = read_each(enumerate(drawings), line_of, unit="drawings", **how)
                part += lines
                taken += sum(line.offsets.nbytes for line in lines)
                limits.check(taken, source, limits.GIB)
    return parts


def _drawings(path, name):
    with arrays.Arrays(path, _EXPECTED) as file:
        return file.read_rows(name)


def _offsets(drawing, where):
    if drawing.ndim != 2 or drawing.shape[1] not in (3, 5) or drawing.dtype.kind not in "iuf" or not len(drawing):
        raise ValueError(
            f"{where}: expected numbers of shape (points, 3) or (points, 5); got {drawing.dtype} {drawing.shape}."
        )
    flags = drawing[:, 2:]
    if not np.isin(flags, (0, 1)).all() or (flags.shape[1] == 3 and (flags.sum(axis=1) != 1).any()):
        expected = "0 or 1, and 1 where a stroke ends" if flags.shape[1] == 1 else "1 in one of the last three numbers"
        raise ValueError(f"{where}: expected each point to have {expected}.")
    if flags.shape[1] == 3:  # what comes after the end is padding
        ended = np.flatnonzero(flags[:, 2])
        drawing = drawing[: ended[0] if len(ended) else None, [0, 1, 3]]
    if not 0 < len(drawing) <= MOST_POINTS:
        raise ValueError(f"{where}: {len(drawing)} points; expected 1 to {MOST_POINTS:,}.")
    if not (np.abs(drawing.astype("float64")) < FARTHEST).all():
        raise ValueError(f"{where}: an offset is not finite, or goes as far as no pen does.")
    return drawing.astype("float32")
