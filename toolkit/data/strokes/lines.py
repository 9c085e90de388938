"""Pen strokes as offsets: a written line, and what is a pen's."""

import dataclasses
from collections.abc import Sequence

import numpy as np

ALPHABET = " !\"'(),-.0123456789:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Inside a stroke, a jump this many times as long as the median is an error; between strokes a pen may move any way.
HUGE = 300.0
FAR_LIFT = 20.0
# Of one line: an hour of writing at 200 points a second.
MOST_POINTS = 1_000_000
# Points of which more than a half do not end strokes; in fewer, such as a row of dots, all may.
LEAST_OF_STROKES = 20
# Units that a pen may go at once, and that a position may be: beyond any tablet's, and their squares are still numbers.
FARTHEST = 1e10
# A pen goes to and fro: 50 or more real offsets add up to at most 0.65 of their lengths; positions, to nearly all.
_ONE_WAY = 0.8, 50
FRACTION = 0.05  # of lines that nobody has split, for validation and for the test each


@dataclasses.dataclass(frozen=True)
class Line:
    """A written line.

    Args:
        offsets: (points, 3) float32: x and y offset from the point before, y growing downward, and 1 where a stroke
            ends.
        text: What is written; "" where that is not known.
        writer: Who wrote it; "" where that is not known.
        name: The file that it was read from, by which a person finds it; "" where there is none.
    """

    offsets: np.ndarray
    text: str = ""
    writer: str = ""
    name: str = ""


def from_strokes(strokes: Sequence[np.ndarray]) -> np.ndarray:
    """Converts pen strokes to offsets.

    Args:
        strokes: For each stroke the pen's positions (points, 2), y growing downward.

    Returns:
        float32 (points, 3): offsets, the first one zero, and 1 on each stroke's last point.

    Example:

    >>> from_strokes([np.array([[0, 0], [2, 1]]), np.array([[5, 5]])]).tolist()
    [[0.0, 0.0, 0.0], [2.0, 1.0, 1.0], [3.0, 4.0, 1.0]]
    """
    points = np.concatenate([np.asarray(stroke, "float64") for stroke in strokes])
    ends = np.zeros((len(points), 1))
    ends[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1.0
    return np.concatenate([np.diff(points, axis=0, prepend=points[:1]), ends], axis=1).astype("float32")


def to_strokes(offsets: np.ndarray) -> list[np.ndarray]:
    """Offsets as pen strokes, the first point's offset taken from zero.

    Args:
        offsets: (points, 3).

    Returns:
        For each stroke the pen's positions (points, 2).

    Example:

    >>> [stroke.tolist() for stroke in to_strokes(np.array([[0, 0, 0], [2, 1, 1], [3, 4, 1]]))]
    [[[0.0, 0.0], [2.0, 1.0]], [[5.0, 5.0]]]
    """
    positions = np.cumsum(np.asarray(offsets, "float64")[:, :2], axis=0)
    ends = np.flatnonzero(np.asarray(offsets)[:, 2] > 0.5) + 1
    return [part for part in np.split(positions, ends) if len(part)]


def padded(offsets: np.ndarray, num_points: int) -> dict[str, np.ndarray]:
    """Pads a line to the fixed shape that exported signatures take.

    Args:
        offsets: (points, 3).
        num_points: Points of the longest line, zeros after the end.

    Returns:
        "strokes" float32 (1, num_points, 3) and "length" int32 (1,).

    Raises:
        ValueError: Where the line is longer.

    Example:

    >>> padded(np.ones((2, 3)), 4)["length"].tolist()
    [2]
    """
    if len(offsets) > num_points:
        raise ValueError(f"the line has {len(offsets)} points; expected at most {num_points}.")
    strokes = np.zeros((1, num_points, 3), "float32")
    strokes[0, : len(offsets)] = offsets
    return {"strokes": strokes, "length": np.array([len(offsets)], "int32")}


def check_offsets(offsets: np.ndarray, where: str) -> None:
    """Checks that an array holds a pen's offsets.

    Args:
        offsets: What was read.
        where: Its file, for the message.

    Raises:
        ValueError: Where it is not (points, 3), too long, not finite, jumps inside a stroke, goes one way only as
            positions do, or its third column is not 0 and 1.
    """
    if offsets.ndim != 2 or offsets.shape[1] != 3 or not len(offsets) or offsets.dtype.kind not in "fiu":
        raise ValueError(f"{where}: expected numbers of shape (points, 3); got {offsets.dtype} {offsets.shape}.")
    if len(offsets) > MOST_POINTS:
        raise ValueError(f"{where}: {len(offsets)} points; a line has at most {MOST_POINTS:,}.")
    bad = np.flatnonzero(~np.isfinite(offsets).all(axis=1))
    if len(bad):
        raise ValueError(f"{where}: point {bad[0]} is not finite: {offsets[bad[0]].tolist()}.")
    flags = np.flatnonzero(~np.isin(offsets[:, 2], (0, 1)))
    if len(flags):
        raise ValueError(
            f"{where}: point {flags[0]}: the third column is 1 where a stroke ends and 0 elsewhere; got "
            f"{offsets[flags[0], 2]}."
        )
    if len(offsets) >= LEAST_OF_STROKES and offsets[:, 2].mean() > 0.5:
        raise ValueError(
            f"{where}: the third column is 1 at most points. Expected 1 where a stroke ends, and 0 elsewhere."
        )
    steps = offsets[:, :2].astype("float64")
    far = np.flatnonzero(np.abs(steps).max(axis=1) > FARTHEST)
    if len(far):
        raise ValueError(f"{where}: point {far[0]} goes {steps[far[0]].tolist()} units, as no pen does.")
    steps = steps[1:]
    lengths = np.hypot(*steps.T)
    inside = np.where(offsets[:-1, 2] == 0, lengths, 0.0)
    moved = inside[inside > 0]
    if len(moved) and moved.max() > HUGE * np.median(moved):
        raise ValueError(
            f"{where}: point {inside.argmax() + 1} jumps {moved.max():.4g} inside a stroke, "
            f"{moved.max() / np.median(moved):.0f} times the median offset. Is it broken, or are these positions "
            "instead of offsets?"
        )
    one_way, least = _ONE_WAY
    # As they are, and without lifts that outweigh the writing: to the next line, or back to the dot of an i.
    writing = (offsets[:-1, 2] == 0) | (lengths <= FAR_LIFT * (np.median(moved) if len(moved) else 0.0))
    if len(lengths) >= least and all(
        np.hypot(*steps[kept].sum(axis=0)) > one_way * lengths[kept].sum() for kept in (slice(None), writing)
    ):
        raise ValueError(
            f"{where}: the {len(offsets)} offsets go one way, as no pen does. Are these positions instead of offsets?"
        )
