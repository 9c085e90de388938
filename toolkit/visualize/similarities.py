"""How alike examples are, pair by pair, as each part of a network sees them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OPPOSITE = "#e08e2b"


def similarities(matrices: Mapping[str, np.ndarray], labels: Sequence[int], *, columns: int = 4) -> "Figure":
    """Draws matrices of similarities from -1 to 1, the examples sorted by their class.

    Args:
        matrices: (examples, examples) by title, all of the same examples.
        labels: (examples,), the class of each.
        columns: Matrices beside one another.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there is no matrix, or one is not of as many examples as labels.

    Example:

    >>> [axis.get_title() for axis in similarities({"labels": np.eye(3)}, [0, 1, 1]).axes[:1]]
    ['labels']
    """
    from matplotlib.colors import LinearSegmentedColormap

    labels = np.asarray(labels)
    number = len(labels)
    if not matrices or not number or any(np.shape(each) != (number, number) for each in matrices.values()):
        shapes = {name: np.shape(each) for name, each in matrices.items()}
        raise ValueError(f"similarities: expected matrices of {number} by {number} examples; got {shapes}.")
    order = np.argsort(labels, kind="stable")
    edges = np.flatnonzero(np.diff(labels[order])) + 0.5
    shades = LinearSegmentedColormap.from_list("similarity", [_OPPOSITE, "#ffffff", INK])
    across = min(columns, len(matrices))
    down = -(-len(matrices) // across)
    figure = empty_figure(2.0 * across + 0.8, 2.2 * down)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for axis, (title, matrix) in zip(axes, matrices.items(), strict=False):
        drawn = axis.imshow(np.asarray(matrix)[np.ix_(order, order)], cmap=shades, vmin=-1, vmax=1)
        axis.set_title(title.replace("_", " "), fontsize=8)
        axis.hlines(edges, -0.5, number - 0.5, color="#ffffff", linewidth=0.5)
        axis.vlines(edges, -0.5, number - 0.5, color="#ffffff", linewidth=0.5)
    for axis in axes:
        axis.set_axis_off()
    figure.colorbar(drawn, ax=list(axes), fraction=0.03, pad=0.02).set_label("cosine of the angle", fontsize=8)
    return figure
