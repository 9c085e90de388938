"""Single pieces of handwriting in files: what a tablet or a page records, and what the recipes write."""

import json
import os
import pathlib
from collections.abc import Iterable

import numpy as np

from toolkit.data.strokes.lines import Line, check_offsets, from_strokes, to_strokes
from toolkit.files import writing


def read_file(path: str | os.PathLike) -> np.ndarray:
    """Reads one piece of handwriting.

    Args:
        path: A `.npy` of offsets (points, 3), as `--data=npy` has them; or a `.json`: a list of strokes, each a list of
            points [x, y, ...] or {"x": x, "y": y}, y growing downward; or the first line of what `write_file` wrote.

    Returns:
        float32 (points, 3): offsets, the first one zero, and 1 where a stroke ends.

    Raises:
        ValueError: Where the file is neither, or holds no pen's strokes.
        FileNotFoundError: Where there is no such file.

    Example:

    >>> import tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "strokes.json"
    >>> _ = path.write_text("[[[0, 0], [2, 1]], [[5, 5]]]")
    >>> read_file(path).tolist()
    [[0.0, 0.0, 0.0], [2.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
    """
    path = pathlib.Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file. Expected .npy (points, 3) or .json with strokes.")
    if path.suffix == ".npy":
        try:
            offsets = np.load(path, allow_pickle=False)
        except Exception as error:  # damaged headers fail in many ways
            raise ValueError(f"{path} is not a NumPy array of numbers ({error}).") from error
    else:
        offsets = from_strokes(_strokes(path))
    check_offsets(offsets, str(path))
    offsets = offsets.astype("float32")
    offsets[0, :2] = 0.0
    return offsets


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


def _strokes(path):
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON ({error}). Expected strokes, or an array in a .npy.") from error
    if isinstance(content, dict) and content.get("lines"):
        content = content["lines"][0]
    if isinstance(content, dict):
        content = content.get("strokes")
    strokes = []
    for number, stroke in enumerate(content if isinstance(content, list) else ()):
        try:
            points = [(p["x"], p["y"]) if isinstance(p, dict) else (p[0], p[1]) for p in stroke]
            points = np.array(points, "float64").reshape(-1, 2)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: stroke {number} is not a list of [x, y].") from error
        if len(points):
            strokes.append(points)
    if not strokes:
        raise ValueError(f'{path} holds no strokes. Expected [[[x, y], ...], ...] or {{"strokes": [...]}}.')
    return strokes
