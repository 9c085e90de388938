"""Mail that was sorted into wanted and unwanted, a file each, as the Enron-Spam corpus is published."""

import os
import pathlib
from collections.abc import Iterator, Sequence

from toolkit.data.text.files import codec, opener
from toolkit.files import binary, limits
from toolkit.files.names import natural_order, printable

CLASSES = ("ham", "spam")
_DEPTH = 3  # folders down to the classes' own: the corpus, as it is unpacked, is enron1/enron1/ham
_LONGEST = 16 * limits.MIB
_ZEROS = 0.05  # share of a mail that may be zero bytes


def files(folder: str | os.PathLike) -> dict[str, list[pathlib.Path]]:
    """Finds the mails of each class.

    Args:
        folder: Where `ham/` and `spam/` lie, up to three folders down, also several of each, as in enron1 to enron6.

    Returns:
        By class, "ham" and "spam", the files of its folders, in natural order; hidden ones are left out.

    Raises:
        FileNotFoundError: Where there is no such folder.
        ValueError: Where it is none, or a class has no file.
        OSError: Where a folder cannot be read.
    """
    folder, shown = binary.expanded(folder), printable(folder)
    if not binary.exists(folder):
        raise FileNotFoundError(f"{shown}: no such folder; expected one with ham/ and spam/.")
    if not folder.is_dir():
        raise ValueError(f"{shown} is no folder; expected one with ham/ and spam/.")
    found = {name: [] for name in CLASSES}
    for own in _folders(folder, _DEPTH):
        if own.name.lower() in found:
            paths = (path for path in own.iterdir() if not path.name.startswith(".") and not path.is_dir())
            found[own.name.lower()] += sorted(paths, key=lambda path: natural_order(path.name))
    for name, paths in found.items():
        if not paths:
            raise ValueError(f"{shown}: no mail in {name}/; expected ham/ and spam/ with a file for each mail.")
    return found


def _folders(folder, depth):
    """A folder and those in it, so many levels down, in order; links are not followed, which could lead round."""
    yield folder
    for path in sorted(folder.iterdir()) if depth else ():
        if path.is_dir() and not path.is_symlink() and not path.name.startswith("."):
            yield from _folders(path, depth - 1)


def texts(paths: Sequence[pathlib.Path], encoding: str = "latin-1") -> Iterator[str]:
    """Reads mails, one at a time.

    Args:
        paths: Their files, packed (.gz, .bz2, .xz) or not.
        encoding: Of their text; latin-1 takes any byte.

    Yields:
        Each one's text, headers included. A zero byte, as there is in spam, is a space.

    Raises:
        FileNotFoundError: Where one is not there.
        ValueError: Where one is empty, damaged, has many zero bytes, more than 16 MB or is not in the encoding, with
            the file and the line; or there is no such encoding.
        OSError: Where the system refuses.
    """
    name = codec(encoding)
    for path in paths:
        shown = printable(path)
        with opener(path)() as file:
            limits.check(file.seek(0, 2), shown, _LONGEST)
            file.seek(0)
            content = file.read()
        try:
            text = content.decode(name).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise ValueError(
                f"{shown}, line {line}: {error.object[error.start : error.start + 4]!r} is not {name}: {error.reason}. "
                "Give the mail's --encoding; latin-1 takes any byte."
            ) from error
        if text.count("\0") > _ZEROS * len(text):
            raise ValueError(
                f"{shown} has {text.count(chr(0)):,} zero bytes: is it of another --encoding, such as utf-16, or "
                "damaged?"
            )
        yield text.replace("\0", " ")
