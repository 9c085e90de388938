"""Makes scenes, each a pure function of a seed and its number: nothing is written, and each can be made alone."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from toolkit.data.scenes.scene import Object, Scene
from toolkit.data.scenes.shapes import SHAPES, UPRIGHT
from toolkit.data.scenes.textures import TEXTURES, clouds

# RGB, 0 to 255.
COLORS = {
    "red": (214, 54, 50),
    "orange": (240, 140, 40),
    "yellow": (244, 211, 74),
    "green": (72, 160, 78),
    "blue": (52, 104, 196),
    "purple": (134, 76, 170),
    "pink": (236, 136, 170),
    "brown": (128, 84, 54),
    "white": (240, 238, 232),
    "black": (44, 44, 52),
}
# What is seen where nothing stands: dull colours that no object has.
_GROUNDS = np.array(
    [(176, 190, 168), (190, 178, 160), (160, 174, 190), (186, 170, 182), (172, 184, 186), (196, 192, 178)]
)
_SEEN = 0.4  # of an object, at least
_LEAST_PIXELS = 12  # that are seen of an object
_ATTEMPTS = 12  # to find room for an object


@dataclasses.dataclass(frozen=True)
class Generator:
    """What scenes may hold.

    Args:
        side: Pixels of height and width, 32 to 256.
        num_objects: (fewest, most) objects; where there is no room for so many, fewer.
        sizes: (smallest, largest) size as a share of the side; many are small and few are large.
        shapes: Those that occur.
        colors: Those that occur.
        textures: Those that occur.

    Raises:
        ValueError: Where something is out of range or unknown.

    Example:

    >>> made = Generator(side=64, shapes=("circle", "star"))(seed=0, number=17)
    >>> {each.shape for each in made.objects} <= {"circle", "star"}
    True
    """

    side: int = 64
    num_objects: tuple[int, int] = (3, 7)
    sizes: tuple[float, float] = (0.12, 0.6)
    shapes: Sequence[str] = tuple(SHAPES)
    colors: Sequence[str] = tuple(COLORS)
    textures: Sequence[str] = tuple(TEXTURES)

    def __post_init__(self) -> None:
        if not 32 <= self.side <= 256:
            raise ValueError(f"side={self.side}: expected 32 to 256 pixels.")
        if not 0 <= self.num_objects[0] <= self.num_objects[1] <= 40:
            raise ValueError(f"num_objects={self.num_objects}: expected fewest and most, 0 to 40.")
        if not 0.05 <= self.sizes[0] <= self.sizes[1] <= 1.0:
            raise ValueError(f"sizes={self.sizes}: expected smallest and largest, shares of the side from 0.05 to 1.")
        for name, known in (("shapes", SHAPES), ("colors", COLORS), ("textures", TEXTURES)):
            unknown = [each for each in getattr(self, name) if each not in known]
            if unknown or not getattr(self, name):
                raise ValueError(f"{name}: expected some of {', '.join(known)}; got {', '.join(unknown) or 'none'}.")

    def __call__(self, seed: int, number: int) -> Scene:
        """Makes a scene.

        Args:
            seed: Of all scenes.
            number: Which of them.

        Returns:
            The scene; the same for the same seed and number, whatever else is made.
        """
        random = np.random.default_rng([seed, number])
        places = (np.arange(self.side) + 0.5) / self.side
        picture = np.zeros((self.side, self.side, 3))
        free = np.ones((self.side, self.side))  # the share of each pixel that nothing covers yet
        taken = np.zeros((self.side, self.side), bool)
        objects, whole = [], []
        for depth in range(random.integers(self.num_objects[0], self.num_objects[1] + 1)):
            drawn = self._drawn(depth, taken, places, random)
            if drawn is None:
                continue
            each, (rows, columns), inside, covered, paint = drawn
            objects.append(dataclasses.replace(each, depth=len(objects)))
            whole.append(np.zeros(taken.shape, bool))
            whole[-1][rows, columns] = inside
            taken |= whole[-1]
            share = free[rows, columns] * covered
            picture[rows, columns] += share[..., None] * paint
            free[rows, columns] -= share
        picture += free[..., None] * _ground(self.side, places, random)
        light = random.uniform(-0.3, 0.3, (2, 1)) * (places - 0.5)
        picture *= 1.0 + np.add.outer(*light)[..., None]
        picture += random.normal(0.0, 2.5, picture.shape)
        image = np.clip(np.rint(picture), 0, 255).astype("uint8")
        return Scene(image, tuple(objects), np.array(whole, bool).reshape(-1, *taken.shape))

    def _drawn(self, depth, taken, places, random):
        """An object behind those that are there: where it is, inside and covered, and its paint; None: no room."""
        shape = self.shapes[random.integers(len(self.shapes))]
        color = self.colors[random.integers(len(self.colors))]
        texture = self.textures[random.integers(len(self.textures))]
        smallest, largest = np.log(self.sizes)
        turned = random.uniform(-0.2, 0.2) if shape in UPRIGHT else random.uniform(-np.pi, np.pi)
        pattern, paint = random.random(3), np.array(COLORS[color]) + random.normal(0.0, 7.0, 3)
        for size, x, y in zip(
            np.exp(random.uniform(smallest, largest, _ATTEMPTS)), *random.uniform(0.0, 1.0, (2, _ATTEMPTS)), strict=True
        ):
            half = size / 2
            x, y = half * 0.7 + x * (1 - 1.4 * half), half * 0.7 + y * (1 - 1.4 * half)
            reach = half * (1.0 if shape in ("circle", "ring", "star", "bar") else 1.3) + 1.0 / self.side
            rows, columns = (slice(*np.searchsorted(places, (middle - reach, middle + reach))) for middle in (y, x))
            down, across = (places[rows, None] - y) / half, (places[columns] - x) / half
            cosine, sine = np.cos(turned), np.sin(turned)
            along, below = cosine * across + sine * down, cosine * down - sine * across
            distance = SHAPES[shape](along, below) * half * self.side  # in pixels
            inside = distance < 0
            seen = np.count_nonzero(inside & ~taken[rows, columns])
            if seen >= max(_LEAST_PIXELS, _SEEN * np.count_nonzero(inside)):
                lit = TEXTURES[texture](along, below, pattern)[..., None]
                painted = _dark(paint) * (1 - lit) + paint * lit - 10.0 * (across + down)[..., None]
                painted *= np.clip(0.75 - 0.25 * distance, 0.75, 1.0)[..., None]  # a darker rim
                each = Object(shape, color, texture, float(size), (float(x), float(y)), float(turned), depth)
                return each, (rows, columns), inside, np.clip(0.5 - distance, 0.0, 1.0), painted
        return None


def scene(seed: int, number: int, side: int = 64) -> Scene:
    """Makes a scene of any objects.

    Args:
        seed: Of all scenes.
        number: Which of them.
        side: Pixels of height and width, 32 to 256.

    Returns:
        The scene.
    """
    return Generator(side)(seed, number)


def _dark(color):
    """The second colour of a pattern: darker, or lighter where the first is dark."""
    return 0.5 * color + (90.0 if color.mean() < 90 else 0.0)


def _ground(side, places, random):
    """Two dull colours that pass into each other, cloudy, and perhaps a horizon."""
    first, second = _GROUNDS[random.choice(len(_GROUNDS), 2, replace=False)] * random.uniform(0.8, 1.1)
    share = places[:, None] + 0.35 * clouds(side, random)
    if random.random() < 0.4:
        share = (places[:, None] > random.uniform(0.35, 0.7)) + 0.2 * (share - places[:, None])
    return first + np.clip(share, 0.0, 1.0)[..., None] * (second - first)
