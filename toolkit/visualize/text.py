"""Text as pictures: what each token costs, and what cells do while it is read."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def colored(pieces: Sequence[str], values: np.ndarray, unit: str, *, columns: int = 80, title: str = "") -> "Figure":
    """Draws text with a background colour for each piece's value.

    Args:
        pieces: Characters or words, as they are to be seen.
        values: (pieces,), at least 0.
        unit: What a value is.
        columns: Characters in a row.
        title: Above it.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there is not one value for each piece.

    Example:

    >>> [line.get_text() for line in colored("ab\u21b5c", np.arange(4.0), "bits").axes[0].texts]
    ['ab\u21b5', 'c']
    """
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LinearSegmentedColormap, Normalize
    from matplotlib.figure import Figure

    values = np.asarray(values, "float64")
    if len(pieces) != len(values):
        raise ValueError(f"Expected one value for each of {len(pieces)} pieces; got {len(values)}.")
    places, row, column = [], 0, 0
    wide = max(map(len, pieces), default=1) > 1
    for piece in pieces:
        if column and column + len(piece) > columns:
            row, column = row + 1, 0
        places.append((row, column))
        column += len(piece) + wide
        if piece == "\u21b5":
            row, column = row + 1, 0
    width, height = columns * _ADVANCE, (row + 1) * _LEADING
    whole = np.array([width + 1.1, height + 0.5])
    figure = Figure(whole, dpi=_DPI)

    def place(left, size):
        return (*np.array([left, 0.1]) / whole, *np.array([size, height]) / whole)

    axis = figure.add_axes(place(0.1, width))
    limit = max(np.quantile(values, 0.98), 1e-6) if len(values) else 1.0
    ground, letters = np.zeros((row + 1, columns)), np.full((row + 1, columns), " ")
    for piece, value, (down, along) in zip(pieces, values, places, strict=True):
        piece = piece[: columns - along]
        ground[down, along : along + len(piece)] = value
        letters[down, along : along + len(piece)] = list(piece)
    shades = LinearSegmentedColormap.from_list("cost", ["#ffffff", "#fbe3c0", "#e08e2b", "#b04a5a"])
    extent = (0, columns, row + 1, 0)
    axis.imshow(ground, cmap=shades, vmin=0.0, vmax=limit, extent=extent, aspect="auto", interpolation="nearest")
    # A line at a time: a thousand single letters take seconds. In this face all are equally wide.
    for down, line in enumerate(letters):
        axis.text(0, down + 0.55, "".join(line).rstrip(), va="center", fontsize=_POINTS, parse_math=False, **_LETTERS)
    axis.axis("off")
    axis.set_title(title, fontsize=9, loc="left", color=INK)
    bar = figure.add_axes(place(width + 0.25, 0.12))
    figure.colorbar(ScalarMappable(Normalize(0.0, limit), shades), cax=bar).set_label(unit, fontsize=8)
    bar.tick_params(labelsize=7)
    return figure


def bits(pieces: Sequence[str], nats: np.ndarray, unit: str, *, title: str = "") -> "Figure":
    """Draws text with a background colour for each token's bits.

    Args:
        pieces: Tokens, as they are to be seen.
        nats: (pieces,), -log p of each.
        unit: What a token is, such as "character".
        title: Above it.

    Returns:
        A matplotlib figure.

    Example:

    >>> bits("ab", np.log([2.0, 8.0]), "character").axes[0].images[0].get_array()[0, :2].round(6).tolist()
    [1.0, 3.0]
    """
    return colored(pieces, np.asarray(nats) / math.log(2), f"bits a {unit}", title=title)


def activations(pieces: Sequence[str], values: np.ndarray, names: Sequence[str], *, title: str = "") -> "Figure":
    """Draws cells' values while a text is read.

    Args:
        pieces: (time,) characters or words, as they are to be seen.
        values: (time, cells), between -1 and 1.
        names: Of the cells.
        title: Above it.

    Returns:
        A matplotlib figure, a row for each cell.

    Example:

    >>> [row.get_text() for row in activations("abc", np.zeros((3, 2)), ["cell 1", "cell 2"]).axes[0].get_yticklabels()]
    ['cell 1', 'cell 2']
    """
    values = np.asarray(values, "float64")
    figure = empty_figure(max(4.0, min(16.0, 0.13 * len(pieces))), 0.28 * values.shape[1] + 1.1, _DPI)
    axis = figure.subplots()
    shown = axis.imshow(values.T, aspect="auto", cmap="RdBu_r", vmin=-1.0, vmax=1.0, interpolation="nearest")
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.set_xticks(range(len(pieces)), pieces, fontsize=7, **_LETTERS)
    axis.tick_params(length=0)
    axis.set_ylim(values.shape[1] - 0.5, -0.5)
    axis.set_title(title, fontsize=9, loc="left", color=INK)
    figure.colorbar(shown, ax=axis, fraction=0.02, pad=0.01).ax.tick_params(labelsize=7)
    return figure


def cells(pieces: Sequence[str], values: np.ndarray, chosen: Sequence[int], what: str) -> "Figure":
    """Draws some of a network's cells while a text is read.

    Args:
        pieces: (time,) tokens, as they are to be seen.
        values: (time, cells) of all cells, tanh of their state.
        chosen: The numbers of those to be shown.
        what: Words that follow "the N cells", such as "that change most slowly".

    Returns:
        A matplotlib figure, a row for each.

    Example:

    >>> cells("abc", np.zeros((3, 9)), [7, 2], "that rest").axes[0].get_title("left")
    'the 2 cells that rest, tanh of their state'
    """
    names, title = [f"cell {number}" for number in chosen], f"the {len(chosen)} cells {what}, tanh of their state"
    return activations(pieces, np.asarray(values)[:, chosen], names, title=title)


_LETTERS = {"family": "DejaVu Sans Mono"}
_DPI = 120
# Inches: a letter of that face is 0.602 of its size wide, and as pixels are whole, here eight of them.
_ADVANCE, _LEADING = 8 / _DPI, 0.2
_POINTS = _ADVANCE * 72 / 0.602
