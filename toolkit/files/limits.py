"""How much memory one file may take, checked by its header before anything is allocated for it."""

import os

from toolkit.files.granted import granted_memory

MIB, GIB = 1 << 20, 1 << 30

_allowed: int | None = None


def allow(gigabytes: float | None) -> None:
    """Sets what one file may take in this process, in place of the bound that each kind of file has.

    Args:
        gigabytes: What --max_gigabytes says; None: each kind's own bound.
    """
    global _allowed
    _allowed = None if gigabytes is None else int(gigabytes * GIB)


def allowed(bound: int) -> int:
    """Tells how many bytes a file may take.

    Args:
        bound: What its kind may take unless the user allows something else.
    """
    return bound if _allowed is None else _allowed


def check(size: int, where: str, bound: int) -> None:
    """Refuses what would take more than is allowed.

    Args:
        size: Bytes that it would take.
        where: The file, or its part, for the message.
        bound: As in `allowed`.

    Raises:
        ValueError: Where it is more.

    Example:

    >>> check(3 * GIB, "photo.png", bound=GIB)
    Traceback (most recent call last):
    ValueError: photo.png would take 3.0 GB, and 1.0 GB is allowed. Where that is right: --max_gigabytes=4.
    """
    if size > allowed(bound):
        raise ValueError(
            f"{where} would take {shown(size)}, and {shown(allowed(bound))} is allowed. Where that is right: "
            f"--max_gigabytes={size // GIB + 1}."
        )


def shown(size: int) -> str:
    """Writes a number of bytes as a person reads it.

    Args:
        size: Bytes.

    Example:

    >>> shown(1536), shown(3 << 20), shown(5 << 30)
    ('1.5 kB', '3.0 MB', '5.0 GB')
    """
    for unit, name in ((GIB, "GB"), (MIB, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1024:.1f} kB"


def half_of_memory() -> int:
    """Tells half of this machine's memory, or of what this container may use, in bytes."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return int(min(there, granted_memory())) // 2
