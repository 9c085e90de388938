"""Discrete codes: as maps, as what each stands for, and the codebook in two dimensions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize import images as tiles

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


def beside(rows: Sequence[tuple[str, np.ndarray]], *, most: int = 8) -> "Figure":
    """Draws rows of images one below the other, such as originals, their codes and reconstructions.

    Args:
        rows: A title and images (images, height, width[, channels]), 0 to 255, as many in each row; smaller ones are
            magnified to the largest size.
        most: Images of a row, at most.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where the rows are of unlike lengths.

    Example:

    >>> figure = beside([("real", np.zeros((3, 8, 8, 3))), ("codes", np.zeros((3, 2, 2, 3)))])
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['real', '', '', 'codes', '', '']
    """
    lengths = {len(images) for _, images in rows}
    if len(lengths) != 1:
        raise ValueError(f"rows: expected as many images in each; got {sorted(lengths)}.")
    side = max(images.shape[1] for _, images in rows)
    found, titles = [], []
    for title, images in rows:
        images = tiles._shown(np.asarray(images)[:most])
        images = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
        factor = max(1, side // images.shape[1])
        found.append(images.repeat(factor, axis=1).repeat(factor, axis=2))
        titles += [title, *[""] * (len(images) - 1)]
    return tiles.grid(np.concatenate(found), titles, columns=min(most, lengths.pop()))


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
    from matplotlib.figure import Figure

    embeddings, counts = np.asarray(embeddings, "float64"), np.asarray(counts)
    centred = embeddings - embeddings.mean(axis=0)
    _, scales, axes = np.linalg.svd(centred, full_matrices=False)
    places = np.pad(centred @ axes[:2].T, [(0, 0), (0, max(0, 2 - len(axes)))])
    shares = 100 * scales[:2] ** 2 / max(np.sum(scales**2), 1e-30)
    figure = Figure((6, 5), dpi=110, layout="constrained")
    axis, used = figure.add_subplot(), counts > 0
    sizes = 10 + 300 * counts / max(counts.max(), 1)
    axis.scatter(*places[used].T, s=sizes[used], c=colors(len(counts))[used] / 255, alpha=0.8, linewidths=0)
    axis.scatter(*places[~used].T, s=12, facecolors="none", edgecolors="#999999")
    axis.set_title(f"{used.sum()} of {len(counts)} codes used")
    for name, number in (("x", 0), ("y", 1)):
        share = shares[number] if number < len(shares) else 0.0
        getattr(axis, f"set_{name}label")(f"principal axis {number + 1} ({share:.0f} % of the variance)")
    return figure
