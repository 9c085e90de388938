"""Files as bytes: only files, never pipes, devices or folders, and never more of them than is allowed."""

import os
import pathlib
import stat
from collections.abc import Iterator
from typing import BinaryIO

from toolkit.files import limits
from toolkit.files.names import printable


def check(path: str | os.PathLike, expected: str = "a file") -> pathlib.Path:
    """Checks that a path is a file that can be read, and says why where it is not.

    Args:
        path: The path; a `~` at its start is the user's home.
        expected: What should be there, for the message.

    Returns:
        The path.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where a folder, a pipe or a device is, or an empty file.
        OSError: Where the system refuses, as without permission.

    Example:

    >>> check("/dev/null")
    Traceback (most recent call last):
    ValueError: /dev/null is a pipe or a device; expected a file.
    """
    path = expanded(path)
    shown = printable(path)
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(f"{shown}: no such file; expected {expected}.") from None
    except ValueError:  # a zero byte
        raise ValueError(f"{str(path)[:200]!r} cannot be a path; expected {expected}.") from None
    except OSError as error:  # a loop of links, a name that is too long, no permission
        raise OSError(f"{shown[:200]} cannot be read: {error.strerror}; expected {expected}.") from error
    if stat.S_ISDIR(found.st_mode):
        raise ValueError(f"{shown} is a folder; expected {expected}.")
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{shown} is a pipe or a device; expected {expected}.")
    if not found.st_size:
        raise ValueError(f"{shown} is empty; expected {expected}.")
    return path


def check_holes(path: pathlib.Path) -> None:
    """Refuses a file with a stretch that was never written, as an unfinished download or a sparse giant has.

    Args:
        path: A file that must not have any, such as a packed one or a text.

    Raises:
        ValueError: Where it has one, with its place.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            first = os.lseek(file.fileno(), 0, os.SEEK_HOLE)
        except (OSError, AttributeError):  # a file system or a system that does not tell
            return
    if first < size:
        raise ValueError(
            f"{path} ({limits.shown(size)}) has a hole at byte {first}, where nothing was ever written: an unfinished "
            "copy or download? Fetch it again."
        )


def expanded(path: str | os.PathLike) -> pathlib.Path:
    """Puts the home folder in place of a `~`.

    Args:
        path: The path.

    Raises:
        ValueError: Where there is no such user.

    Example:

    >>> expanded("~nosuchuser/photos")
    Traceback (most recent call last):
    ValueError: ~nosuchuser/photos: there is no such user, so no such folder.
    """
    path = pathlib.Path(path)
    try:
        return path.expanduser()
    except RuntimeError:
        if os.path.lexists(path):  # a file of such a name
            return path
        raise ValueError(f"{path}: there is no such user, so no such folder.") from None


def separated(names: str) -> Iterator[str]:
    """Splits paths that a person wrote between commas, where one that is there may have commas itself.

    Args:
        names: The paths.

    Yields:
        Each path.

    Example:

    >>> list(separated("one.wav, two.wav"))
    ['one.wav', 'two.wav']
    """

    def there(path):
        return os.path.isfile(expanded(path.strip()))

    pieces = [piece for piece in names.split(",") if piece.strip()]
    while pieces:
        together = (count for count in range(min(8, len(pieces)), 1, -1) if there(",".join(pieces[:count])))
        count = next(together, 1)
        yield ",".join(pieces[:count]).strip()
        pieces = pieces[count:]


def exists(path: pathlib.Path) -> bool:
    """Tells whether something is at a path; nothing is at what can be no path.

    Args:
        path: The path.

    Raises:
        OSError: Where that cannot be seen without permission.

    Example:

    >>> exists(pathlib.Path("a" * 5000)), exists(pathlib.Path("a\\0b")), exists(pathlib.Path("."))
    (False, False, True)
    """
    try:
        return path.exists()
    except PermissionError as error:
        raise OSError(f"{path} cannot be read: {error.strerror}.") from error
    except (OSError, ValueError):  # too long a name; a zero byte
        return False


def opened(path: str | os.PathLike, expected: str = "a file") -> BinaryIO:
    """Opens a file for reading.

    Args:
        path, expected: As in `check`, with its errors.

    Returns:
        The open file.
    """
    path = check(path, expected)
    try:
        return open(path, "rb")
    except OSError as error:
        raise OSError(f"{printable(path)} cannot be read: {error.strerror}.") from error


def read(path: str | os.PathLike, expected: str = "a file", bound: int = limits.GIB) -> bytes:
    """Reads a whole file.

    Args:
        path, expected: As in `check`, with its errors.
        bound: Bytes that such a file may have.

    Returns:
        Its content.
    """
    with opened(path, expected) as file:
        limits.check(os.fstat(file.fileno()).st_size, str(path), bound)
        return file.read()
