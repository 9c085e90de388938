"""Which points the third column marks: where a stroke ends, as here, where it starts, or where the pen is down."""

from collections.abc import Sequence

import numpy as np

# Shorter pieces show nothing: a row of dots marks every point.
_LEAST = 20


def ends_marked(pieces: Sequence[np.ndarray], where: str) -> tuple[list[np.ndarray], str]:
    """Brings offsets to marking the points at which a stroke ends, where they unmistakably mark others.

    All pieces are of one kind. Where most points are marked, the pen is down there: the others are marked instead. Then
    the marks are of strokes' starts where pieces begin rather than end with one, and what is between strokes is longer
    so than by the other reading.

    Args:
        pieces: Offsets (points, 3), not yet checked; what is no such array stays as it is.
        where: The file or folder, for the message.

    Returns:
        The pieces, and what was found, a sentence; "" where the marks are at the ends already.

    Raises:
        ValueError: Where all or most points are marked, and neither reading fits.

    Example:

    >>> stroke = np.array([[1.0, 1.0, 1.0]] * 14 + [[9.0, -9.0, 0.0]])  # the pen is down but at the end
    >>> pieces, told = ends_marked([np.concatenate([stroke, stroke])], "here")
    >>> np.flatnonzero(pieces[0][:, 2]).tolist(), told
    ([14, 29], 'here: the third column is 1 where the pen is down: turned into 1 where a stroke ends.')
    """
    telling = [piece for piece in pieces if _could_be(piece) and len(piece) >= _LEAST]
    if not telling:
        return list(pieces), ""
    inverted = float(np.mean(np.concatenate([piece[:, 2] for piece in telling]))) > 0.5
    marked = [(piece, (piece[:, 2] == 0) if inverted else (piece[:, 2] == 1)) for piece in telling]
    first, last = (float(np.mean([marks[place] for _, marks in marked])) for place in (0, -1))
    starts = first > last and _stroke_steps(marked, before=False) < _stroke_steps(marked, before=True)
    if inverted and max(first, last) <= 0.5:
        raise ValueError(
            f"{where}: the third column is 1 at most points. Expected 1 where a stroke ends, and 0 elsewhere."
        )
    if not inverted and not starts:
        return list(pieces), ""
    found = " and ".join(["where the pen is down"] * inverted + ["where a stroke starts"] * (starts and not inverted))
    found += " and 0 where a stroke starts" * (starts and inverted)
    return (
        [_turned(piece, inverted, starts) if _could_be(piece) else piece for piece in pieces],
        f"{where}: the third column is 1 {found}: turned into 1 where a stroke ends.",
    )


def _could_be(piece):
    return (
        piece.ndim == 2
        and piece.shape[1:] == (3,)
        and len(piece) > 0
        and piece.dtype.kind in "fiu"
        and np.isin(piece[:, 2], (0, 1)).all()
    )


def _stroke_steps(marked, before):
    """Mean length of the steps inside strokes, where the mark is on the point before a step between two, or after."""
    lengths, inside = [], []
    for piece, marks in marked:
        with np.errstate(all="ignore"):  # not yet checked
            lengths.append(np.nan_to_num(np.hypot(*piece[1:, :2].astype("float64").T)))
        inside.append(~(marks[:-1] if before else marks[1:]))
    inside = np.concatenate(inside)
    return float(np.concatenate(lengths)[inside].mean()) if inside.any() else np.inf


def _turned(piece, inverted, starts):
    marks = (piece[:, 2] == 0) if inverted else (piece[:, 2] == 1)
    turned = piece.copy()
    turned[:, 2] = np.r_[marks[1:], True] if starts else marks
    return turned
