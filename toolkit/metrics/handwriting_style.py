"""How a hand looks: slant, height and spacing of a written line."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Style(NamedTuple):
    """Measures of one line.

    Args:
        slant: How far upright strokes lean to the right: the tangent of their angle.
        height: From the 5th to the 95th percentile of the ink's height, in the data's unit.
        spacing: Width of a character with the space after it, in the data's unit.
    """

    slant: float
    height: float
    spacing: float


def style(offsets: np.ndarray, num_characters: int) -> Style:
    """Measures a line's style.

    The slant is that of the strokes nearer to upright than to level, the pen down: -Σ dx dy / Σ dy². A slope of the
    baseline is taken out before the height is measured.

    Args:
        offsets: (points, 3): x and y offset, y growing downward, and 1 where a stroke ends.
        num_characters: Characters in the line.

    Returns:
        A `Style`.

    Raises:
        ValueError: Where the line has fewer than 2 points, or no character.

    Example:

    >>> style(np.array([[0, 0, 0], [1.0, -4.0, 0], [1.0, 4.0, 1]]), num_characters=1).height > 3
    True
    """
    if len(offsets) < 2 or num_characters < 1:
        raise ValueError(f"expected at least 2 points and 1 character; got {len(offsets)} and {num_characters}.")
    offsets = np.asarray(offsets, "float64")
    down = np.r_[False, offsets[:-1, 2] < 0.5]
    dx, dy = offsets[down, 0], offsets[down, 1]
    upright = np.abs(dy) > np.abs(dx)
    slant = -np.sum(dx[upright] * dy[upright]) / max(np.sum(dy[upright] ** 2), 1e-9)
    x, y = np.cumsum(offsets[:, :2], axis=0).T
    slope = np.polyfit(x, y, 1)[0] if np.ptp(x) > 0 else 0.0
    low, high = np.percentile(y - slope * x, [5, 95])
    return Style(float(slant), float(high - low), float(np.ptp(x) / num_characters))


def nearer_its_primer(
    primed: Sequence[tuple[str, Style]], real: Sequence[tuple[str, Style]]
) -> tuple[float, dict[str, float]]:
    """Whether lines written in a hand look like that hand's own.

    A pair is a primed line and a writer other than its primer. A measure's distance is in its standard deviations
    within a writer; the distance of styles is the Euclidean one of the three.

    Args:
        primed: For each line written, its primer's writer and its style.
        real: For each real line its writer and its style.

    Returns:
        The percentage of pairs in which the line is nearer to the mean style of its primer than to the other's; and the
        same by each measure alone.

    Raises:
        ValueError: Where there are fewer than two writers, or a primer is none of them.

    Example:

    >>> real = [("a", Style(0.1, 10, 9)), ("a", Style(0.0, 11, 9)), ("b", Style(0.5, 20, 9)), ("b", Style(0.4, 19, 8))]
    >>> nearer_its_primer([("b", Style(0.4, 18, 9))], real)[0]
    100.0
    """
    names = sorted({name for name, _ in real})
    unknown = {name for name, _ in primed} - set(names)
    if len(names) < 2 or unknown:
        raise ValueError(f"expected at least two writers, every primer among them; got {names}, without {unknown}.")
    groups = {name: np.array([measured for writer, measured in real if writer == name]) for name in names}
    means = {name: group.mean(axis=0) for name, group in groups.items()}
    within = np.concatenate([group - means[name] for name, group in groups.items()]).std(axis=0)
    nearer = []
    for primer, measured in primed:
        distances = {
            name: ((np.array(measured) - mean) / np.maximum(within, 1e-9)) ** 2 for name, mean in means.items()
        }
        own = distances[primer]
        nearer += [[own.sum() < d.sum(), *(own < d)] for name, d in distances.items() if name != primer]
    joint, *each = 100.0 * np.mean(nearer, axis=0)
    return float(joint), dict(zip(Style._fields, map(float, each), strict=True))
