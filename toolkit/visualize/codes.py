"""Discrete codes: as maps of colours, and the codebook in two dimensions."""

from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def colors(num_codes: int) -> np.ndarray:
    """Gives each code a colour of its own, neighbours unlike.

    Args:
        num_codes: Codes that there are.

    Returns:
        uint8 (num_codes, 3).

    Example:

    >>> colors(512).shape, len(np.unique(colors(512), axis=0))
    ((512, 3), 512)
    """
    import matplotlib

    # Hues a golden section apart, in rings of unlike light: near numbers are far in colour.
    places = np.arange(num_codes)
    rings = np.stack(
        [places * 0.61803398875 % 1, 0.45 + 0.5 * (places * 0.381966 % 1), 0.5 + 0.5 * (places * 0.7548777 % 1)]
    )
    return np.rint(255 * matplotlib.colors.hsv_to_rgb(rings.T)).astype("uint8")


def maps(codes: np.ndarray, num_codes: int) -> np.ndarray:
    """Paints maps of codes.

    Args:
        codes: Integers (maps, height, width).
        num_codes: Codes that there are.

    Returns:
        uint8 (maps, height, width, 3).
    """
    return colors(num_codes)[np.asarray(codes)]


def codebook(embeddings: np.ndarray, counts: np.ndarray) -> "Figure":
    """Draws a codebook's vectors in the plane in which they vary most; how often each is used is its size.

    Args:
        embeddings: (codes, channels).
        counts: (codes,), how often each was used; unused ones are hollow.

    Returns:
        A matplotlib figure.

    Example:

    >>> figure = codebook(np.eye(5), np.array([3, 0, 1, 1, 1]))
    >>> figure.axes[0].get_title()
    '4 of 5 codes used'
    """
    embeddings, counts = np.asarray(embeddings, "float64"), np.asarray(counts)
    centred = embeddings - embeddings.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    places = np.pad(centred @ axes[:2].T, [(0, 0), (0, max(0, 2 - len(axes)))])
    shares = 100 * scales[:2] ** 2 / max(np.sum(scales**2), 1e-30)
    figure = empty_figure(6, 5)
    axis, used = figure.add_subplot(), counts > 0
    sizes = 10 + 300 * counts / max(counts.max(), 1)
    axis.scatter(*places[used].T, s=sizes[used], c=colors(len(counts))[used] / 255, alpha=0.8, linewidths=0)
    axis.scatter(*places[~used].T, s=12, facecolors="none", edgecolors="#999999")
    axis.set_title(f"{used.sum()} of {len(counts)} codes used")
    for name, number in (("x", 0), ("y", 1)):
        share = shares[number] if number < len(shares) else 0.0
        getattr(axis, f"set_{name}label")(f"principal axis {number + 1} ({share:.0f} % of the variance)")
    return figure
