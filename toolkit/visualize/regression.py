"""What a regression says: its mean with a band, how often its intervals hold, the truth against the prediction."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (INK, "#e08e2b", "#58a399", "#b04a5a")
_FAINT = "#9aa4b1"
_MOST = 3000  # points that are drawn


def band(
    x: np.ndarray,
    mean: np.ndarray,
    scale: np.ndarray,
    *,
    observed: tuple[np.ndarray, np.ndarray],
    inducing: np.ndarray,
    truth: np.ndarray | None = None,
    across: str = "x",
    up: str = "y",
) -> "Figure":
    """Draws a regression of one column: its mean, the band of two scales round it, the data and the inducing inputs.

    Args:
        x: (points,) ascending.
        mean: (points,) the predicted mean.
        scale: (points,) the predicted standard deviation of an observation.
        observed: (rows,) inputs and targets that it was learned from.
        inducing: (inducing,) inputs, drawn as ticks below.
        truth: (points,) what the mean should be, where that is known.
        across: What x is, with its unit.
        up: What the target is.

    Returns:
        A matplotlib figure.

    Example:

    >>> x = np.linspace(-1, 1, 5)
    >>> drawn = band(x, x, 0 * x + 0.1, observed=(x, x), inducing=x[:2], across="age [days]")
    >>> drawn.axes[0].get_xlabel()
    'age [days]'
    """
    figure = empty_figure(7.0, 3.6)
    axis = figure.subplots()
    chosen = _some(len(observed[0]))
    axis.plot(observed[0][chosen], observed[1][chosen], ".", color=_FAINT, markersize=2.5, label="training rows")
    axis.fill_between(
        x, mean - 2 * scale, mean + 2 * scale, color=INK, alpha=0.18, linewidth=0, label="mean ± 2 scales"
    )
    axis.plot(x, mean, color=INK, label="mean")
    if truth is not None:
        axis.plot(x, truth, "--", color=_COLORS[1], linewidth=1, label="the truth")
    bottom = axis.get_ylim()[0]
    axis.plot(
        inducing,
        np.full(len(inducing), bottom),
        "|",
        color=_COLORS[3],
        markersize=12,
        clip_on=False,
        label=f"{len(inducing)} inducing inputs",
    )
    axis.set_ylim(bottom=bottom)
    _finish(axis, across, up)
    return figure


def calibration(levels: Sequence[float], shares: Mapping[str, np.ndarray]) -> "Figure":
    """Draws how many test rows lie in an interval, over how many should.

    Args:
        levels: (levels,) the shares that intervals should hold.
        shares: By model, (levels,) the shares that they hold.

    Returns:
        A matplotlib figure.

    Example:

    >>> drawn = calibration([0.5, 0.9], {"sparse GP": np.array([0.4, 0.8])})
    >>> [line.get_label() for line in drawn.axes[0].lines]
    ['as it should be', 'sparse GP']
    """
    figure = empty_figure(4.2, 4.0)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color=_FAINT, linewidth=1, label="as it should be")
    for number, (name, found) in enumerate(shares.items()):
        axis.plot(levels, found, ".-", color=_COLORS[number % len(_COLORS)], label=name)
    axis.set_aspect("equal")
    _finish(axis, "share that an interval should hold", "share of test rows that it holds")
    return figure


def against_truth(truth: np.ndarray, mean: np.ndarray, scale: np.ndarray, label: str) -> "Figure":
    """Draws what was predicted, with two scales, over what came.

    Args:
        truth: (rows,) what came.
        mean: (rows,) the predicted mean.
        scale: (rows,) the predicted standard deviation.
        label: What they are, with their unit.

    Returns:
        A matplotlib figure.

    Example:

    >>> against_truth(np.arange(3.0), np.arange(3.0), np.ones(3), "strength [MPa]").axes[0].get_xlabel()
    'strength [MPa], true'
    """
    figure = empty_figure(4.2, 4.0)
    axis = figure.subplots()
    ends = [float(min(truth.min(), mean.min())), float(max(truth.max(), mean.max()))]
    axis.plot(ends, ends, color=_FAINT, linewidth=1)
    chosen = _some(len(truth), 500)
    axis.errorbar(
        truth[chosen],
        mean[chosen],
        2 * scale[chosen],
        fmt=".",
        color=INK,
        ecolor=_FAINT,
        elinewidth=0.6,
        markersize=4,
        label="mean ± 2 scales",
    )
    _finish(axis, f"{label}, true", f"{label}, predicted")
    return figure


def columns(inputs: np.ndarray, targets: np.ndarray, names: Sequence[str], target: str, most: int = 12) -> "Figure":
    """Draws the target over each column.

    Args:
        inputs: (rows, columns).
        targets: (rows,).
        names: Of the columns.
        target: Its name.
        most: Columns that are drawn, the first ones.

    Returns:
        A matplotlib figure.

    Example:

    >>> drawn = columns(np.zeros((4, 2)), np.arange(4.0), ["age", "water"], "strength")
    >>> [axis.get_xlabel() for axis in drawn.axes]
    ['age', 'water']
    """
    count = min(most, len(names))
    across = min(4, count)
    down = -(-count // across)
    figure = empty_figure(2.1 * across + 0.6, 1.9 * down + 0.2)
    chosen = _some(len(targets), 1000)
    for number in range(count):
        axis = figure.add_subplot(down, across, number + 1)
        axis.plot(inputs[chosen, number], targets[chosen], ".", color=INK, markersize=2, alpha=0.6)
        axis.set_xlabel(_plain(names[number][:30]), fontsize=8)
        if not number % across:
            axis.set_ylabel(_plain(target[:30]), fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def _some(count, most=_MOST):
    """Evenly spaced rows where there are many."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))


def _finish(axis, across, up):
    axis.set_xlabel(_plain(across))
    axis.set_ylabel(_plain(up))
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)


def _plain(text):
    """A table's own names may hold what matplotlib takes for mathematics."""
    return text.replace("$", r"\$")
