"""Text files: packed or plain, in any encoding, read in pieces."""

import bz2
import codecs
import dataclasses
import functools
import gzip
import lzma
import os
import pathlib
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Part:
    """A stretch of a file.

    Args:
        path: The file, as messages name it.
        open: Opens it for reading bytes, unpacked.
        start: Its first byte.
        end: The byte after its last; None: to the file's end.
        encoding: Of the file's text.
        tidy: Whether each line is to be stripped and its words set one space apart.
    """

    path: str
    open: Callable[[], BinaryIO]
    start: int = 0
    end: int | None = None
    encoding: str = "utf-8"
    tidy: bool = False

    def chunks(self, binary: bool = False) -> Iterator[Any]:
        """The text in pieces of about a megabyte.

        Args:
            binary: Whether to give bytes as they are.

        Yields:
            Strings, or bytes.

        Raises:
            ValueError: Where the file is not in the encoding, with the line and the byte.
        """
        pieces = self._bytes() if binary else self._decoded()
        yield from _tidied(pieces, binary) if self.tidy else pieces

    def _bytes(self):
        with self.open() as file:
            file.seek(self.start)
            left = None if self.end is None else self.end - self.start
            while piece := file.read(_CHUNK if left is None else min(_CHUNK, left)):
                left = None if left is None else left - len(piece)
                yield piece

    def _decoded(self):
        decoder = codecs.getincrementaldecoder(self.encoding)()
        place, line = self.start, 1
        for piece in self._bytes():
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                at, line = place - held + error.start, line + piece[: max(error.start - held, 0)].count(b"\n")
                where = f"line {line}" if not self.start else f"line {line} of its part"
                raise ValueError(
                    f"{self.path}, byte {at} ({where}): {error.object[error.start : error.start + 4]!r} is not "
                    f"{self.encoding}: {error.reason}. Give the file's --encoding, such as latin-1 or utf-16, or read "
                    "it with --level=byte."
                ) from error
            place, line = place + len(piece), line + piece.count(b"\n")
            if text:
                yield text
        if decoder.getstate()[0]:
            raise ValueError(
                f"{self.path} ends within a character of {self.encoding}: the file is cut, or of another --encoding."
            )


def _tidied(pieces, binary):
    rest, newline, space = (b"", b"\n", b" ") if binary else ("", "\n", " ")
    for piece in pieces:
        lines = (rest + piece).split(newline)
        rest = lines.pop()
        if lines:
            yield newline.join(space.join(line.split()) for line in lines) + newline
    if rest.split():
        yield space.join(rest.split()) + newline


_UNPACK = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def opener(path: pathlib.Path) -> Callable[[], BinaryIO]:
    """How to open a file that may be packed.

    Args:
        path: A file; of .gz, .bz2, .xz, or a .zip with one file in it.

    Returns:
        A function that opens it for reading bytes at any place.

    Raises:
        ValueError: Where it is not there, is empty, is damaged, or a .zip holds several files.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise ValueError(f"{path}: no such file.")
    if not path.stat().st_size:
        raise ValueError(f"{path} is empty.")
    if path.suffix not in (*_UNPACK, ".zip"):
        return lambda: open(path, "rb")
    try:
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if not name.endswith("/")]
                if len(names) != 1:
                    raise ValueError(f"{path} holds {len(names)} files; expected one. Unpack it and name the file.")
                with archive.open(names[0]) as packed:
                    return Spooled(iter(functools.partial(packed.read, _CHUNK), b""))
        with _UNPACK[path.suffix](path) as packed:
            return Spooled(iter(functools.partial(packed.read, _CHUNK), b""))
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


class Spooled:
    """Bytes in a file without a name: on disk, not in memory, and gone with the process however that ends.

    Calling it opens the file for reading.

    Args:
        pieces: The bytes, in order.

    Example:

    >>> with Spooled([b"a text ", b"in pieces"])() as file:
    ...     file.read()
    b'a text in pieces'
    """

    def __init__(self, pieces: Iterable[bytes]) -> None:
        handle, path = tempfile.mkstemp()
        os.unlink(path)
        with open(handle, "wb", closefd=False) as file:
            file.writelines(pieces)
        self._handle = handle
        weakref.finalize(self, os.close, handle)

    def __call__(self) -> BinaryIO:
        return open(f"/dev/fd/{self._handle}", "rb")


def whole_file(path: pathlib.Path, encoding: str, tidy: bool = False) -> Part:
    """A whole file as a part, in an encoding that can be cut at any line's end.

    Args:
        path: The file, which may be packed as `opener` takes it.
        encoding: Of its text, by Python's name.
        tidy: As in `Part`.

    Returns:
        The part.

    Raises:
        ValueError: Where it cannot be opened, or there is no such encoding.
    """
    opened = opener(path)
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise ValueError(
            f"--encoding={encoding}: Python knows no such encoding. Try utf-8, latin-1 or utf-16."
        ) from error
    part = Part(str(path), opened, encoding=name, tidy=tidy)
    if name.startswith(("utf-16", "utf-32")):
        recoded = Spooled(text.encode() for text in part.chunks())
        part = dataclasses.replace(part, open=recoded, encoding="utf-8")
    return part


def cut(part: Part, shares: Sequence[float]) -> list[Part]:
    """A file's consecutive parts, cut at lines' ends, or at spaces where lines are long.

    Args:
        part: A whole file.
        shares: Of its bytes, for each part.

    Returns:
        The parts.

    Example:

    >>> whole = Part("a poem", Spooled([b"one\\ntwo\\nthree\\n"]))
    >>> ["".join(part.chunks()) for part in cut(whole, [0.4, 0.6])]
    ['one\\ntwo\\n', 'three\\n']
    """
    with part.open() as file:
        size, places = file.seek(0, 2), [0]
        for share in np.cumsum(shares[:-1]):
            file.seek(int(size * share))
            ahead = file.read(1 << 16)
            found = [ahead.find(mark) for mark in (b"\n", b" ")]
            gap = next((place + 1 for place in found if place >= 0), 0)
            while not max(found) >= 0 and gap < len(ahead) and 0x80 <= ahead[gap] < 0xC0:  # within a UTF-8 character
                gap += 1
            places.append(max(places[-1], int(size * share) + gap))
    ends = [*places[1:], size]
    return [dataclasses.replace(part, start=a, end=b) for a, b in zip(places, ends, strict=True)]
