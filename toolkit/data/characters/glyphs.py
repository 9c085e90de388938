"""Made-up characters: each class a line through five points, and each drawing of it a little bent and moved."""

import numpy as np

_NUM_POINTS = 5
_REACH = 0.7  # of a class's points from the middle of an image, whose edges are at -1 and 1
_HALF_WIDTH = 0.09  # of a line
# Standard deviations: of what each drawing adds to the identity, to all places, and to each point.
_BEND, _MOVE, _JITTER = 0.15, 0.08, 0.06


def glyphs(num_classes: int = 500, num_drawings: int = 20, image_size: int = 28) -> np.ndarray:
    """Draws characters with dark ink on white.

    A class is five points, uniform in a square, joined by straight lines. A drawing of it is the same line after an
    affine map near the identity, its points and its width a little changed. A class is the same whatever the number of
    classes is.

    Args:
        num_classes: Classes.
        num_drawings: Drawings of each.
        image_size: Pixels of height and width.

    Returns:
        uint8 (classes, drawings, image_size, image_size).

    Example:

    >>> drawn = glyphs(3, 2, 20)
    >>> drawn.shape, bool((drawn[0] == glyphs(1, 2, 20)[0]).all())
    ((3, 2, 20, 20), True)
    """
    return np.stack(
        [_drawings(np.random.default_rng(number), num_drawings, image_size) for number in range(num_classes)]
    )


def _drawings(random, number, side):
    points = random.uniform(-_REACH, _REACH, (_NUM_POINTS, 2))
    maps = np.eye(2) + _BEND * random.standard_normal((number, 2, 2))
    points = points @ maps + _MOVE * random.standard_normal((number, 1, 2))
    points += _JITTER * random.standard_normal(points.shape)
    half_width = _HALF_WIDTH * random.uniform(0.8, 1.2, (number, 1, 1))
    centres = (np.arange(side) + 0.5) / (side / 2) - 1
    pixels = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(1, 1, -1, 2)
    distance = _distances(pixels, points[:, :-1, None], points[:, 1:, None]).min(axis=1).reshape(number, side, side)
    # A pixel is inked by the share of it that a straight edge at this distance would leave.
    ink = np.clip((half_width - distance) * side / 2 + 0.5, 0, 1)
    return np.rint(255 * (1 - ink)).astype(np.uint8)


def _distances(places, starts, ends):
    """From places to the segments between starts and ends."""
    along = ends - starts
    share = ((places - starts) * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-12)
    return np.linalg.norm(places - starts - np.clip(share, 0, 1)[..., None] * along, axis=-1)
