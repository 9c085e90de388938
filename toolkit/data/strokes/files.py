"""Single pieces of handwriting in files: what a tablet or a page records, and what the recipes write."""

import json
import os
import pathlib
from collections.abc import Iterable

import numpy as np

from toolkit.data.strokes.arrays import read_offsets
from toolkit.data.strokes.lines import FARTHEST, Line, check_offsets, from_strokes, to_strokes
from toolkit.data.strokes.pen_flags import ends_marked
from toolkit.files import binary, limits, text, writing

_EXPECTED = "JSON with strokes, or a .npy of offsets (points, 3)"
_RECORDINGS = 'lines of handwriting in JSON: {"lines": [{"text": "...", "strokes": [...]}]}'
# A point is x, y and perhaps time, pressure, two tilts, a turn: longer rows are a stroke's x, y or times.
_MOST_OF_A_POINT = 7


def read_file(path: str | os.PathLike) -> np.ndarray:
    """Reads one piece of handwriting.

    Args:
        path: A `.npy` of offsets (points, 3), as `--data=npy` has them; or a `.json`: a list of strokes, each a list of
            points [x, y, ...] or {"x": x, "y": y}, y growing downward; or each stroke as [[x, ...], [y, ...]], as
            QuickDraw's are; or the first line of what `write_file` wrote.

    Returns:
        float32 (points, 3): offsets, the first one zero, and 1 where a stroke ends.

    Raises:
        ValueError: Where the file is neither, holds no pen's strokes, or could be read in two ways.
        FileNotFoundError: Where there is no such file.

    Example:

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "strokes.json"
    >>> _ = path.write_text("[[[0, 0], [2, 1]], [[5, 5]]]")
    >>> read_file(path).tolist()
    [[0.0, 0.0, 0.0], [2.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
    """
    path = binary.expanded(path)
    if path.suffix.lower() == ".npy":
        (offsets,), told = ends_marked([read_offsets(path)], str(path))
        if told:
            print(told)
    else:
        content = text.read_json(path, _EXPECTED, bound=16 * limits.MIB)
        if isinstance(content, dict) and isinstance(content.get("lines"), list) and content["lines"]:
            content = content["lines"][0]
        offsets = from_strokes(_strokes(content, path))
    check_offsets(offsets, str(path))
    offsets = offsets.astype("float32")
    offsets[0, :2] = 0.0
    return offsets


def read_lines(path: str | os.PathLike) -> list[Line]:
    """Reads lines of handwriting with what they say.

    Args:
        path: A `.json` as `write_file` and the page that records write it: {"lines": [{"text": "...", "strokes":
            [[[x, y], ...], ...]}, ...]}, y growing downward; and perhaps "writer", of the file or of a line.

    Returns:
        The lines; a text that is not there is "", and so is a writer.

    Raises:
        ValueError: Where the file is not of that form, or a line holds no pen's strokes; the line is named.
        FileNotFoundError: Where there is no such file.

    Example:

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "recordings.json"
    >>> write_file(path, [Line(np.array([[0, 0, 0], [2, 1, 1]]), "i")])
    >>> read_lines(path)[0].text
    'i'
    """
    path = binary.expanded(path)
    content = text.read_json(path, _RECORDINGS, bound=64 * limits.MIB, fields={"lines": list})
    lines = []
    for number, line in enumerate(content["lines"], start=1):
        where = f"{path}, line {number} of its lines"
        writer = line.get("writer", content.get("writer", "")) if isinstance(line, dict) else None
        told = line.get("text", "") if isinstance(line, dict) else None
        if not isinstance(told, str) or not isinstance(writer, str):
            raise ValueError(f'{where} is not {{"text": "...", "strokes": [...]}}, perhaps with a "writer".')
        offsets = from_strokes(_strokes(line, where))
        check_offsets(offsets, where)
        lines.append(Line(offsets, told.strip(), writer, f"{path.name}, line {number}"))
    return lines


def write_file(path: str | os.PathLike, lines: Iterable[Line], unit: str = "pen units, y downward") -> None:
    """Writes lines as strokes of positions, for a page or a plotter.

    Args:
        path: The `.json`; an earlier one is replaced as a whole.
        lines: The lines.
        unit: Unit of the positions, for the reader.
    """
    content = {
        "unit": unit,
        "lines": [
            {
                "text": line.text,
                "strokes": [np.round(stroke, 2).tolist() for stroke in to_strokes(line.offsets)],
            }
            for line in lines
        ],
    }
    writing.write_text(pathlib.Path(path), json.dumps(content) + "\n")


def _strokes(content, where):
    named = isinstance(content, dict) and "drawing" in content  # only QuickDraw calls it so
    if isinstance(content, dict):
        content = content.get("drawing", content.get("strokes"))
    content = [stroke for stroke in content if stroke != []] if isinstance(content, list) else []
    if not content:
        raise ValueError(f'{where} holds no strokes. Expected [[[x, y], ...], ...] or {{"strokes": [...]}}.')
    by_axis = named or _by_axis(content, where)
    strokes = []
    for number, stroke in enumerate(content):
        try:
            points = list(zip(stroke[0], stroke[1], strict=True)) if by_axis else [_point(point) for point in stroke]
            if not all(type(number) in (int, float) and abs(number) < FARTHEST for xy in points for number in xy):
                raise ValueError("no numbers, or out of range")
            strokes.append(np.array(points, "float64").reshape(-1, 2))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            expected = "[[x, ...], [y, ...]]" if by_axis else "a list of [x, y]"
            raise ValueError(f"{where}: stroke {number} is not {expected}, of finite numbers.") from error
    return [stroke for stroke in strokes if len(stroke)]


def _point(point):
    return (point["x"], point["y"]) if isinstance(point, dict) else (point[0], point[1])


def _by_axis(strokes, where):
    """Whether each stroke is [[x, ...], [y, ...]], or with a third list of times: what is no list of points."""
    rows = [
        [len(row) if isinstance(row, list) else 0 for row in stroke] for stroke in strokes if isinstance(stroke, list)
    ]
    if len(rows) < len(strokes) or {len(lengths) for lengths in rows} not in ({2}, {3}):
        return False
    if not all(min(lengths) == max(lengths) > 0 for lengths in rows):  # neither x beside y, nor points of one kind
        return False
    lengths = {lengths[0] for lengths in rows}
    if len(lengths) > 1 or lengths == {1} or max(lengths) > _MOST_OF_A_POINT:
        return True
    if lengths == {2}:
        return False
    raise ValueError(
        f"{where}: are its strokes [[x, ...], [y, ...]] or points [x, y, ...]? Both can be. Write each point as "
        '{"x": x, "y": y}.'
    )
