"""Where text comes from: --data=READER:REST."""

import importlib
import pathlib

from toolkit.data import sources, tfds
from toolkit.data.text.files import Part, Spooled, cut, whole_file

SPLITS = ("train", "validation", "test")


def _text(rest, *, encoding, held_out, **_):
    if not rest:
        raise ValueError("--data=text: expected text:FILE, text:TRAIN,TEST or text:TRAIN,VALIDATION,TEST.")
    names = [rest] if pathlib.Path(rest).expanduser().is_file() else rest.split(",")
    if len(names) > 3:
        raise ValueError(f"--data=text:{rest}: expected one, two or three files; got {len(names)}.")
    files = [whole_file(pathlib.Path(name).expanduser(), encoding) for name in names]
    return _three(files, held_out)


def _three(files, held_out):
    if len(files) == 1:
        return cut(files[0], [1 - 1.5 * held_out, held_out / 2, held_out])
    if len(files) == 2:
        return [*cut(files[0], [1 - held_out / 2, held_out / 2]), files[1]]
    return files


_NAMES = {"train": ("train",), "validation": ("valid", "val"), "test": ("test",)}


def _ptb(rest, *, encoding, **_):
    folder = pathlib.Path(rest).expanduser()
    if not rest or not folder.is_dir():
        raise ValueError(f"--data=ptb:{rest}: expected the folder of ptb.train.txt, ptb.valid.txt and ptb.test.txt.")
    files, names = [], [path for path in folder.iterdir() if path.is_file() and "char" not in path.name]
    for split, marks in _NAMES.items():
        found = sorted(path for path in names if set(marks) & set(path.name.split(".")[:-1]))
        if len(found) != 1:
            there = ", ".join(path.name for path in found or sorted(folder.iterdir())[:5])
            raise ValueError(
                f"--data=ptb:{rest}: expected one file for {split}, NAME.{marks[0]}.txt; there "
                f"{'are' if found else 'is no such, but'} {there}. Name the files: --data=text:TRAIN,VALIDATION,TEST."
            )
        files.append(whole_file(found[0], encoding, tidy=True))
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
    name, _, limit = rest.partition(":")
    if name not in ("", "english", "python") or (limit and not limit.isdigit()):
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


def read(source: str, *, encoding: str, held_out: float) -> dict[str, Part]:
    """Finds a text and parts it.

    Args:
        source, encoding, held_out: As in `corpus.load`.

    Returns:
        The three parts by the names of `SPLITS`.

    Raises:
        ValueError: Where there is no such text, or something of it cannot be read.

    Example:

    >>> read("embedded:english:20000", encoding="utf-8", held_out=0.1)["train"].path
    'embedded:english:20000'
    """
    name, rest = sources.parse(source, READERS, _sniff)
    return dict(zip(SPLITS, READERS[name](rest, encoding=encoding, held_out=held_out), strict=True))
