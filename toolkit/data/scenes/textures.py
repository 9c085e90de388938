"""What covers objects and grounds: functions of places that say where it is light and where dark."""

from collections.abc import Callable

import numpy as np

# Of places (x, y), in halves of the object's size, and of uniform numbers (3,) that decide it: 0 dark to 1 light.
Texture = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def _plain(x, y, random):
    return np.full(x.shape, 1.0)


def _striped(x, y, random):
    turn, phase, fine = np.pi * random[0], 6.3 * random[1], 7.0 + 5.0 * random[2]
    return 0.5 + 0.5 * np.sign(np.sin(fine * (np.cos(turn) * x + np.sin(turn) * y) + phase))


def _checked(x, y, random):
    fine = 1.5 + 1.5 * random[2]
    return (np.floor(fine * x + random[0]) + np.floor(fine * y + random[1])) % 2


def _dotted(x, y, random):
    fine = 1.8 + 1.2 * random[2]
    across = (fine * x + random[0]) % 1 - 0.5
    down = (fine * y + random[1]) % 1 - 0.5
    return (np.hypot(across, down) > 0.3).astype(float)


def _shaded(x, y, random):
    turn = 6.3 * random[0]
    return np.clip(0.5 + 0.6 * (np.cos(turn) * x + np.sin(turn) * y), 0.0, 1.0)


TEXTURES: dict[str, Texture] = {
    "plain": _plain,
    "striped": _striped,
    "checked": _checked,
    "dotted": _dotted,
    "shaded": _shaded,
}


def clouds(side: int, random: np.random.Generator) -> np.ndarray:
    """Draws smooth noise: of three fineness, the coarse ones the strongest.

    Args:
        side: Pixels of height and width.
        random: What is drawn from.

    Returns:
        float64 (side, side), about -1 to 1.
    """
    found = np.zeros((side, side))
    for cells, strength in ((3, 0.6), (7, 0.3), (15, 0.15)):
        grid = random.uniform(-1.0, 1.0, (cells + 1, cells + 1))
        places = np.linspace(0, cells, side, endpoint=False)
        low = places.astype(int)
        share = places - low
        share = share * share * (3 - 2 * share)
        rows = grid[low] * (1 - share)[:, None] + grid[low + 1] * share[:, None]
        found += strength * (rows[:, low] * (1 - share) + rows[:, low + 1] * share)
    return found
