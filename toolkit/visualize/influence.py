"""What single training examples did: predicted beside true, and those that stand out from all others."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.images import grid
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (INK, "#e08e2b", "#58a399", "#b04a5a")
_GREY = "#999999"


def predicted_beside_true(pairs: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> "Figure":
    """Draws true against predicted changes, with the line on which they are equal.

    Args:
        pairs: By group, such as a test example, points (true, predicted).
        unit: Of both.

    Returns:
        A matplotlib figure, whose title says Pearson's correlation of all points.

    Raises:
        ValueError: Where points are no pairs, or there are none.

    Example:

    >>> drawn = predicted_beside_true({"7": [(0.0, 0.0), (0.1, 0.1)], "1": [(-0.1, -0.1)]}, "nats")
    >>> drawn.axes[0].get_title(), drawn.axes[0].get_xlabel()
    ('correlation 1.000', 'true change of the loss, nats')
    """
    groups = {name: np.asarray(points, "float64") for name, points in pairs.items()}
    if not groups or any(points.ndim != 2 or points.shape[1] != 2 or not len(points) for points in groups.values()):
        raise ValueError(f"expected points (true, predicted) by group; got {[each.shape for each in groups.values()]}.")
    every = np.concatenate(list(groups.values()))
    figure = empty_figure(4.6, 4.4)
    axis = figure.subplots()
    ends = np.array([every.min(), every.max()])
    axis.plot(ends, ends, color=_GREY, linestyle="--", linewidth=1)
    for number, (name, points) in enumerate(groups.items()):
        axis.plot(*points.T, ".", color=_COLORS[number % len(_COLORS)], label=name, markersize=5)
    axis.set_xlabel(f"true change of the loss, {unit}")
    axis.set_ylabel(f"predicted, {unit}")
    varied = len(every) > 1 and every.std(axis=0).min() > 0
    axis.set_title(f"correlation {np.corrcoef(every.T)[0, 1]:.3f}" if varied else "", fontsize=9, color=INK)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
    return figure


def explained(
    asked: Sequence[tuple[np.ndarray, str]], answers: Sequence[Sequence[tuple[np.ndarray, str, bool]]]
) -> "Figure":
    """Draws images, each with those of most influence on it beside it.

    Args:
        asked: (image, title) of each, images (height, width[, channels]), 0 to 255.
        answers: For each, as many (image, title, whether it is harmful) as for the others.

    Returns:
        A matplotlib figure, the titles of harmful ones in the colour of a mistake.

    Raises:
        ValueError: Where there is none, or there are not as many answers to each.

    Example:

    >>> image = np.zeros((8, 8))
    >>> drawn = explained([(image, "a seven")], [[(image, "7: +0.1", False), (image, "1: -0.2", True)]])
    >>> [axis.get_xlabel() for axis in drawn.axes]
    ['a seven', '7: +0.1', '1: -0.2']
    """
    if not asked or len(asked) != len(answers) or len(set(map(len, answers))) > 1:
        raise ValueError(f"expected as many answers to each of {len(asked)}; got {[len(each) for each in answers]}.")
    rows = [[(*own, False), *others] for own, others in zip(asked, answers, strict=True)]
    shown, titles, wrong = zip(*(tile for row in rows for tile in row), strict=True)
    return grid(np.stack(shown), titles, columns=len(rows[0]), wrong=wrong)


def standing_out(values: np.ndarray, marked: Mapping[int, str], label: str) -> "Figure":
    """Draws the values of all training examples in order, some of them marked.

    Args:
        values: (examples,), finite.
        marked: Names by example, which stand beside their points.
        label: What the values are, with their unit.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there is no value, one is not finite, or what is marked is no example.

    Example:

    >>> drawn = standing_out(np.array([0.1, -2.0, 0.2]), {1: "child"}, "influence, nats")
    >>> [text.get_text() for text in drawn.axes[0].texts]
    ['child']
    """
    values = np.asarray(values, "float64")
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(f"expected finite values (examples,), one or more; got shape {values.shape}.")
    if not set(marked) <= set(range(len(values))):
        raise ValueError(f"expected examples of 0 to {len(values) - 1}; got {sorted(marked)[:5]}.")
    figure = empty_figure(6.0, 3.0)
    axis = figure.subplots()
    order = np.argsort(values, kind="stable")
    axis.plot(np.arange(len(values)), values[order], ".", color=_GREY, markersize=2)
    for number, name in marked.items():
        place = int(np.flatnonzero(order == number)[0])
        axis.plot([place], [values[number]], "o", color=_COLORS[1], markersize=5)
        left = place > len(values) / 2
        axis.annotate(
            name,
            (place, values[number]),
            xytext=(-7 if left else 7, 0),
            textcoords="offset points",
            ha="right" if left else "left",
            va="center",
            fontsize=8,
            color=INK,
        )
    axis.axhline(0.0, color=_GREY, linewidth=0.6)
    axis.set_xlabel("training examples, in order")
    axis.set_ylabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    return figure
