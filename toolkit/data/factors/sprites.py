"""Sprites of five known factors, as dSprites has them, in any number of values each, drawn when they are asked for."""

import math
from collections.abc import Sequence

import numpy as np

from toolkit.data.factors.factor_images import FactorImages

SHAPE_NAMES = ("square", "ellipse", "heart")
FACTOR_NAMES = ("shape", "scale", "orientation", "x", "y")
DEFAULT_SIZES = (3, 4, 8, 12, 12)
MOST_VALUES = (3, 32, 180, 33, 33)
_WINDOW = 32  # pixels of height and width that hold any sprite; there is as much room again for it to move in
_SIDE = 2 * _WINDOW


def sprites(factor_sizes: Sequence[int] = DEFAULT_SIZES) -> FactorImages:
    """Makes white sprites on black of 64 x 64 pixels: shape, scale, orientation, x and y.

    A pixel is white where its centre lies in the shape, and black elsewhere, on every processor alike. Scales lie
    evenly in 0.5 to 1, orientations evenly in 0 to 2π, both ends among them: so, as in dSprites, the first and the last
    orientation of anything are the same image, and a square or an ellipse may look alike at others. Positions are whole
    pixels, evenly spaced round the middle, as far apart as 32 pixels of room allow.

    Args:
        factor_sizes: How many values of shape (square, ellipse, heart), scale, orientation, x and y: at most 3, 32,
            180, 33 and 33. What has 1 value stands still, upright, large and in the middle, and is no factor. dSprites
            has 3, 6, 40, 32 and 32.

    Returns:
        The images, one of each combination.

    Raises:
        ValueError: Where a size is out of range, or fewer than 2 factors vary.

    Example:

    >>> data = sprites()
    >>> len(data), int(data.images(np.array([[0, 3, 0, 5, 5]])).sum())
    (13824, 484)

    Reference: after Matthey et al. 2017, dSprites (github.com/google-deepmind/dsprites-dataset).
    """
    sizes = tuple(factor_sizes)
    limits = dict(zip(FACTOR_NAMES, MOST_VALUES, strict=True))
    if len(sizes) != len(limits) or not all(
        1 <= size <= most for size, most in zip(sizes, limits.values(), strict=True)
    ):
        raise ValueError(f"factor_sizes={sizes}: expected numbers of values of 1 to {limits}.")
    glyphs = _glyphs(*sizes[:3])
    starts = [_starts(size) for size in sizes[3:]]

    def pixels(places):
        *looks, x, y = np.unravel_index(places, sizes)
        windows = glyphs[np.ravel_multi_index(looks, sizes[:3])]
        images = np.zeros((len(windows), _SIDE, _SIDE, 1), np.uint8)
        rows, columns = starts[1][y][:, None] + np.arange(_WINDOW), starts[0][x][:, None] + np.arange(_WINDOW)
        images[np.arange(len(windows))[:, None, None], rows[:, :, None], columns[:, None], 0] = windows
        return images

    varied = {name: size for name, size in zip(FACTOR_NAMES, sizes, strict=True) if size > 1}
    places = np.arange(math.prod(sizes), dtype=np.int32)[:, None]
    return FactorImages(tuple(varied), tuple(varied.values()), pixels, places)


def _starts(num_values):
    """Where the window begins on its axis, for each value of a position."""
    step = _WINDOW // (num_values - 1) if num_values > 1 else 0
    return (_WINDOW - step * (num_values - 1)) // 2 + step * np.arange(num_values)


def _glyphs(num_shapes, num_scales, num_orientations):
    """All that a window may show: uint8 (shapes * scales * orientations, window, window)."""
    scales = np.linspace(0.5, 1.0, num_scales) if num_scales > 1 else np.ones(1)
    angles = np.linspace(0.0, 2 * np.pi, num_orientations)
    # Processors differ in a sine's last bits, and in nothing that follows: it is rounded to a fraction of 2**20.
    sines, cosines = (np.rint(function(angles) * 2.0**20) / 2.0**20 for function in (np.sin, np.cos))
    centres = (np.arange(_WINDOW) + 0.5) / (_WINDOW / 2) - 1
    y, x = (centres / scales[:, None, None, None] for centres in (centres[:, None], centres[None, :]))
    sines, cosines = sines[:, None, None], cosines[:, None, None]
    along, across = cosines * x + sines * y, cosines * y - sines * x
    inside = [shape(along, across) for shape in (_square, _ellipse, _heart)[:num_shapes]]
    return np.stack(inside).reshape(-1, _WINDOW, _WINDOW).astype(np.uint8) * np.uint8(255)


# Of places in halves of a window, y growing downward: all of a shape of scale 1 lies in a circle of radius 1.


def _square(x, y):
    return np.maximum(np.abs(x), np.abs(y)) <= 0.7


def _ellipse(x, y):
    return x * x / 0.97**2 + y * y / 0.52**2 <= 1


def _heart(x, y):
    """A square that stands on its corner, and on its upper edges a half of a disc each."""
    y, half = y - 0.2, 0.77
    lobes = (np.abs(x) - half / 2) ** 2 + (y + half / 2) ** 2 <= half * half / 2
    return (np.abs(x) + np.abs(y) <= half) | lobes
