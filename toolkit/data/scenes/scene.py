"""One scene: its picture, the objects in it, which pixels are whose, and how they stand to each other."""

import dataclasses

import numpy as np

from toolkit.data.scenes.shapes import SHAPES

CLASSES = ("background", *SHAPES)
RELATIONS = ("left of", "above", "inside", "in front of", "larger than")
# How much two objects must differ for a person to say so at a glance.
_APART = 0.08  # of the picture's side
_LARGER = 1.6  # times the area


@dataclasses.dataclass(frozen=True)
class Object:
    """What is true of one object.

    Args:
        shape: One of `shapes.SHAPES`.
        color: One of `generator.COLORS`.
        texture: One of `textures.TEXTURES`.
        size: Of the square that it would fill unturned, as a share of the picture's side.
        center: (x, y), shares of the picture's side, y growing downward.
        angle: Turned clockwise, in radians.
        depth: 0 is the nearest.
    """

    shape: str
    color: str
    texture: str
    size: float
    center: tuple[float, float]
    angle: float
    depth: int


@dataclasses.dataclass(frozen=True)
class Scene:
    """A scene and what is true of it.

    Args:
        image: uint8 (side, side, 3), RGB.
        objects: Its objects, the nearest first.
        whole: bool (objects, side, side), where each object is, what covers it left aside.

    Example:

    >>> from toolkit.data.scenes.generator import scene
    >>> made = scene(seed=0, number=3, side=64)
    >>> made.image.shape, int(made.instances.max()) == len(made.objects)
    ((64, 64, 3), True)
    """

    image: np.ndarray
    objects: tuple[Object, ...]
    whole: np.ndarray

    @property
    def instances(self) -> np.ndarray:
        """int32 (side, side): which object is seen in each pixel, counted from 1; 0 is the background."""
        behind = np.ones((1, *self.image.shape[:2]), bool)
        nearest = np.concatenate([self.whole, behind]).argmax(axis=0) + 1
        return (nearest % (len(self.objects) + 1)).astype("int32")

    @property
    def labels(self) -> np.ndarray:
        """int32 (side, side): the class seen in each pixel, a place in `CLASSES`."""
        kinds = np.array([0, *(CLASSES.index(each.shape) for each in self.objects)], "int32")
        return kinds[self.instances]

    @property
    def visible(self) -> np.ndarray:
        """bool (objects, side, side): where each object is seen."""
        return self.instances == np.arange(1, len(self.objects) + 1)[:, None, None]

    @property
    def relations(self) -> list[tuple[int, str, int]]:
        """What holds between two objects, as (one, relation, other), by their places in `objects`.

        "left of" and "above" are said where the middles are apart by more than a twelfth of the side; "inside" where
        all of one lies in the other's outline, holes filled, and before it; "in front of" where one covers a part of
        the other; "larger than" of 1.6 times the area and more.
        """
        found = []
        areas = self.whole.sum((1, 2))
        for one, first in enumerate(self.objects):
            for other, second in enumerate(self.objects):
                if one == other:
                    continue
                holds = {
                    "left of": first.center[0] < second.center[0] - _APART,
                    "above": first.center[1] < second.center[1] - _APART,
                    "inside": one < other and not (self.whole[one] & ~_filled(self.whole[other])).any(),
                    "in front of": one < other and bool((self.whole[one] & self.whole[other]).any()),
                    "larger than": areas[one] > _LARGER * areas[other],
                }
                found += [(one, relation, other) for relation in RELATIONS if holds[relation]]
        return found


def _filled(mask):
    """A mask with what is enclosed in each row and in each column: a ring as a disc."""
    left, right = np.maximum.accumulate(mask, 1), np.maximum.accumulate(mask[:, ::-1], 1)[:, ::-1]
    up, down = np.maximum.accumulate(mask, 0), np.maximum.accumulate(mask[::-1], 0)[::-1]
    return left & right & up & down
