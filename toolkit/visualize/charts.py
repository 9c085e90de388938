"""Counts of any data set as figures: how values are distributed, and how often each thing is there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (INK, "#e08e2b", "#58a399", "#b04a5a")
_LINES = ("-", "--", ":")  # where there are more curves than colours
_LIMIT = "#c22f2f"


def histogram(values: Mapping[str, np.ndarray], label: str, *, limit: float | None = None) -> "Figure":
    """Draws histograms, those of a data set's parts above one another.

    Args:
        values: Numbers by part, such as the lengths of training and test lines.
        label: What the numbers are, with their unit.
        limit: Drawn as a line: what lies beyond is left out.

    Returns:
        A matplotlib figure.

    Example:

    >>> histogram({"train": np.arange(9)}, "points in a line", limit=6).axes[0].get_xlabel()
    'points in a line'
    """
    figure = empty_figure(8.0, 3.0)
    axis = figure.subplots()
    parts = [np.asarray(part) for part in values.values()]
    every = np.concatenate(parts) if parts else np.zeros(0)
    if len(every):
        # One bin for each whole number where there are few: otherwise some bins hold two of them, and stand out.
        width = max(1, int(np.ceil(np.ptp(every) / 50)))
        edges = np.arange(np.floor(every.min()), every.max() + 2 * width, width) - 0.5
        axis.hist(parts, edges, stacked=True, label=list(values), color=_COLORS[: len(parts)])
    if limit is not None:
        beyond = int((every > limit).sum())
        axis.axvline(limit, color=_LIMIT, linestyle="--", label=f"limit {limit:g}: {beyond} beyond")
    axis.set_xlabel(label)
    axis.set_ylabel("count")
    axis.spines[["top", "right"]].set_visible(False)
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=8)
    return figure


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    across: str,
    up: str,
    *,
    log_across: bool = False,
    log_up: bool = False,
) -> "Figure":
    """Curves over one axis.

    Args:
        lines: For each curve its points (x, y), or (x, y, low, high) with the ends of an interval, which is shaded.
        across: What x is.
        up: What y is.
        log_across: Whether x has a logarithmic axis; points that are not over 0 are not drawn on one.
        log_up: Likewise y.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where points are not of two numbers, or four.

    Example:

    >>> curves({"train": [(0, 2.0), (10, 1.0)]}, "step", "loss").axes[0].get_xlabel()
    'step'
    """
    figure = empty_figure(6.0, 3.0)
    axis = figure.subplots()
    for number, (name, points) in enumerate(lines.items()):
        points = np.asarray(points, "float64")
        if points.ndim != 2 or points.shape[1] not in (2, 4):
            raise ValueError(
                f"curves: {name!r} has shape {points.shape}; expected points (x, y), such as list(enumerate(values))."
            )
        style = {"color": _COLORS[number % len(_COLORS)], "linestyle": _LINES[number // len(_COLORS) % len(_LINES)]}
        axis.plot(*points[:, :2].T, label=name, marker=".", **style)
        if points.shape[1] == 4:
            axis.fill_between(points[:, 0], *points[:, 2:].T, color=style["color"], alpha=0.15, linewidth=0)
    if log_across:
        axis.set_xscale("log", nonpositive="mask")
        places = sorted({float(x) for points in lines.values() for x, *_ in points if x > 0})
        if len(places) <= _PLACES:  # such as powers of two, which a decade's marks would not name
            axis.set_xticks(places, [f"{place:g}" for place in places], minor=False)
            axis.set_xticks([], minor=True)
    if log_up:
        axis.set_yscale("log", nonpositive="mask")
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(frameon=False, fontsize=8)
    return figure


_PLACES = 12  # on a logarithmic axis, up to which each is named


def bars(counts: Mapping[str, int], label: str) -> "Figure":
    """Draws counts as bars, the most frequent first.

    Args:
        counts: Counts by name.
        label: What is counted.

    Returns:
        A matplotlib figure, with a logarithmic count axis, on which rare things can be seen too.

    Example:

    >>> [tick.get_text() for tick in bars({"a": 3, " ": 20}, "characters").axes[0].get_xticklabels()]
    ['␣', 'a']
    """
    figure = empty_figure(max(4.0, min(0.15 * len(counts) + 0.8, 24.0)), 3.0)
    axis = figure.subplots()
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    axis.bar(range(len(ranked)), [count for _, count in ranked], color=INK)
    names = [name if name != " " else "␣" for name, _ in ranked]
    upright = max(map(len, names), default=0) > 2  # words would run into each other
    axis.set_xticks(range(len(ranked)), names, fontsize=8, rotation=90 if upright else 0)
    axis.tick_params("x", length=0)
    axis.margins(x=0.01)
    if ranked:
        axis.set_yscale("log")
        axis.set_ylim(bottom=0.5)
    axis.set_xlabel(label)
    axis.set_ylabel("count")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def confusions(counts: Mapping[tuple[str, str], int], most: int = 30) -> "Figure":
    """Draws confusions, the most frequent first.

    Args:
        counts: Counts by (right, read), the most frequent first, as `metrics.character_error_rate.confusions` has them.
        most: How many to show.

    Returns:
        A matplotlib figure; "∅" stands for nothing, "␣" for a space.

    Example:

    >>> figure = confusions({("a", "o"): 9, ("", " "): 2})
    >>> [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    ['a→o', '∅→␣']
    """
    shown = list(counts.items())[:most]
    named = {f"{right or '∅'}→{read or '∅'}".replace(" ", "␣"): count for (right, read), count in shown}
    return bars(named, "right → read (∅: nothing)")


def matrix(values: np.ndarray, columns: Sequence[str], rows: str | Sequence[str], what: str) -> "Figure":
    """Draws numbers by row and column, each as dark as it is large, with the number in it.

    Args:
        values: (rows, columns). Where one is negative, those below 0 have another colour; NaN is left white. Integers
            are written without decimals.
        columns: A name for each column.
        rows: What the rows are, which are numbered from 0; or a name for each row.
        what: What the values are, with their unit.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there are other numbers of columns or rows than names, or no row.

    Example:

    >>> drawn = matrix(np.array([[0.5, 0.0]]), ["shape", "x"], rows="number of the code", what="nats")
    >>> [text.get_text() for text in drawn.axes[0].texts]
    ['0.50', '0.00']
    """
    from matplotlib.colors import LinearSegmentedColormap

    digits = 0 if np.issubdtype(np.asarray(values).dtype, np.integer) else 2
    values = np.asarray(values, "float64")
    named = [] if isinstance(rows, str) else list(rows)
    if values.ndim != 2 or values.shape[1] != len(columns) or len(values) != len(named or values) or not values.size:
        raise ValueError(
            f"matrix: expected ({len(named) or 'rows'}, {len(columns)}) numbers; got shape {values.shape}."
        )
    most = max(float(np.nanmax(np.abs(values), initial=0.0)), 1e-12)
    signed = bool((values < 0).any())
    shades = LinearSegmentedColormap.from_list("value", [*([_COLORS[1]] if signed else []), "#ffffff", INK])
    longest = max(map(len, columns))
    figure = empty_figure(
        2.2 + 0.7 * values.shape[1] + 0.05 * max(map(len, named), default=0),
        1.2 + 0.32 * min(values.shape[0], 60) + (0.05 * longest if longest > _LONG else 0.0),
    )
    axis = figure.subplots()
    drawn = axis.imshow(
        values, cmap=shades, vmin=-most if signed else 0.0, vmax=most, interpolation="nearest", aspect="auto"
    )
    for row, column in np.argwhere(~np.isnan(values)) if len(values) <= 60 else ():
        value = values[row, column]
        axis.text(
            *(column, row, f"{value:.{digits}f}"),
            color="white" if value > most / 2 else "black",
            ha="center",
            va="center",
            fontsize=7,
        )
    slanted = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if longest > _LONG else {}
    axis.set_xticks(range(len(columns)), columns, fontsize=8, **slanted)
    axis.tick_params(length=0)
    if named:
        axis.set_yticks(range(len(named)), named, fontsize=8)
    else:
        axis.set_ylabel(rows)
    axis.spines[:].set_visible(False)
    figure.colorbar(drawn, ax=axis, fraction=0.05, pad=0.02).set_label(what, fontsize=8)
    return figure


_LONG = 12  # characters of a column's name, which is slanted where it is longer


def violins(values: Mapping[str, np.ndarray], label: str) -> "Figure":
    """Draws how a number is distributed in each of several groups, and the numbers themselves as points.

    Args:
        values: By group its numbers, one or more, finite.
        label: What they are, with their unit.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there is no group, one is empty, or a number is not finite.

    Example:

    >>> [tick.get_text() for tick in violins({"beta": [0.1, 0.3], "factor": [0.2]}, "gap").axes[0].get_xticklabels()]
    ['beta', 'factor']
    """
    groups = [np.asarray(group, "float64").ravel() for group in values.values()]
    if not groups or not all(len(group) and np.isfinite(group).all() for group in groups):
        raise ValueError(f"violins: expected finite numbers in each group; got {dict(values)}.")
    figure = empty_figure(1.5 + 0.9 * len(groups), 3.0)
    axis = figure.subplots()
    for number, group in enumerate(groups):
        color = _COLORS[number % len(_COLORS)]
        if np.ptp(group) > 0:
            for body in axis.violinplot([group], [number], widths=0.8, showextrema=False)["bodies"]:
                body.set(facecolor=color, edgecolor="none", alpha=0.4)
        axis.plot(np.full(len(group), number), group, ".", color=color, markersize=4)
        axis.plot([number - 0.2, number + 0.2], [np.median(group)] * 2, color=color)
    axis.set_xticks(range(len(groups)), list(values), fontsize=8)
    axis.set_xlim(-0.6, len(groups) - 0.4)
    axis.set_ylabel(label)
    axis.spines[["top", "right"]].set_visible(False)
    return figure
