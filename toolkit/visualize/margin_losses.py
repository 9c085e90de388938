"""Losses over the agreement of score and label, as one figure."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (INK, "#e08e2b", "#58a399", "#b04a5a", "#7a9fd4", "#8a6bb0")
_LINES = ("-", (0, (5, 2)))


def margin_losses(
    agreement: np.ndarray, values: Mapping[str, np.ndarray], derivatives: Mapping[str, np.ndarray]
) -> "Figure":
    """Draws losses as functions of the agreement, and below them their derivatives.

    Args:
        agreement: (points,) a = y f(x), ascending.
        values: For each loss by name its value at each point.
        derivatives: For each loss by name its derivative at each point.

    Returns:
        A matplotlib figure. What grows beyond all others is cut off, so that those remain legible.

    Raises:
        ValueError: Where the names of values and derivatives differ.

    Example:

    >>> a = np.linspace(-2, 2, 5)
    >>> figure = margin_losses(a, {"l2_margin": (1 - a) ** 2}, {"l2_margin": 2 * (a - 1)})
    >>> [axis.get_ylabel() for axis in figure.axes]
    ['loss', 'derivative']
    """
    if list(values) != list(derivatives):
        raise ValueError(f"Expected derivatives of {', '.join(values)}; got those of {', '.join(derivatives)}.")
    figure = empty_figure(8.0, 7.0)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axis, curves in ((upper, values), (lower, derivatives)):
        axis.axhline(0, color="#bbbbbb", linewidth=0.8)
        axis.axvline(0, color="#bbbbbb", linewidth=0.8)
        for number, (name, curve) in enumerate(curves.items()):
            # Where some run along one another all are to be seen: later ones are thinner, every second one is dashed.
            axis.plot(
                agreement,
                curve,
                label=name,
                color=_COLORS[number % len(_COLORS)],
                linestyle=_LINES[(number + number // len(_COLORS)) % len(_LINES)],
                linewidth=4.5 - 3.3 * number / max(1, len(curves) - 1),
            )
        axis.spines[["top", "right"]].set_visible(False)
    upper.set_ylim(-0.2, 5.0)
    lower.set_ylim(-5.0, 1.2)
    upper.set_xlim(np.min(agreement), np.max(agreement))
    upper.set_ylabel("loss")
    lower.set_ylabel("derivative")
    lower.set_xlabel("agreement a = y f(x): wrong on the left, right on the right")
    figure.legend(*upper.get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
    return figure
