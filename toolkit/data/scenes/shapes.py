"""What objects look like: each a function of places that is negative inside, and tells how far the outline is."""

from collections.abc import Callable

import numpy as np

# Of places (x, y), y growing downward, in halves of the object's size: all of it lies within -1 to 1.
Outline = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _circle(x, y, radius=1.0):
    return np.hypot(x, y) - radius


def _box(x, y, width, height):
    """A rectangle round the middle, of half the width and half the height."""
    return np.maximum(np.abs(x) - width, np.abs(y) - height)


def _square(x, y):
    return _box(x, y, 0.75, 0.75)


def _bar(x, y):
    return _box(x, y, 1.0, 0.28)


def _triangle(x, y):
    """Of equal sides, its tip up."""
    return np.maximum(y - 0.55, np.abs(x) * 0.866 - (y + 0.95) * 0.5)


def _ring(x, y):
    return np.abs(np.hypot(x, y) - 0.74) - 0.26


def _star(x, y):
    """Five tips: within a tenth of a turn, a straight line from a tip to an inner corner."""
    tenth = np.pi / 5
    angle = np.abs((np.arctan2(x, -y) + tenth) % (2 * tenth) - tenth)
    distance = np.hypot(x, y)
    # The line's normal: from (1, 0) to the inner corner at 0.42 of the radius, a tenth of a turn on.
    along = np.array([0.42 * np.cos(tenth) - 1.0, 0.42 * np.sin(tenth)])
    normal = np.array([along[1], -along[0]]) / np.hypot(*along)
    return (distance * np.cos(angle) - 1.0) * normal[0] + distance * np.sin(angle) * normal[1]


def _union(*parts):
    found = parts[0]
    for part in parts[1:]:
        found = np.minimum(found, part)
    return found


def _house(x, y):
    """Walls, a roof that overhangs, a chimney; without its door, which is a hole."""
    walls = _box(x, y - 0.4, 0.62, 0.5)
    roof = np.maximum(y + 0.1, np.abs(x) * 0.62 - (y + 0.9) * 0.62)
    chimney = _box(x - 0.42, y + 0.52, 0.11, 0.3)
    door = _box(x + 0.12, y - 0.65, 0.14, 0.26)
    return np.maximum(_union(walls, roof, chimney), -door)


def _tree(x, y):
    """Three crowns and a trunk."""
    crowns = _union(_circle(x, y + 0.42, 0.52), _circle(x - 0.4, y + 0.02, 0.45), _circle(x + 0.4, y + 0.02, 0.45))
    return _union(crowns, _box(x, y - 0.6, 0.13, 0.38))


def _car(x, y):
    """A body, a cabin, two wheels."""
    cabin = np.maximum(np.abs(y + 0.25) - 0.25, np.abs(x + 0.05) - (0.62 + 0.3 * y))
    wheels = _union(_circle(x + 0.52, y - 0.33, 0.23), _circle(x - 0.52, y - 0.33, 0.23))
    return _union(_box(x, y - 0.13, 0.98, 0.22), cabin, wheels)


def _person(x, y):
    """A head, a body, arms that are stretched out, two legs."""
    legs = np.maximum(np.abs(np.abs(x) - 0.12 - 0.14 * (y - 0.2)) - 0.1, np.abs(y - 0.58) - 0.4)
    return _union(_circle(x, y + 0.74, 0.22), _box(x, y + 0.1, 0.25, 0.42), _box(x, y + 0.36, 0.62, 0.1), legs)


SHAPES: dict[str, Outline] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "ring": _ring,
    "bar": _bar,
    "house": _house,
    "tree": _tree,
    "car": _car,
    "person": _person,
}
# These stand: they are turned by a little only.
UPRIGHT = ("house", "tree", "car", "person")
