"""How a person names data: --data=READER:REST."""

import difflib
import pathlib
from collections.abc import Callable, Iterable

from toolkit.files import binary


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
