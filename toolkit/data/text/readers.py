"""Where text comes from: --data=READER:REST."""

import importlib
import pathlib
import re

from toolkit.data import sources, tfds
from toolkit.data.text.files import Part, cut, whole_file
from toolkit.files import binary
from toolkit.files.spooling import Spooled

SPLITS = ("train", "validation", "test")


def _text(rest, *, held_out, **how):
    names = [rest] if _is_file(rest) else rest.split(",")
    if not all(names) or len(names) > 3:
        raise ValueError(f"--data=text:{rest}: expected text:FILE, text:TRAIN,TEST or text:TRAIN,VALIDATION,TEST.")
    return _three([whole_file(binary.expanded(name), **how) for name in names], held_out)


def _is_file(name):
    try:
        return binary.expanded(name).is_file()
    except (OSError, ValueError):  # several names together may be too long for one, or begin like a user's
        return False


def _three(files, held_out):
    if len(files) == 1:
        return cut(files[0], [1 - 1.5 * held_out, held_out / 2, held_out])
    if len(files) == 2:
        return [*cut(files[0], [1 - held_out / 2, held_out / 2]), files[1]]
    return files


_NAMES = {"train": ("train",), "validation": ("valid", "val"), "test": ("test",)}


def _ptb(rest, *, held_out, **how):
    folder = binary.expanded(rest)
    try:
        there = sorted(folder.iterdir()) if rest else []
    except (OSError, ValueError):  # the second: a zero byte
        there = []
    if not there:
        raise ValueError(f"--data=ptb:{rest}: expected the folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt.")
    files, names = [], [path for path in there if not path.is_dir() and "char" not in path.name]
    for split, marks in _NAMES.items():
        found = [path for path in names if set(marks) & set(path.name.split(".")[:-1])]
        if len(found) != 1:
            shown = ", ".join(path.name for path in (found or there)[:5])
            raise ValueError(
                f"--data=ptb:{rest}: expected one file for {split}, NAME.{marks[0]}.txt; there "
                f"{'are' if found else 'is no such, but'} {shown}. Name the files: --data=text:TRAIN,VALIDATION,TEST."
            )
        files.append(whole_file(found[0], tidy=True, **how))
    return files


def _tfds(rest, *, held_out, **_):
    found = tfds.data_set(rest, such_as="tiny_shakespeare")
    key = next((key for key in ("text", "article", "document") if key in found.features), None)
    if key is None:
        raise found.lacks("text")

    def lines(part):
        for example in found.examples(part):
            yield example[key] + (b"" if example[key].endswith(b"\n") else b"\n")

    return _three([Part(f"tfds:{rest}, {part}", Spooled(lines(part))) for part in found.parts], held_out)


def _embedded(rest, *, held_out, **_):
    name, _, limit = rest.partition(":") if not re.fullmatch("[0-9]+", rest) else ("", ":", rest)
    if name not in ("", "english", "python") or not re.fullmatch("[0-9]{0,12}", limit):
        raise ValueError(
            f"--data=embedded:{rest}: expected embedded, embedded:python or either with a number of characters: "
            "embedded:english:100000."
        )
    text = (_python if name == "python" else _english)()
    text = text[: int(limit)] if limit else text
    return _three([Part(f"embedded:{rest}", Spooled([text.encode()]))], held_out)


def _english():
    """What Python's help says about its language: about 465,000 characters."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def _python():
    """The standard library's modules, without its tests: some ten million characters."""
    folder = pathlib.Path(importlib.import_module("os").__file__).parent
    skipped = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "pydoc_data", "lib2to3"}
    texts = []
    for path in sorted(folder.rglob("*.py")):
        if not skipped & set(path.relative_to(folder).parts[:-1]):
            texts.append(path.read_text("utf-8", "replace"))
    return "\n".join(texts)


READERS = {"embedded": _embedded, "text": _text, "ptb": _ptb, "tfds": _tfds}


def _sniff(path):
    if path.is_dir():
        return "ptb" if any(path.glob("*.train.*")) else None
    return "text"


def read(source: str, *, encoding: str, held_out: float, level: str = "char") -> dict[str, Part]:
    """Finds a text and parts it.

    Args:
        source, encoding, held_out, level: As in `corpus.load`.

    Returns:
        The three parts by the names of `SPLITS`.

    Raises:
        FileNotFoundError: Where there is no such file.
        ValueError: Where there is no such text, or something of it cannot be read.
        OSError: Where the system refuses, or the temporary folder is full.

    Example:

    >>> read("embedded:english:20000", encoding="utf-8", held_out=0.1)["train"].path
    'embedded:english:20000'
    """
    name, rest = sources.parse(source, READERS, _sniff)
    parts = READERS[name](rest, encoding=encoding, held_out=held_out, level=level)
    return dict(zip(SPLITS, parts, strict=True))
