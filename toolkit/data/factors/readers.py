"""Where images of known factors come from: --data=READER:REST."""

import pathlib
import re

from toolkit.data.factors.dsprites import dsprites
from toolkit.data.factors.shapes3d import shapes3d
from toolkit.data.factors.small_norb import small_norb
from toolkit.data.factors.sprites import DEFAULT_SIZES, FACTOR_NAMES, MOST_VALUES, sprites


def _embedded(rest):
    found = re.fullmatch("(?:sprites(?::([0-9]{1,3}(?:x[0-9]{1,3}){4}))?)?", rest)
    sizes = tuple(map(int, found[1].split("x"))) if found and found[1] else DEFAULT_SIZES
    if not found or not all(1 <= size <= most for size, most in zip(sizes, MOST_VALUES, strict=True)):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded:sprites or embedded:sprites:{_shown(DEFAULT_SIZES)}, how "
            f"many values {', '.join(FACTOR_NAMES)} have, at most {_shown(MOST_VALUES)}."
        )
    if sum(size > 1 for size in sizes) < 2:
        raise ValueError(f"--data=embedded:{rest}: 2 factors or more must have 2 values or more.")
    return sprites(sizes)


def _shown(sizes):
    return "x".join(map(str, sizes))


def _file(read, such_as):
    def reader(rest):
        if not rest:
            raise FileNotFoundError(f"--data={read.__name__}: expected {read.__name__}:{such_as}.")
        return read(rest)

    return reader


READERS = {
    "embedded": _embedded,
    "dsprites": _file(dsprites, "FILE, dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz or one like it"),
    "shapes3d": _file(shapes3d, "FILE, 3dshapes.h5 or one like it"),
    "small_norb": _file(small_norb, "FOLDER, where smallnorb-*.mat or .mat.gz lie"),
}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "small_norb", "dsprites", "shapes3d" or None.
    """
    return "small_norb" if path.is_dir() else {".npz": "dsprites", ".h5": "shapes3d"}.get(path.suffix)
