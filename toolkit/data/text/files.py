"""Text files: packed or plain, in any encoding, read in pieces."""

import codecs
import dataclasses
import io
import pathlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np

from toolkit.data.text.words import whole_words
from toolkit.files import archives, binary
from toolkit.files.spooling import Spooled, check_room

_CHUNK = 1 << 20
# Read where they lie, and cut at any line's end; a file of another encoding is recoded first.
_IN_PLACE = {"utf-8", "ascii", "iso8859-1"}
# Python calls them encodings of text, but no file is written in them.
_NO_FILES = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "charmap"}


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

    def chunks(self, level: str = "char") -> Iterator[Any]:
        """Reads the text in pieces of about a megabyte.

        Args:
            level: "char": strings, whose lines end in "\\n" whatever the file's do, without a byte order mark; "word":
                such strings, cut at white space only; "byte": the file's bytes as they are.

        Yields:
            Strings, or bytes.

        Raises:
            ValueError: Where the file is not in the encoding, with the line and the byte; or has a zero byte, or a word
                of more than a million characters.
        """
        pieces = self._bytes() if level == "byte" else self._decoded()
        if self.tidy or level == "word":
            pieces = whole_words(pieces, self.path)
        yield from _tidied(pieces, level == "byte") if self.tidy else pieces

    def _bytes(self):
        with self.open() as file:
            file.seek(self.start)
            left = None if self.end is None else self.end - self.start
            while piece := file.read(_CHUNK if left is None else min(_CHUNK, left)):
                left = None if left is None else left - len(piece)
                yield piece

    def _decoded(self):
        decoder, lines = codecs.getincrementaldecoder(self.encoding)(), io.IncrementalNewlineDecoder(None, True)
        place, line, begins = self.start, 1, self.start == 0
        for piece in self._bytes():
            held = len(decoder.getstate()[0])
            try:
                text = decoder.decode(piece)
            except UnicodeDecodeError as error:
                at, line = place - held + error.start, line + piece[: max(error.start - held, 0)].count(b"\n")
                raise ValueError(
                    f"{self.path}, byte {at} ({self._told(line)}): {error.object[error.start : error.start + 4]!r} is "
                    f"not {self.encoding}: {error.reason}. Give the file's --encoding, such as latin-1 or utf-16, or "
                    "read it with --level=byte."
                ) from error
            if "\0" in text:
                line += text[: text.index("\0")].count("\n")
                raise ValueError(
                    f"{self.path}, {self._told(line)}: a zero byte, which no text has. Is it of another --encoding, "
                    "such as utf-16, or damaged? Bytes of any kind are read with --level=byte."
                )
            place, line = place + len(piece), line + piece.count(b"\n")
            if begins and text:
                text, begins = text.removeprefix("\ufeff"), False
            if text := lines.decode(text):
                yield text
        if text := lines.decode("", final=True):
            yield text
        if decoder.getstate()[0]:
            raise ValueError(
                f"{self.path} ends within a character of {self.encoding}: the file is cut, or of another --encoding."
            )

    def _told(self, line):
        return f"line {line}" if not self.start else f"line {line} of its part"


def _tidied(pieces, is_binary):
    newline, space = (b"\n", b" ") if is_binary else ("\n", " ")
    goes_on = False  # whether words stand in the line that the next piece begins in
    for piece in pieces:
        lines = [line.split() for line in piece.split(newline)]
        if goes_on and lines[0]:
            yield space
        yield newline.join(map(space.join, lines))
        goes_on = bool(lines[-1]) or (goes_on and len(lines) == 1)
    if goes_on:
        yield newline


def opener(path: pathlib.Path) -> Callable[[], BinaryIO]:
    """Makes a function that opens a file, which may be compressed.

    Args:
        path: A file; of .gz, .bz2, .xz, or a .zip with one file in it.

    Returns:
        A function that opens it for reading bytes at any place.

    Raises:
        FileNotFoundError: Where it is not there.
        ValueError: Where it is no file, is empty, is damaged, has holes, or a .zip holds several files.
        OSError: Where the system refuses, or the temporary folder is full.
    """
    path = binary.check(path, "a text file")
    if path.suffix.lower() in archives.PACKED:
        return Spooled(archives.unpacked(path))
    binary.check_holes(path)
    return lambda: binary.opened(path)


def codec(encoding: str) -> str:
    """Python's name of an encoding.

    Args:
        encoding: As a person gives it.

    Returns:
        The name.

    Raises:
        ValueError: Where it is none that text files are in.

    Example:

    >>> codec("latin1")
    'iso8859-1'
    >>> codec("rot13")
    Traceback (most recent call last):
    ValueError: --encoding=rot13 is no encoding of text files. Try utf-8, latin-1 or utf-16.
    """
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError) as error:  # the second: a zero byte
        raise ValueError(
            f"--encoding={encoding:.60}: Python knows no such encoding. Try utf-8, latin-1 or utf-16."
        ) from error
    if not found._is_text_encoding or found.incrementaldecoder is None or found.name.replace("_", "-") in _NO_FILES:
        raise ValueError(f"--encoding={encoding} is no encoding of text files. Try utf-8, latin-1 or utf-16.")
    return found.name


def whole_file(path: pathlib.Path, encoding: str, level: str = "char", tidy: bool = False) -> Part:
    """Opens a whole file as a part that can be cut at any line's end.

    Args:
        path: The file, which may be packed as `opener` takes it.
        encoding: Of its text.
        level: What is read of it: bytes are left in the encoding.
        tidy: As in `Part`.

    Returns:
        The part.

    Raises:
        FileNotFoundError: Where it is not there.
        ValueError: Where it cannot be opened or decoded, or there is no such encoding.
        OSError: Where the system refuses, or the temporary folder has less room than its tokens take.
    """
    name = codec(encoding)
    part = Part(str(path), opener(path), encoding="utf-8" if name == "utf-8-sig" else name, tidy=tidy)
    if level == "byte" or part.encoding in _IN_PLACE:
        with part.open() as file:
            # A token takes a byte; of UTF-8, a character takes one to four and its token one to four.
            check_room(0 if level == "word" else file.seek(0, 2) // 2, part.path)
        return part
    return dataclasses.replace(part, open=Spooled(_recoded(part)), encoding="utf-8")


def _recoded(part):
    for text in part.chunks():
        try:
            yield text.encode()
        except UnicodeEncodeError as error:
            raise ValueError(
                f"{part.path} has {error.object[error.start]!r}, a half of a character: it is damaged, or of another "
                f"--encoding than {part.encoding}."
            ) from error


def cut(part: Part, shares: Sequence[float]) -> list[Part]:
    """Cuts a file into consecutive parts, at lines' ends, or at spaces where lines are long.

    Args:
        part: A whole file.
        shares: Each part's share of its bytes.

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
            # The last byte may be the first half of a line's end.
            found = [ahead.find(b"\n"), ahead[:-1].find(b"\r"), ahead.find(b" ")]
            gap = next((place + 1 for place in found if place >= 0), 0)
            while not max(found) >= 0 and gap < len(ahead) and 0x80 <= ahead[gap] < 0xC0:  # within a UTF-8 character
                gap += 1
            places.append(max(places[-1], int(size * share) + gap))
    ends = [*places[1:], size]
    return [dataclasses.replace(part, start=a, end=b) for a, b in zip(places, ends, strict=True)]
