"""3D Shapes as published: an HDF5 file of 480,000 coloured images and the values of their factors."""

import math
import os

import numpy as np

from toolkit.data import threads
from toolkit.data.factors.factor_images import FactorImages, tabulated
from toolkit.files import limits, spooling
from toolkit.files.hdf5 import Hdf5
from toolkit.files.names import printable

_NAMES = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
_EXPECTED = "an HDF5 file as 3D Shapes is published"


def shapes3d(path: str | os.PathLike) -> FactorImages:
    """Reads 3dshapes.h5, or a file like it with other numbers of values.

    It holds `images`, uint8 (images, height, width, 3), and `labels`, floats (images, 6). Thousands of images are
    packed together there, piece by piece, so that to read a single one takes as long as to read all of these. They are
    therefore unpacked once into a file without a name in the temporary folder, the published ones into 5.5 GB, and
    looked up there.

    Args:
        path: The file.

    Returns:
        The images, in colour, of the factors floor_hue, wall_hue, object_hue, scale, shape and orientation.

    Raises:
        ValueError: Where it is damaged, an array is missing or of another kind, or not every combination has one image;
            it is named.
        FileNotFoundError: Where it is not there.
        OSError: Where the temporary folder has too little room.
    """
    with Hdf5(path, _EXPECTED) as file:
        where = printable(file.path)
        missing = [name for name in ("images", "labels") if name not in file.names]
        if missing:
            raise ValueError(f"{where} has no array {missing[0]}; expected {_EXPECTED}.")
        shape, dtype = file.header("images")
        if len(shape) != 4 or shape[3] != 3 or dtype != np.uint8 or not math.prod(shape):
            raise ValueError(f"{where}, images: {dtype} {shape}; expected uint8 (images, height, width, 3).")
        found, kind = file.header("labels")
        if found != (shape[0], len(_NAMES)) or kind.kind != "f":
            raise ValueError(
                f"{where}, labels: {kind} {found}; expected floats ({shape[0]}, {len(_NAMES)}), a row for each image."
            )
        labels = file.read("labels", limits.half_of_memory())
        if not np.isfinite(labels).all():
            raise ValueError(f"{where}, labels: expected finite numbers; got NaN or infinity.")
        images = tabulated(labels, _NAMES, lambda places: stored[places], where)
        spooling.check_room(math.prod(shape), where)
        with threads.progress(shape[0], f"Unpacking shapes3d:{where}") as bar:

            def pieces():
                for block in file.blocks("images"):
                    yield memoryview(np.ascontiguousarray(block)).cast("B")
                    bar.update(len(block))

            with spooling.Spooled(pieces())() as unpacked:
                stored = np.memmap(unpacked, np.uint8, "r", shape=shape)
    return images
