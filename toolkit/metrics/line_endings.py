"""Whether written lines ended when their text did."""

from collections.abc import Sequence

import numpy as np


def line_endings(
    num_points: Sequence[int], num_characters: Sequence[int], *, most: int, points_per_character: float
) -> dict[str, float]:
    """Counts lines that never stopped, and lines that stopped early: with fewer than half of a text's usual points.

    Args:
        num_points: Points of each line.
        num_characters: Characters of each line's text.
        most: Points of a line that was cut off.
        points_per_character: What a character takes on average.

    Returns:
        "never_stopped_percent" and "stopped_early_percent".

    Example:

    >>> line_endings([700, 90, 20], [10, 10, 10], most=700, points_per_character=10.0)["never_stopped_percent"]
    33.33333333333333
    """
    lengths, letters = np.asarray(num_points), np.asarray(num_characters)
    return {
        "never_stopped_percent": 100.0 * float(np.mean(lengths >= most)),
        "stopped_early_percent": 100.0 * float(np.mean(lengths < 0.5 * points_per_character * letters)),
    }
