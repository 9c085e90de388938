"""How a person names data: --data=READER:REST, a path or several in REST, or a name."""

import difflib
import pathlib
from collections.abc import Callable, Iterable

from toolkit.files import binary

_NAMES = ("embedded", "keras", "tfds")  # readers whose REST is a name, not a path


def parse(source: str, readers: Iterable[str], sniff: Callable[[pathlib.Path], str | None] | None = None) -> tuple:
    """Splits a source into its reader and the rest.

    Args:
        source: "READER", "READER:REST", or the path of something that exists.
        readers: The names there are.
        sniff: Tells from a path which reader is for it, or None.

    Returns:
        (reader, rest); the rest is "" where there is none.

    Raises:
        ValueError: Where the reader is unknown, the nearest one is suggested; or where a path's reader is not plain.

    Example:

    >>> parse("embedded:2000", ["embedded", "npy"])
    ('embedded', '2000')
    >>> parse("embeded", ["embedded", "npy"])
    Traceback (most recent call last):
    ValueError: --data=embeded: no reader 'embeded', no such path. Did you mean 'embedded'? There are: embedded, npy.
    """
    readers = list(readers)
    name, _, rest = source.partition(":")
    if name in readers:
        return name, rest
    path = binary.expanded(source)
    if source and binary.exists(path):
        found = sniff(path) if sniff else None
        if found:
            return found, source
        raise ValueError(
            f"--data={source} exists, but it is not plain what it holds. Say which: READER:{source}, with READER one "
            f"of {', '.join(readers)}."
        )
    near = difflib.get_close_matches(name[:60].lower(), readers, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise ValueError(
        f"--data={source[:200]}: no reader {name[:60]!r}, no such path.{hint} There are: {', '.join(readers)}."
    )


def absolute(source: str) -> str:
    """Makes the paths in a source hold from any folder; what is no path that exists stays as it is.

    Args:
        source: "READER:PATH[,PATH...]", a path, several between commas, or "READER[:NAME]".

    Example:

    >>> absolute("npy:/"), absolute("embedded:40"), absolute("text:/,nothing.txt")
    ('npy:/', 'embedded:40', 'text:/,nothing.txt')
    """
    reader, paths = _parted(source)
    return reader + ",".join(str(path.absolute()) if there else name for name, path, there in paths)


def missing(source: str) -> list[str]:
    """Names the paths in a source where nothing is.

    Args:
        source: As in `absolute`.

    Example:

    >>> missing("text:/,/nothing.txt"), missing("embedded:40")
    (['/nothing.txt'], [])
    """
    return [name for name, _, there in _parted(source)[1] if not there]


def _parted(source):
    """A source's reader with its colon, and (name, path, whether it is there) of each of its paths."""
    name, colon, rest = source.partition(":")
    if name in _NAMES:
        return source, []
    if not colon or _found(source)[1]:
        name, colon, rest = "", "", source
    names = [rest] if _found(rest)[1] else rest.split(",")
    return name + colon, [(each, *_found(each)) for each in names]


def _found(name):
    try:
        path = binary.expanded(name)
        return path, bool(name) and binary.exists(path)
    except (OSError, ValueError):  # without permission; of no user
        return pathlib.Path(name), False
