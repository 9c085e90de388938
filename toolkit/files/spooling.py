"""What is unpacked, recoded or counted on the way to its use: in the temporary folder, not in memory."""

import errno
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable
from typing import BinaryIO

from toolkit.files import limits

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Spooled:
    """Bytes in a file without a name: on disk, not in memory, and gone with the process however that ends.

    Calling it opens the file for reading.

    Args:
        pieces: The bytes, in order.

    Raises:
        OSError: Where the temporary folder is full, or there is none.

    Example:

    >>> with Spooled([b"a text ", b"in pieces"])() as file:
    ...     file.read()
    b'a text in pieces'
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        try:
            handle, path = tempfile.mkstemp()
            os.unlink(path)
        except OSError as error:
            raise _no_room(error) from error
        self._handle = handle
        weakref.finalize(self, os.close, handle)
        for piece in pieces:
            left = memoryview(piece)
            while left:
                try:
                    left = left[os.write(handle, left) :]
                except OSError as error:
                    raise _no_room(error) from error

    def __call__(self) -> BinaryIO:
        return open(f"/dev/fd/{self._handle}", "rb")


def check_room(size: int, where: str) -> None:
    """Refuses what cannot go through the temporary folder.

    Args:
        size: Bytes that it takes there at least.
        where: The file that they come from, for the message.

    Raises:
        OSError: Where there is less room.
    """
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(
            f"{where} takes {limits.shown(size)} in the temporary folder {folder}, which has {limits.shown(free)} "
            "left. Set TMPDIR to a folder with more room."
        )


def _no_room(error):
    if error.errno in _FULL:
        return OSError(f"The temporary folder {tempfile.gettempdir()} is full. Set TMPDIR to a folder with more room.")
    return OSError(f"No temporary file can be written: {error.strerror}. Set TMPDIR to a folder where one can.")
