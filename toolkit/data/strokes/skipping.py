"""Files of handwriting one by one: the first that cannot be read is named, or all such are left out and counted."""

from collections.abc import Callable, Iterable
from typing import Any

_SHOWN = 10


def read_each(
    items: Iterable, read: Callable[[Any], Any], *, source: str, skip_corrupt: bool, unit: str = "files"
) -> list:
    """Reads files one by one.

    Args:
        items: What `read` is given, one after the other.
        read: Reads one; its ValueError or OSError names the file.
        source: What --data was, for what is printed.
        skip_corrupt: Whether to leave out what cannot be read, and say so, instead of stopping.
        unit: What the items are, for what is printed.

    Returns:
        What was read, in order.

    Raises:
        ValueError: Where something cannot be read and is not to be left out.
        OSError: Likewise.

    Example:

    >>> read_each(["3", "x"], int, source="npy:x", skip_corrupt=True)
    npy:x: 1 of 2 files left out, which cannot be read (--skip_corrupt):
      invalid literal for int() with base 10: 'x'
    [3]
    """
    found, bad = [], []
    for item in items:
        try:
            found.append(read(item))
        except (ValueError, OSError) as error:
            if not skip_corrupt:
                kind = next(kind for kind in (FileNotFoundError, OSError, ValueError) if isinstance(error, kind))
                raise kind(f"{error} Mend or remove it, or leave out such files with --skip_corrupt.") from error
            bad.append(str(error))
    if bad:
        print(
            f"{source}: {len(bad)} of {len(bad) + len(found)} {unit} left out, which cannot be read (--skip_corrupt):"
        )
        more = [f"and {len(bad) - _SHOWN} more"] if len(bad) > _SHOWN else []
        print("\n".join(f"  {why}" for why in [*bad[:_SHOWN], *more]))
    return found
