"""Packed files: .zip by member, and .gz, .bz2 and .xz as a stream; never more of them than they may hold."""

import bz2
import contextlib
import errno
import gzip
import lzma
import os
import pathlib
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from toolkit.files import binary, limits

# What Python raises of damaged or encrypted archives.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    struct.error,
    OverflowError,
    ValueError,
    UnicodeDecodeError,
)
PACKED = (".gz", ".bz2", ".xz", ".zip")
_CHUNK = limits.MIB
# Text is packed to about a tenth of its size; what unpacks to more than this many times its size is taken for a bomb.
_RATIO = 100


class Zip:
    """A zip file's members, each bounded by what the archive says of it.

    Args:
        path: The file.
        expected: What it should hold, for messages.

    Attributes:
        path: The file.
        names: Of its members, folders left out.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is no whole zip file.
        OSError: Where the system refuses.
    """

    def __init__(self, path: str | os.PathLike, expected: str = "a zip file") -> None:
        self.path = binary.check(path, expected)
        self._file = binary.opened(self.path, expected)
        try:
            self._archive = zipfile.ZipFile(self._file)
        except BaseException as error:
            self._file.close()
            if _is_damage(error):
                raise ValueError(f"{self.path} is not {expected}, or damaged: {_why(error)}.") from error
            raise
        self.names = [info.filename for info in self._archive.infolist() if not info.is_dir()]

    def __enter__(self) -> "Zip":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._archive.close()
        self._file.close()

    def size(self, name: str) -> int:
        """Tells a member's size unpacked, in bytes, as the archive says it; no more than that is ever given.

        Args:
            name: The member's.
        """
        return self._archive.getinfo(name).file_size

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        """Opens a member for reading.

        Args:
            name: The member's.

        Yields:
            The open member.

        Raises:
            ValueError: Where it is damaged, encrypted, or packed in a way that Python does not know.
        """
        with self._told(name), self._archive.open(name) as file:
            yield file

    def read(self, name: str, bound: int = limits.GIB) -> bytes:
        """Reads a member.

        Args:
            name: The member's.
            bound: Bytes that such a member may have.

        Returns:
            Its content.

        Raises:
            ValueError: As `open` does; and where it is larger.
        """
        limits.check(self.size(name), f"{self.path}: {name}", bound)
        with self.open(name) as file:
            return file.read()

    @contextlib.contextmanager
    def _told(self, name):
        try:
            yield
        except ValueError as error:
            if str(self.path) in str(error):  # said already, of what is in the member
                raise
            raise ValueError(f"{self.path}: {name} in it is damaged: {_why(error)}.") from error
        except (*_DAMAGED, OSError) as error:
            if not _is_damage(error):
                raise
            raise ValueError(f"{self.path}: {name} in it cannot be read: {_why(error)}.") from error


def unpacked(path: str | os.PathLike) -> Iterator[bytes]:
    """Unpacks a .gz, .bz2, .xz, or a .zip with one file in it, a piece at a time.

    Args:
        path: The file.

    Yields:
        Its content, in pieces of a megabyte.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where it is damaged, a .zip holds another number of files, or more than a hundred times the file's
            size (and 64 MB) comes out of it.
        OSError: Where the system refuses.
    """
    path = binary.check(path, f"a {pathlib.Path(path).suffix} file")
    binary.check_holes(path)
    bound, taken = max(64 * limits.MIB, _RATIO * path.stat().st_size), 0
    with _stream(path) as file:
        while True:
            try:
                piece = file.read(_CHUNK)
            except (*_DAMAGED, OSError) as error:
                if str(path) in str(error) or not _is_damage(error):
                    raise
                raise ValueError(f"{path} is damaged: {_why(error)}.") from error
            if not piece:
                return
            taken += len(piece)
            limits.check(taken, f"{path}, unpacked,", bound)
            yield piece


@contextlib.contextmanager
def _stream(path):
    if path.suffix.lower() == ".zip":
        with Zip(path) as archive:
            if len(archive.names) != 1:
                raise ValueError(f"{path} holds {len(archive.names)} files; expected one. Unpack it and name the file.")
            with archive.open(archive.names[0]) as file:
                yield file
    else:
        with {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}[path.suffix.lower()](path) as file:
            yield file


def _is_damage(error):
    """Whether an error is the file's fault, not the system's; EINVAL is that of a seek before the file's beginning."""
    if isinstance(error, OSError):
        return error.errno in (None, errno.EINVAL)
    return isinstance(error, _DAMAGED)


def _why(error):
    if isinstance(error, OSError) and error.errno:
        return "its directory names places that are not there"
    if "password required" in str(error) or "is encrypted" in str(error):
        return "it is encrypted; unpack it first"
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")[:200]
