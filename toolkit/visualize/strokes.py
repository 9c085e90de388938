"""Pen strokes, what was read while they were written, and the density of the next point, as figures."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.visualize._figures import empty_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK = "#1a2b4a"


def lines(
    offsets: Sequence[np.ndarray],
    titles: Sequence[str] | None = None,
    *,
    width: float = 8.0,
    smooth: bool = False,
) -> "Figure":
    """Draws handwriting, one line below the other.

    Args:
        offsets: For each line (points, 3): x and y offset, in the data's unit with y growing downward, and 1 where a
            stroke ends.
        titles: A caption for each line.
        width: The figure's width, in inches.
        smooth: Whether to draw as a hand would between the points, not straight from one to the next.

    Returns:
        A matplotlib figure.

    Example:

    >>> lines([np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 1.0]])]).axes[0].get_aspect()
    1.0
    """
    paths = [positions(line) for line in offsets]
    extents = [np.ptp(path, axis=0) if len(path) else np.zeros(2) for path, _ in paths]
    widest = max(1e-6, *(extent[0] for extent in extents)) if extents else 1.0
    # A drawing as tall as wide gets a row of two inches, not a page.
    heights = [min(max(width * extent[1] / widest, 0.25), 2.0) for extent in extents]
    caption = 0.3 if titles else 0.12
    figure = empty_figure(width, sum(heights) + caption * len(heights) + 0.1)
    axes = figure.subplots(len(paths), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for number, (axis, (path, ends)) in enumerate(zip(axes, paths, strict=True)):
        for stroke in np.split(path, np.flatnonzero(ends)[:-1] + 1) if len(path) else ():
            stroke = curve(stroke) if smooth else stroke
            axis.plot(*stroke.T, color=INK, linewidth=1.4, solid_capstyle="round", solid_joinstyle="round")
            if len(stroke) == 1:
                axis.plot(*stroke.T, ".", color=INK, markersize=2.5)
        axis.set_aspect("equal")
        left = path[:, 0].min() if len(path) else 0.0
        axis.set_xlim(left - 0.01 * widest, left + 1.02 * widest)
        axis.invert_yaxis()
        axis.axis("off")
        if titles:
            axis.set_title(titles[number], fontsize=8, loc="left", color="#666666", pad=3)
    return figure


def curve(stroke: np.ndarray, pieces: int = 6) -> np.ndarray:
    """Smooths a stroke to a quadratic B-spline that keeps its ends and sharp corners.

    Between two middles of neighbouring points goes a parabola whose control point is the point between; a corner of
    more than about 70 degrees stays one.

    Args:
        stroke: The pen's positions (points, 2).
        pieces: Straight pieces that a parabola is drawn with.

    Returns:
        Positions (more points, 2).

    Example:

    >>> curve(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.5]]), pieces=2).tolist()
    [[0.0, 0.0], [0.5, 0.0], [1.0, 0.0625], [1.5, 0.25], [2.0, 0.5]]
    """
    if len(stroke) < 3:
        return stroke
    middles, steps = (stroke[1:] + stroke[:-1]) / 2, np.diff(stroke, axis=0)
    lengths = np.maximum(np.hypot(*steps.T), 1e-9)
    cosines = np.sum(steps[1:] * steps[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    t = np.linspace(0.0, 1.0, pieces + 1)[:, None]
    drawn = [stroke[:1], middles[:1]]
    for before, point, after, cosine in zip(middles[:-1], stroke[1:-1], middles[1:], cosines, strict=True):
        if cosine < 0.3:
            drawn.append(np.stack([point, after]))
        else:
            drawn.append(((1 - t) ** 2 * before + 2 * t * (1 - t) * point + t**2 * after)[1:])
    return np.concatenate([*drawn, stroke[-1:]])


def window(weights: np.ndarray, text: str, offsets: np.ndarray | None = None) -> "Figure":
    """Draws which character the window reads at each point.

    Args:
        weights: phi, (points, characters).
        text: The text, at most that many characters.
        offsets: The points (points, 3), drawn above.

    Returns:
        A matplotlib figure.

    Example:

    >>> len(window(np.eye(3), "abc").axes)
    1
    """
    figure = empty_figure(8.0, 1.2 + 0.16 * len(text) + (1.6 if offsets is not None else 0.0))
    rows = 1 if offsets is None else 2
    axes = figure.subplots(rows, 1, squeeze=False, sharex=True, height_ratios=[1] if rows == 1 else [1, 2])[:, 0]
    if offsets is not None:
        # Against time, not x, so that each point stands above its own column.
        _, ends = positions(offsets)
        height = np.cumsum(offsets[:, 1])
        start = 0
        for end in [*np.flatnonzero(ends), len(height) - 1]:
            axes[0].plot(np.arange(start, end + 1), height[start : end + 1], color=INK, linewidth=1.0)
            start = end + 1
        axes[0].invert_yaxis()
        axes[0].set_ylabel("height of the pen")
    axis = axes[-1]
    axis.imshow(weights[:, : len(text)].T, aspect="auto", cmap="magma", interpolation="nearest", origin="lower")
    axis.set_yticks(range(len(text)), [character if character != " " else "␣" for character in text], fontsize=7)
    axis.set_xlabel("point")
    axis.set_ylabel("character")
    return figure


def density(
    log_weights: np.ndarray, means: np.ndarray, scale_tril: np.ndarray, offsets: np.ndarray, *, resolution: int = 360
) -> "Figure":
    """Draws where the pen was expected to go: at each place, the highest density that any step gave it.

    Args:
        log_weights: Log weights of each step's mixture, (points, mixtures).
        means: Means of the offsets, (points, mixtures, 2), in the data's unit.
        scale_tril: Lower Cholesky factors of their covariances, (points, mixtures, 2, 2).
        offsets: The line itself, (points, 3).
        resolution: Columns of the picture's grid.

    Returns:
        A matplotlib figure.

    Example:

    >>> points = np.zeros((4, 3)) + [1.0, 0.5, 0.0]
    >>> unit = np.broadcast_to(np.eye(2), (4, 1, 2, 2))
    >>> density(np.zeros((4, 1)), np.zeros((4, 1, 2)), unit, points, resolution=20).axes[0].get_aspect()
    1.0

    Reference: Graves 2013, arXiv 1308.0850, figure 10.
    """
    path, _ = positions(offsets)
    before = np.concatenate([np.zeros((1, 2)), path[:-1]])
    margin = 0.05 * max(np.ptp(path, axis=0).max(), 1e-6)
    (left, top), (right, bottom) = path.min(axis=0) - margin, path.max(axis=0) + margin
    columns = np.linspace(left, right, resolution)
    rows = np.linspace(top, bottom, max(8, int(resolution * (bottom - top) / (right - left))))
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    highest = np.full(grid.shape[:2], -np.inf)
    for step, start in enumerate(before):
        from_mean = grid[:, :, None] - start - means[step]
        first = from_mean[..., 0] / scale_tril[step, :, 0, 0]
        second = (from_mean[..., 1] - scale_tril[step, :, 1, 0] * first) / scale_tril[step, :, 1, 1]
        constant = log_weights[step] - np.log(2 * np.pi * scale_tril[step, :, 0, 0] * scale_tril[step, :, 1, 1])
        highest = np.maximum(highest, np.logaddexp.reduce(constant - 0.5 * (first**2 + second**2), axis=-1))
    ratio = len(rows) / resolution
    width = min(8.0, max(5.0 / ratio, 3.0))
    figure = empty_figure(width, max(width * ratio, 1.0) + 0.3)
    axis = figure.subplots()
    peak = float(highest.max())
    shown = axis.imshow(
        highest, extent=(left, right, bottom, top), cmap="inferno", vmin=peak - 10, vmax=peak, aspect="equal"
    )
    axis.plot(*path.T, ".", color="white", markersize=1.0, alpha=0.5)
    axis.axis("off")
    figure.colorbar(shown, ax=axis, label="log density, nats", fraction=0.02, pad=0.01)
    return figure


def mixture_weights(weights: np.ndarray) -> "Figure":
    """Draws the weight of each component of the mixture, point by point.

    Args:
        weights: (points, mixtures), each row summing to 1.

    Returns:
        A matplotlib figure.

    Example:

    >>> mixture_weights(np.full((5, 2), 0.5)).axes[0].get_xlabel()
    'point'
    """
    figure = empty_figure(8.0, 2.6)
    axis = figure.subplots()
    shown = axis.imshow(weights.T, aspect="auto", cmap="viridis", interpolation="nearest", vmin=0.0, vmax=1.0)
    axis.set_xlabel("point")
    axis.set_ylabel("component")
    figure.colorbar(shown, ax=axis, label="weight", fraction=0.03, pad=0.01)
    return figure


def positions(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Offsets summed up.

    Args:
        offsets: (points, 3).

    Returns:
        Positions (points, 2), and (points,) True where a stroke ends.
    """
    offsets = np.asarray(offsets, "float64")
    return np.cumsum(offsets[:, :2], axis=0), offsets[:, 2] > 0.5


def training(written: Sequence[Any], text: str, weights: np.ndarray, log_weights: np.ndarray, real: Any) -> dict:
    """Shows how the training of a network that writes texts stands.

    Args:
        written: Two lines that it wrote, at bias 0.5 and 2, with `offsets` and the window's `weights`.
        text: What they say.
        weights: (lines, points, characters), the window's over real lines, of which the first is shown.
        log_weights: (lines, points, mixtures), logarithms of the mixture's weights over the same.
        real: The first of them, with `offsets` and `text`.

    Returns:
        Matplotlib figures by name.
    """
    points, characters = len(real.offsets), len(real.text)
    return {
        "training/lines": lines([line.offsets for line in written], ["bias 0.5", "bias 2"]),
        "training/window": window(written[0].weights, text, written[0].offsets),
        "training/window_on_a_real_line": window(weights[0, :points, :characters], real.text, real.offsets),
        "training/mixture_weights": mixture_weights(np.exp(log_weights[0, :points])),
    }
