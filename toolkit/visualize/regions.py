"""What a classifier of two classes makes of the plane: its regions, and the points that it learned of."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OTHER = "#e08e2b"


def grid(points: np.ndarray, steps: int = 100) -> np.ndarray:
    """Lays places over the plane round points.

    Args:
        points: (points, 2).
        steps: Places across, and as many up.

    Returns:
        float32 (steps, steps, 2), rows from the bottom up; a tenth of the points' width is left on each side.

    Example:

    >>> grid(np.array([[0.0, 0.0], [1.0, 2.0]]), steps=2).tolist()
    [[[-0.1..., -0.2...], [1.1..., -0.2...]], [[-0.1..., 2.2...], [1.1..., 2.2...]]]
    """
    low, high = points.min(axis=0), points.max(axis=0)
    room = 0.1 * (high - low)
    across, up = (np.linspace(low[axis] - room[axis], high[axis] + room[axis], steps) for axis in (0, 1))
    return np.stack(np.meshgrid(across, up), axis=-1).astype("float32")


def regions(probabilities: Mapping[str, np.ndarray], points: np.ndarray, labels: np.ndarray) -> "Figure":
    """Draws for each of several classifiers how probable the second class is at each place, and where it is a half.

    Args:
        probabilities: By name, (steps, steps) at the places of `grid(points)`.
        points: (points, 2), which were learned of.
        labels: (points,), 0 or 1.

    Returns:
        A matplotlib figure: a square for each classifier.

    Raises:
        ValueError: Where there is no classifier, or points and labels do not fit.

    Example:

    >>> points = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> figure = regions({"plain": grid(points)[..., 0]}, points, np.array([0, 1]))
    >>> [axis.get_title() for axis in figure.axes]
    ['plain']
    """
    from matplotlib.colors import LinearSegmentedColormap

    points, labels = np.asarray(points), np.asarray(labels)
    if not probabilities or points.shape != (len(labels), 2):
        raise ValueError(
            f"regions: expected classifiers, and (points, 2) with a label each; got {list(probabilities)}, "
            f"{points.shape} and {labels.shape}."
        )
    shades = LinearSegmentedColormap.from_list("class", [INK, "#ffffff", _OTHER])
    figure = empty_figure(3.2 * len(probabilities), 3.0)
    axes = figure.subplots(1, len(probabilities), squeeze=False)[0]
    for axis, (name, values) in zip(axes, probabilities.items(), strict=True):
        places = grid(points, len(values))
        across, up = places[0, :, 0], places[:, 0, 1]
        axis.imshow(
            values, cmap=shades, vmin=0, vmax=1, alpha=0.6, origin="lower", aspect="auto",
            extent=(across[0], across[-1], up[0], up[-1]),
        )  # fmt: skip
        if np.min(values) < 0.5 < np.max(values):
            axis.contour(across, up, values, levels=[0.5], colors="black", linewidths=1)
        for label, color in enumerate((INK, _OTHER)):
            axis.plot(*points[labels == label].T, "o", color=color, markersize=4.5, markeredgecolor="white", mew=0.6)
        axis.set_title(name, fontsize=9, color=INK)
        axis.set_xticks([])
        axis.set_yticks([])
    return figure
