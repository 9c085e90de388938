"""SmallNORB as published: photos of toys in binary matrices, perhaps packed, and beside them what each shows."""

import math
import os
import pathlib
import re
import struct
from collections.abc import Iterator

import numpy as np

from toolkit.data import threads
from toolkit.data.factors.factor_images import FactorImages, tabulated
from toolkit.files import archives, binary, limits
from toolkit.files.names import printable

_NAMES = ("category", "elevation", "azimuth", "lighting")
_KINDS = {0x1E3D4C55: np.dtype("uint8"), 0x1E3D4C54: np.dtype("<i4")}  # by the number that a file begins with
_SIDE = 64  # to which the study brings what is published with 96
# What a file's name says: categories, the instances, elevations, azimuths, lightings, cameras, height and width.
_SAID = re.compile(r"(\d+)x(\d+)x(\d+)x(\d+)x(\d+)x(\d+)x(\d+)x(\d+)-")
_EXPECTED = "a folder with smallnorb-*-dat.mat, -cat.mat and -info.mat, perhaps with .gz after them"


def small_norb(folder: str | os.PathLike) -> FactorImages:
    """Reads SmallNORB's training and test files, as published or unpacked, as one set of images.

    Which of ten toys of a category is seen is no factor: each has its own images, and which of them is taken for some
    factors is drawn anew each time. Of the two cameras the first is read; images are reduced to 64 x 64 pixels.

    Args:
        folder: Where `smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat` (or .mat.gz), `-cat.mat` and `-info.mat` lie,
            and those of `5x01235x9x18x6x2x96x96-testing`: each toy is in one of both. One of them alone is read too.

    Returns:
        The images, grey, of the factors category, elevation, azimuth and lighting.

    Raises:
        ValueError: Where a file is damaged or of another kind, not every combination has one image, or a file's name
            says other numbers; it is named.
        FileNotFoundError: Where there is no such folder, or a file is missing.
    """
    folder = binary.expanded(folder)
    shown = printable(folder)
    if not folder.is_dir():
        kind = ValueError if os.path.lexists(folder) else FileNotFoundError
        raise kind(f"{shown} is no folder; expected {_EXPECTED}.")
    found = (re.fullmatch(r"(.*)-dat\.mat(\.gz)?", path.name) for path in folder.iterdir())
    parts = sorted({name[1] for name in found if name})
    if not parts:
        raise FileNotFoundError(f"{shown} has no file *-dat.mat or *-dat.mat.gz; expected {_EXPECTED}.")
    tables, photos = zip(*(_part(folder, name) for name in parts), strict=True)
    photos = np.concatenate(photos)
    return tabulated(np.concatenate(tables), _NAMES, lambda places: photos[places], shown)


def _part(folder, name):
    """Of one set of three files: the factors and the instance of each image, and the images."""
    plain = [folder / f"{name}-{kind}.mat" for kind in ("dat", "cat", "info")]
    path, *beside = (each if os.path.lexists(each) else each.with_suffix(".mat.gz") for each in plain)
    categories, about = (_whole(each) for each in beside)
    if categories.ndim != 1 or about.shape != (len(categories), 4):
        raise ValueError(
            f"{printable(beside[1])}: shape {about.shape}, and {printable(beside[0].name)} {categories.shape}; "
            "expected (images, 4) and (images,)."
        )
    instances, *where = about.T
    table = np.stack([categories, *where, instances], axis=1)
    shape, rows = _matrix(path, np.dtype("uint8"))
    if len(shape) != 4 or shape[0] != len(table) or not 1 <= shape[1] <= 2 or shape[2] != shape[3]:
        raise ValueError(
            f"{printable(path)}: shape {shape}; expected ({len(table)}, 2, side, side), a pair for each row."
        )
    files = f"{printable(path)} with {' and '.join(printable(each.name) for each in beside)}"
    _check_name(files, path.name, table, shape)
    tabulated(table, _NAMES, len, files)  # each set is complete by itself: where one is not, its files are named
    limits.check(len(table) * _SIDE**2, printable(path), limits.half_of_memory())
    photos = np.empty((len(table), _SIDE, _SIDE, 1), np.uint8)
    with threads.progress(len(table), f"Reading {printable(path)}") as bar:
        start = 0
        for block in rows:
            for place, photo in enumerate(threads.each(_reduced, block[:, 0]), start):
                photos[place, :, :, 0] = photo
            start += len(block)
            bar.update(len(block))
    return table, photos


def _reduced(photo):
    from PIL import Image

    return np.asarray(Image.fromarray(photo).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS))


def _check_name(files, name, table, shape):
    """Refuses a file that holds something else than its name says."""
    said = _SAID.search(name)
    if said:
        categories, instances, *numbers = said.groups()
        expected = [int(categories), *map(int, numbers[:3]), len(instances), *map(int, numbers[3:])]
        found = [*(len(np.unique(column)) for column in table.T), *shape[1:]]
        if found != expected:
            raise ValueError(
                f"{files} holds {_shown(found)}, and its name says {_shown(expected)}. Is it another file, renamed?"
            )


def _shown(numbers):
    named = zip((*_NAMES, "instance"), numbers, strict=False)
    return f"{', '.join(f'{number} of {name}' for name, number in named)}, {' x '.join(map(str, numbers[5:]))} pixels"


def _whole(path):
    """A matrix of whole numbers, all of it."""
    shape, rows = _matrix(path, np.dtype("<i4"))
    limits.check(4 * math.prod(shape), printable(path), limits.GIB)
    return np.concatenate([*rows])


def _matrix(path: pathlib.Path, expected: np.dtype) -> tuple[tuple[int, ...], Iterator[np.ndarray]]:
    """A matrix's shape, and its rows in blocks. A code, how many axes, three lengths or more, values."""
    where, pieces, held = printable(path), _pieces(path), bytearray()

    def taken(size):
        while len(held) < size:
            piece = next(pieces, b"")
            if not piece:
                raise ValueError(f"{where} is cut short or damaged: {size - len(held)} bytes more were expected.")
            held.extend(piece)
        content = bytes(held[:size])
        del held[:size]
        return content

    magic, num_axes = struct.unpack("<II", taken(8))
    if _KINDS.get(magic) != expected:
        code = next(code for code, kind in _KINDS.items() if kind == expected)
        raise ValueError(f"{where} begins with {magic:#010x}; expected {code:#010x}, a matrix of {expected}.")
    if not 1 <= num_axes <= 4:
        raise ValueError(f"{where} is damaged: it says that it has {num_axes} axes.")
    shape = struct.unpack(f"<{max(3, num_axes)}i", taken(4 * max(3, num_axes)))[:num_axes]
    if min(shape) < 1:
        raise ValueError(f"{where} is damaged: its header says shape {shape}.")
    size = math.prod(shape[1:]) * expected.itemsize
    limits.check(size, f"{where}, a row,", 16 * limits.MIB)

    def rows():
        together = max(1, limits.MIB // size)
        for start in range(0, shape[0], together):
            count = min(together, shape[0] - start)
            yield np.frombuffer(taken(count * size), expected).reshape(count, *shape[1:])
        if held or next(pieces, b""):
            raise ValueError(f"{where} goes on after the {shape} values that its header says.")

    return shape, rows()


def _pieces(path):
    if path.suffix == ".gz":
        yield from archives.unpacked(path)
        return
    with binary.opened(path, _EXPECTED) as file:
        while piece := file.read(limits.MIB):
            yield piece
