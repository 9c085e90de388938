"""Which points the third column marks: where a stroke ends, as here, where it starts, or where the pen is down."""

from collections.abc import Sequence

import numpy as np

from toolkit.data.strokes.lines import LEAST_OF_STROKES


def ends_marked(pieces: Sequence[np.ndarray], where: str) -> tuple[list[np.ndarray], str]:
    """Converts offsets whose third column marks other points than strokes' ends, where it is clear that it does.

    Where most points of a piece are marked, a mark means that the pen is down, and is inverted. After that the pieces
    that were inverted are judged together, and so are those that were not: a group's marks are taken for strokes'
    starts where more of its pieces begin than end with one, and steps inside strokes are shorter under that reading.

    Args:
        pieces: Offsets (points, 3), not yet checked. Arrays of other shapes, and marks that fit none of these
            conventions, are returned unchanged.
        where: The file or folder, for the message.

    Returns:
        The pieces, and a sentence that says what was converted; "" where nothing was.

    Example:

    >>> stroke = np.array([[1.0, 1.0, 1.0]] * 14 + [[9.0, -9.0, 0.0]])  # the pen is down but at the end
    >>> pieces, told = ends_marked([np.concatenate([stroke, stroke])], "here")
    >>> np.flatnonzero(pieces[0][:, 2]).tolist(), told
    ([14, 29], 'here: 1 of 1 lines have 1 where the pen is down: turned into 1 where a stroke ends.')
    """
    found, told = list(pieces), []
    for down in (False, True):
        rows = [row for row, piece in enumerate(pieces) if _is_telling(piece) and (piece[:, 2].mean() > 0.5) == down]
        if not rows:
            continue
        marked = [(pieces[row], pieces[row][:, 2] == (0 if down else 1)) for row in rows]
        first, last = (np.mean([marks[place] for _, marks in marked]) for place in (0, -1))
        starts = first > last and _inside(marked, before=False) < _inside(marked, before=True)
        if not starts and (not down or last <= 0.5):
            continue
        for row, (piece, marks) in zip(rows, marked, strict=True):
            found[row] = piece.copy()
            found[row][:, 2] = np.r_[marks[1:], True] if starts else marks
        meaning = "0 where a stroke starts" if starts and down else "1 where a stroke starts"
        told.append(f"{len(rows)} of {len(pieces)} lines have {meaning if starts else '1 where the pen is down'}")
    return found, f"{where}: {', '.join(told)}: turned into 1 where a stroke ends." if told else ""


def _is_telling(piece):
    return (
        piece.ndim == 2
        and piece.shape[1:] == (3,)
        and len(piece) >= LEAST_OF_STROKES
        and piece.dtype.kind in "fiu"
        and np.isin(piece[:, 2], (0, 1)).all()
    )


def _inside(marked, before):
    """Mean length of the steps inside strokes, where the mark is on the point before a step between two, or after."""
    lengths, inside = [], []
    for piece, marks in marked:
        with np.errstate(all="ignore"):  # not yet checked
            lengths.append(np.nan_to_num(np.hypot(*piece[1:, :2].astype("float64").T)))
        inside.append(~(marks[:-1] if before else marks[1:]))
    inside = np.concatenate(inside)
    return float(np.concatenate(lengths)[inside].mean()) if inside.any() else np.inf
