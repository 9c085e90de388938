"""Omniglot's images as published: ALPHABET/characterNN/NNNN_NN.png, each character drawn by twenty people."""

import contextlib
import io
import os
import pathlib
import re
from collections.abc import Callable, Iterator

import numpy as np

from toolkit.data import threads
from toolkit.files import archives, binary, limits
from toolkit.files.names import printable

_NAME = re.compile(r"(?:^|.*/)([^/]+)/(character\d{1,4})/\d{1,9}_\d{1,9}\.png\Z", re.ASCII)
_EXPECTED = "Omniglot's images, the published zip or the folder it unpacks to: ALPHABET/characterNN/NNNN_NN.png"
_LARGEST = 1024  # pixels of a side; as published it is 105


def omniglot(path: str | os.PathLike, image_size: int) -> dict[str, np.ndarray]:
    """Reads the drawings of each character.

    Args:
        path: The published zip of images, such as images_background.zip, or the folder it unpacks to.
        image_size: Height and width of the result.

    Returns:
        By "ALPHABET/characterNN", in order, its drawings, uint8 (drawings, image_size, image_size): dark on white.

    Raises:
        FileNotFoundError: Where nothing is there, or no drawing.
        ValueError: Where a file is damaged or no square PNG, or a character has a single drawing; it is named.
        OSError: Where the system refuses.
    """
    path = binary.expanded(path)
    found: dict[str, list[np.ndarray]] = {}
    with _files(path) as files:
        if not files:
            raise FileNotFoundError(f"{printable(path)} holds no drawings; expected {_EXPECTED}.")
        limits.check(len(files) * image_size**2, f"{len(files)} drawings", limits.half_of_memory())
        with threads.progress(len(files), f"Reading {printable(path)}") as bar:
            for name, content in files:
                alphabet, character = _NAME.match(name).groups()
                drawing = _drawing(content(), f"{printable(path)}: {printable(name)}", image_size)
                found.setdefault(f"{printable(alphabet)}/{character}", []).append(drawing)
                bar.update(1)
    for character, drawings in found.items():
        if len(drawings) < 2:
            raise ValueError(
                f"{printable(path)}: {character} has a single drawing; expected two or more, as published 20."
            )
    return {name: np.stack(drawings) for name, drawings in sorted(found.items())}


@contextlib.contextmanager
def _files(path: pathlib.Path) -> Iterator[list[tuple[str, Callable[[], bytes]]]]:
    """Each drawing's name, in order, and what reads it."""
    if path.is_dir():
        names = sorted(each.relative_to(path).as_posix() for each in path.rglob("*.png"))
        yield [
            (name, lambda name=name: binary.read(path / name, "a drawing", limits.MIB))
            for name in names
            if _wanted(name)
        ]
        return
    with archives.Zip(path, "a zip of Omniglot's images") as archive:
        names = sorted(filter(_wanted, archive.names))
        yield [(name, lambda name=name: archive.read(name, limits.MIB)) for name in names]


def _wanted(name):
    """A drawing, in no hidden folder: macOS packs a __MACOSX/._NAME.png with each NAME.png."""
    return _NAME.match(name) and not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))


def _drawing(content, where, side):
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            width, height = image.size
            if width != height or width > _LARGEST:
                raise ValueError(f"it is {width} x {height}; expected a square of at most {_LARGEST}, as published 105")
            grey = image.convert("L")
    except Exception as error:  # Pillow's decoders raise many kinds
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        if "cannot identify" in reason:
            reason = "it is no PNG, or damaged"
        raise ValueError(f"{where} cannot be read as a drawing: {reason[:200]}.") from error
    return np.asarray(grey if width == side else grey.resize((side, side), Image.Resampling.BILINEAR))
