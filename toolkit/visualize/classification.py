"""What a classifier makes of images: confusions, calibration, mistakes and the reasons for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.images import grid, heatmaps
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WRONG = "#c22f2f"
_GREY = "#666666"


def confusion(matrix: np.ndarray, class_names: Sequence[str]) -> "Figure":
    """Draws which class is taken for which: a square for each pair, as dark as its share of the true class is large.

    Args:
        matrix: (classes, classes) counts; rows are the true class, columns the predicted one.
        class_names: A name for each class.

    Returns:
        A matplotlib figure; the counts are printed where there are at most 20 classes.

    Raises:
        ValueError: Where the matrix is not one of as many classes as there are names.

    Example:

    >>> [text.get_text() for text in confusion(np.array([[3, 1], [0, 4]]), ["cat", "dog"]).axes[0].texts]
    ['3', '1', '4']
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    matrix = np.asarray(matrix)
    num_classes = len(class_names)
    if matrix.shape != (num_classes, num_classes):
        raise ValueError(f"Expected counts of {num_classes} by {num_classes} classes; got {matrix.shape}.")
    total = matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(total, 1)
    inches = float(np.clip(0.42 * num_classes if num_classes <= 20 else 0.115 * num_classes, 2.5, 14.0))
    figure = empty_figure(inches + 2.2, inches + 1.2)
    axis = figure.subplots()
    # By the root: one in a hundred is still to be seen.
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", "#c9d3e3", "#6d84ab", INK])
    drawn = axis.imshow(share, cmap=shades, norm=PowerNorm(0.5, 0.0, 1.0), interpolation="nearest")
    # Names that would overlap are left out, evenly.
    points = float(np.clip(inches / max(num_classes, 1) * 72 * 0.8, 5.0, 9.0))
    every = max(1, int(np.ceil(num_classes * points * 1.1 / (inches * 72))))
    places = range(0, num_classes, every)
    names = [class_names[place] for place in places]
    axis.set_xticks(places, names, rotation=90, fontsize=points)
    axis.set_yticks(places, names, fontsize=points)
    axis.tick_params(length=0, pad=2)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    _mark(axis, matrix, share)
    axis.spines[:].set_color("#bbbbbb")
    bar = figure.colorbar(drawn, ax=axis, fraction=0.04, pad=0.02, ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
    bar.ax.set_yticklabels(["0", "1 %", "10 %", "25 %", "50 %", "100 %"], fontsize=7)
    bar.set_label("share of the true class", fontsize=8)
    bar.outline.set_visible(False)
    return figure


def _mark(axis, matrix, share):
    """Counts where there is room for them, else lines to count by."""
    num_classes = len(matrix)
    if num_classes <= 20:
        size = 8 if matrix.max(initial=0) < 10_000 else 6
        for row, column in np.argwhere(matrix > 0):
            color = "white" if share[row, column] > 0.3 else INK
            axis.text(column, row, f"{matrix[row, column]:g}", ha="center", va="center", fontsize=size, color=color)
    else:
        axis.set_xticks(np.arange(9.5, num_classes - 1, 10), minor=True)
        axis.set_yticks(np.arange(9.5, num_classes - 1, 10), minor=True)
        axis.grid(which="minor", color="#dddddd", linewidth=0.5)
        axis.tick_params(which="minor", length=0)


def reliability(confidence: np.ndarray, accuracy: np.ndarray, count: np.ndarray, error: float) -> "Figure":
    """Draws whether predicted probabilities come true: the share that was right by bins of confidence, and their sizes.

    Args:
        confidence: (bins,) mean probability of the predicted class; bins are of equal width from 0 to 1.
        accuracy: (bins,) the share that was right; NaN where a bin is empty.
        count: (bins,) examples.
        error: The expected calibration error, from 0 to 1, which stands above.

    Returns:
        A matplotlib figure: points on the diagonal are calibrated, below it too sure.

    Example:

    >>> figure = reliability(np.array([0.4, 0.9]), np.array([0.5, 0.8]), np.array([10, 30]), 0.1)
    >>> figure.axes[0].get_title()
    'expected calibration error 0.100'
    """
    confidence, accuracy, count = (np.asarray(values, "float64") for values in (confidence, accuracy, count))
    edges = np.linspace(0, 1, len(count) + 1)
    some = count > 0
    figure = empty_figure(4.2, 5.0)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    upper.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="calibrated")
    width = 1 / len(count)
    upper.bar(edges[:-1][some], accuracy[some], width, align="edge", color=INK, edgecolor="white", label="right")
    upper.vlines(confidence[some], accuracy[some], confidence[some], color=_WRONG, linewidth=2, label="off by")
    upper.plot(confidence[some], confidence[some], ".", color=_WRONG, markersize=4)
    upper.set_ylim(0, 1)
    upper.set_ylabel("share that was right")
    upper.set_title(f"expected calibration error {error:.3f}", fontsize=9, loc="center", color=INK)
    upper.legend(frameon=False, fontsize=8, loc="upper left")
    lower.bar(edges[:-1], count, width, align="edge", color="#58a399", edgecolor="white")
    lower.set_xlim(0, 1)
    lower.set_xlabel("confidence: probability of what is predicted")
    lower.set_ylabel("examples")
    for axis in (upper, lower):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def explained(
    images: np.ndarray,
    maps: np.ndarray,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    labels: Sequence[int] | None = None,
) -> "Figure":
    """Draws images with what in each speaks for the class that it is taken for.

    Args:
        images: As in `heatmaps`.
        maps: As in `heatmaps`.
        probabilities: (images, classes).
        class_names: A name for each class.
        labels: Each image's class, which is told where it is another one; None: unknown.

    Returns:
        A matplotlib figure.

    Example:

    >>> figure = explained(np.zeros((1, 8, 8)), np.ones((1, 8, 8)), np.array([[0.2, 0.8]]), ["cat", "dog"], [0])
    >>> figure.axes[0].get_xlabel()
    'dog 80% (cat)'
    """
    taken = probabilities.argmax(axis=-1)
    titles = [f"{class_names[k]} {row[k]:.0%}" for k, row in zip(taken, probabilities, strict=True)]
    for place, right in enumerate([] if labels is None else labels):
        titles[place] += "" if taken[place] == right else f" ({class_names[right]})"
    return heatmaps(images, maps, titles)


def misclassified(
    images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, class_names: Sequence[str]
) -> "Figure":
    """Draws images that were taken for another class than theirs, with what they were taken for.

    Args:
        images: As in `grid`.
        labels: (images,), each one's class.
        probabilities: (images, classes).
        class_names: A name for each class.

    Returns:
        A matplotlib figure.

    Example:

    >>> figure = misclassified(np.zeros((1, 8, 8)), np.array([0]), np.array([[0.2, 0.8]]), ["cat", "dog"])
    >>> figure.axes[0].get_xlabel()
    'cat: dog 80%'
    """
    taken = probabilities.argmax(axis=-1)
    titles = [
        f"{class_names[right]}: {class_names[k]} {row[k]:.0%}"
        for right, k, row in zip(labels, taken, probabilities, strict=True)
    ]
    return grid(images, titles, wrong=[True] * len(titles))
