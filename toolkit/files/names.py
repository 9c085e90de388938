"""Names of files as a person reads them, and as JSON, TensorBoard and pictures can hold them."""

import os
import pathlib
import re
from typing import Any


def printable(name: str | os.PathLike) -> str:
    """Writes bytes that are no UTF-8, and control characters, as escapes.

    A file's name is bytes, and on an older disk or out of an archive they may be no UTF-8; Python then has lone
    surrogates in the name, which cannot be encoded.

    Args:
        name: Of a file, or its path.

    Returns:
        It as it is where it is plain UTF-8 without control characters.

    Example:

    >>> printable(os.fsdecode(b"caf\\xe9")), printable("café 犬")
    ('caf\\\\xe9', 'café 犬')
    """
    found = os.fsencode(name).decode("utf-8", "backslashreplace")
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda match: f"\\x{ord(match[0]):02x}", found)


def natural_order(name: str) -> tuple[Any, ...]:
    """Gives what names are to be sorted by: numbers in them as numbers, and no two names alike.

    Args:
        name: The name.

    Example:

    >>> sorted(["f10.png", "f9.png", "f1.png"], key=natural_order)
    ['f1.png', 'f9.png', 'f10.png']
    """
    return tuple((int(part), part) if part.isdecimal() else (-1, part) for part in re.split("([0-9]+)", name)), name


def visible(folder: pathlib.Path, suffix: str) -> list[pathlib.Path]:
    """Finds files in a folder and in those below it, but for the hidden ones: macOS puts a ._NAME beside each NAME.

    Args:
        folder: Where to look.
        suffix: How their names end, in any case: ".inkml".

    Returns:
        Their paths, sorted.
    """
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() == suffix)
    return sorted(folder / path for path in found if not any(part.startswith(".") for part in path.parts))
