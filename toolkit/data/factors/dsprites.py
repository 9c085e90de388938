"""dSprites as published: a .npz of 737,280 black and white images and the class of each factor."""

import math
import os
import re

import numpy as np

from toolkit.data import threads
from toolkit.data.factors.factor_images import FactorImages, tabulated
from toolkit.files import binary, limits
from toolkit.files.arrays import Arrays
from toolkit.files.names import printable

_NAMES = ("color", "shape", "scale", "orientation", "x", "y")
# What the file's name says: how many values each factor has, and the images' height and width.
_SAID = re.compile(r"co(\d+)sh(\d+)sc(\d+)or(\d+)x(\d+)y(\d+)_(\d+)x(\d+)")
_EXPECTED = "a .npz as dSprites is published"


def dsprites(path: str | os.PathLike) -> FactorImages:
    """Reads dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz, or a file like it with other numbers of values.

    Of its arrays two are read: `imgs`, uint8 (images, height, width) of 0 and 1, and `latents_classes`, integers
    (images, 6). `metadata`, which is a pickle, is never looked at. The images are kept with eight pixels in a byte, the
    published ones in 360 MB.

    Args:
        path: The file.

    Returns:
        The images, black and white (0 and 1), of the factors shape, scale, orientation, x and y; the colour, which has
        one value, is none.

    Raises:
        ValueError: Where it is damaged, an array is missing or of another kind, not every combination has one image, or
            its name says other numbers; it is named.
        FileNotFoundError: Where it is not there.
    """
    with Arrays(binary.expanded(path), _EXPECTED, bound=None) as file:
        where = printable(file.path)
        missing = [name for name in ("imgs", "latents_classes") if name not in file.names]
        if missing:
            raise ValueError(f"{where} has no array {missing[0]}; expected {_EXPECTED}.")
        shape, dtype = file.header("imgs")
        if len(shape) != 3 or dtype != np.uint8 or not math.prod(shape):
            raise ValueError(f"{where}, imgs: {dtype} {shape}; expected uint8 (images, height, width) of 0 and 1.")
        found, kind = file.header("latents_classes")
        if found != (shape[0], len(_NAMES)) or kind.kind not in "iu":
            raise ValueError(
                f"{where}, latents_classes: {kind} {found}; expected integers ({shape[0]}, {len(_NAMES)}), a row "
                "for each image."
            )
        packed_size = -(-shape[1] * shape[2] // 8)
        taken = shape[0] * (packed_size + len(_NAMES) * kind.itemsize)
        limits.check(taken, where, limits.half_of_memory())
        classes = file.read("latents_classes")
        _check_name(where, file.path.name, classes, shape)
        packed = np.empty((shape[0], packed_size), np.uint8)

        def pixels(places):
            bits = np.unpackbits(packed[places], axis=1, count=shape[1] * shape[2])
            return bits.reshape(-1, *shape[1:], 1) * np.uint8(255)

        images = tabulated(classes, _NAMES, pixels, where)
        with threads.progress(shape[0], f"Reading dsprites:{where}") as bar:
            start = 0
            for block in file.blocks("imgs"):
                if block.max() > 1:
                    raise ValueError(f"{where}, imgs: a value of {block.max()}; expected 0 and 1.")
                packed[start : start + len(block)] = np.packbits(block.reshape(len(block), -1), axis=1)
                start += len(block)
                bar.update(len(block))
    return images


def _check_name(where, name, classes, shape):
    """Refuses a file that holds something else than its name says."""
    said = _SAID.search(name)
    if said:
        expected = tuple(map(int, said.groups()))
        found = *(len(np.unique(column)) for column in classes.T), *shape[1:]
        if found != expected:
            shown = [
                f"{' x '.join(map(str, each[:6]))} values, {each[6]} x {each[7]} pixels" for each in (found, expected)
            ]
            raise ValueError(f"{where} holds {shown[0]}, and its name says {shown[1]}. Is it another file, renamed?")
