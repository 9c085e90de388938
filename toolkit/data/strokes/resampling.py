"""Pen strokes with their points at even distances."""

from collections.abc import Sequence

import numpy as np

from toolkit.data.strokes.lines import MOST_POINTS, Line


def resample(offsets: np.ndarray, spacing: float) -> np.ndarray:
    """Places new points along each stroke, evenly, about `spacing` apart; its first and last point stay.

    Args:
        offsets: (points, 3): x and y offset, in any unit, and 1 where a stroke ends.
        spacing: Distance between two points along the stroke, in the same unit; more than 0. Corners between two new
            points are cut.

    Returns:
        float32 (new points, 3).

    Raises:
        ValueError: Where these would be more than a million.

    Example:

    >>> resample(np.array([[0, 0, 0], [1, 0, 0], [5, 0, 0], [0, 6, 1], [3, 3, 1]]), 4.0).tolist()
    [[0.0, 0.0, 0.0], [4.0, 0.0, 0.0], [2.0, 2.0, 0.0], [0.0, 4.0, 1.0], [3.0, 3.0, 1.0]]
    """
    offsets = np.asarray(offsets, "float64")
    positions = np.cumsum(offsets[:, :2], axis=0)
    # Each stroke begins one unit after the one before has ended, on one axis of lengths for the whole line.
    steps = np.hypot(*offsets[1:, :2].T)
    along = np.r_[0.0, np.cumsum(np.where(offsets[:-1, 2] > 0.5, 1.0, steps))]
    last = np.flatnonzero(np.r_[offsets[:-1, 2], 1.0] > 0.5)
    first = np.r_[0, last[:-1] + 1]
    lengths = along[last] - along[first]
    if lengths.sum() / MOST_POINTS > spacing:
        raise ValueError(
            f"--spacing={spacing:g} is too small for strokes {lengths.sum():.4g} units long: more than "
            f"{MOST_POINTS:,} points."
        )
    counts = np.where(lengths > 0, np.maximum(1, np.rint(lengths / spacing)), 0).astype(int)
    ends = np.cumsum(counts + 1) - 1
    number = np.arange(ends[-1] + 1) - np.repeat(ends - counts, counts + 1)
    places = np.repeat(along[first], counts + 1) + number * np.repeat(lengths / np.maximum(counts, 1), counts + 1)
    new = np.stack([np.interp(places, along, positions[:, axis]) for axis in (0, 1)], axis=1)
    new[ends] = positions[last]
    flags = np.zeros((len(new), 1))
    flags[ends] = 1.0
    return np.concatenate([np.diff(new, axis=0, prepend=new[:1] - offsets[:1, :2]), flags], axis=1).astype("float32")


def distance_between_points(lines: Sequence[Line], points_per_character: float, source: str) -> float:
    """Finds the spacing with which characters have so many points on average.

    Args:
        lines: With their texts.
        points_per_character: The points.
        source: Where the lines come from, for the message.

    Returns:
        The distance, in the lines' unit: the length of all strokes over the steps in them, of which each has one less
        than points.

    Raises:
        ValueError: Where there are as many strokes as these points, or no stroke moves.

    Example:

    >>> offsets = np.array([[0, 0, 0], [30, 0, 0], [0, 20, 1]], "float32")
    >>> distance_between_points([Line(offsets, "i")], points_per_character=6, source="mine")
    10.0
    """
    steps = [np.hypot(*line.offsets[1:, :2].astype("float64").T)[line.offsets[:-1, 2] < 0.5] for line in lines]
    num_strokes = sum(int((line.offsets[:, 2] > 0.5).sum()) for line in lines)
    characters, ink = sum(len(line.text) for line in lines), float(sum(step.sum() for step in steps))
    if not (num_steps := points_per_character * characters - num_strokes) > 0 or not ink > 0:
        raise ValueError(
            f"--data={source} has {num_strokes} strokes in {characters} characters, {ink:.4g} units long: with "
            f"--points_per_character={points_per_character:g} nothing is left of them."
        )
    return ink / num_steps
