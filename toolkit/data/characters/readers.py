"""Where drawn characters come from: --data=READER:REST."""

import pathlib
import re

import numpy as np

from toolkit.data.characters.glyphs import glyphs
from toolkit.data.characters.omniglot import omniglot
from toolkit.files import binary, limits

_NUM_DRAWINGS = 20  # of each embedded glyph, as of each of Omniglot's characters
_MOST_GLYPHS = 20_000
# The two sets as published.
_BACKGROUND, _EVALUATION = "images_background", "images_evaluation"

# A class's name to its drawings, uint8 (drawings, image_size, image_size).
Drawings = dict[str, np.ndarray]


def _embedded(rest: str, image_size: int) -> list[Drawings]:
    found = re.fullmatch("(?:glyphs(?::([0-9]{1,5}))?)?", rest)
    number = int(found[1] or 500) if found else 0
    if not 3 <= number <= _MOST_GLYPHS:
        raise ValueError(
            f"--data={f'embedded:{rest[:60]}'!r}: expected embedded:glyphs or embedded:glyphs:N, N classes, 3 to "
            f"{_MOST_GLYPHS}."
        )
    size = number * _NUM_DRAWINGS * image_size**2
    limits.check(size, f"--data=embedded:{rest} of --image_size={image_size}", limits.half_of_memory())
    drawn = glyphs(number, _NUM_DRAWINGS, image_size)
    return [{f"glyph {each}": drawings for each, drawings in enumerate(drawn)}]


def _omniglot(rest: str, image_size: int) -> list[Drawings]:
    paths = [binary.expanded(path) for path in binary.separated(rest)]
    if not 1 <= len(paths) <= 2:
        raise ValueError(
            f"--data={f'omniglot:{rest[:200]}'!r}: expected omniglot:PATH, or omniglot:TRAIN,TEST, each the zip of "
            "Omniglot's images or the folder it unpacks to."
        )
    return [omniglot(path, image_size) for path in (_published(paths[0]) if len(paths) == 1 else paths)]


def _published(path: pathlib.Path) -> list[pathlib.Path]:
    """Both sets in a folder that holds both, packed or not; else the path itself."""
    found = [
        next((each for each in (path / name, path / f"{name}.zip") if binary.exists(each)), None)
        for name in (_BACKGROUND, _EVALUATION)
    ]
    return found if all(found) else [path]


READERS = {"embedded": _embedded, "omniglot": _omniglot}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "omniglot" or None.
    """
    return "omniglot" if path.is_dir() or path.suffix.lower() == ".zip" else None
