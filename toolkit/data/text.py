"""Text of any size as tokens: characters, bytes or words, laid out in streams (data of Graves 2013, section 3)."""

import bz2
import codecs
import collections
import dataclasses
import functools
import gzip
import importlib
import json
import lzma
import os
import pathlib
import re
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from toolkit.data import sources
from toolkit.data.pipelines import Batches, Splits
from toolkit.lazy import tensorflow as tf

LEVELS = ("char", "byte", "word")
UNKNOWN = "<unk>"
END_OF_LINE = "<eos>"
SPLITS = ("train", "validation", "test")
_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What the numbers of a text's tokens mean.

    Number 0 is the unknown token "<unk>", but for bytes, which are all known. Words are what white space separates, and
    the end of each line is the word "<eos>", as in the Penn Treebank files.

    Args:
        level: "char", "byte" or "word".
        tokens: The tokens, each once, in the order of their numbers.

    Example:

    >>> vocabulary = Vocabulary.of(["a cat\\na hat\\n"], "word", max_tokens=4)
    >>> vocabulary.tokens
    ('<unk>', '<eos>', 'a', 'cat')
    >>> vocabulary.decode(vocabulary.encode("a hat\\n"))
    'a <unk>\\n'
    """

    level: str
    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts, level: str, max_tokens: int = 0) -> "Vocabulary":
        """The vocabulary of a text.

        Args:
            texts: The text's pieces, in order.
            level: "char", "byte" or "word".
            max_tokens: Words: the most frequent ones, this many with "<unk>"; 0: all.

        Returns:
            Characters in the order of their code points; words by falling frequency, as `SampledSoftmax` wants them.
        """
        if level == "byte":
            return cls(level, tuple(chr(code) for code in range(256)))
        counts = collections.Counter()
        if level == "char":
            for text in texts:
                codes, numbers = np.unique(_codes(text), return_counts=True)
                counts.update(dict(zip(codes.tolist(), numbers.tolist(), strict=True)))
            return cls(level, (UNKNOWN, *map(chr, sorted(counts))))
        for words in _words(texts):
            counts.update(words)
        counts.pop(UNKNOWN, None)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(level, (UNKNOWN, *(ranked[: max_tokens - 1] if max_tokens else ranked)))

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """Each token's number."""
        return {token: number for number, token in enumerate(self.tokens)}

    @functools.cached_property
    def _table(self):
        table = np.zeros(0x110000, _dtype(len(self.tokens)))
        for number, token in enumerate(self.tokens):
            if len(token) == 1:
                table[ord(token)] = number
        return table

    def encode(self, text: str) -> np.ndarray:
        """A text's token numbers.

        Args:
            text: The text; bytes are those of its UTF-8.

        Returns:
            int32 (tokens,); 0 for what is not in the vocabulary.
        """
        return np.concatenate([np.zeros(0, "int32"), *self.encoded([text])]).astype("int32")

    def encoded(self, texts) -> Iterator[np.ndarray]:
        """The token numbers of a text that comes in pieces.

        Args:
            texts: The pieces, in order; words may go on from one to the next.

        Yields:
            Integers (tokens,).
        """
        if self.level == "byte":
            for text in texts:
                yield np.frombuffer(text.encode() if isinstance(text, str) else text, np.uint8)
        elif self.level == "char":
            for text in texts:
                yield self._table[_codes(text)]
        else:
            for words in _words(texts):
                get = self.numbers.get
                yield np.fromiter((get(word, 0) for word in words), _dtype(len(self.tokens)), len(words))

    def decode(self, numbers: Sequence[int]) -> str:
        """The text of token numbers.

        Args:
            numbers: (tokens,).

        Returns:
            The text; bytes that are no UTF-8 as "\ufffd".
        """
        if self.level == "byte":
            return np.asarray(numbers, np.uint8).tobytes().decode("utf-8", "replace")
        pieces = [self.tokens[number] for number in numbers]
        if self.level == "char":
            return "".join("\ufffd" if piece == UNKNOWN else piece for piece in pieces)
        return re.sub(r" ?\n ?", "\n", " ".join("\n" if piece == END_OF_LINE else piece for piece in pieces))

    def shown(self, numbers: Sequence[int]) -> list[str]:
        """Each token as a person sees it: a space, a line's end and a byte beyond ASCII get a sign of their own.

        Args:
            numbers: (tokens,).
        """
        signs = {" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", UNKNOWN: "\ufffd", END_OF_LINE: "\u21b5"}
        pieces = [self.tokens[number] for number in numbers]
        if self.level == "word":
            return [signs.get(piece, piece) if piece == END_OF_LINE else piece for piece in pieces]
        return [signs.get(piece, piece if piece.isprintable() else "\u00b7") for piece in pieces]

    def unknown(self, text: str) -> list[str]:
        """What of a text is not in the vocabulary, each once, in order.

        Args:
            text: The text.
        """
        if self.level == "byte":
            return []
        pieces = text if self.level == "char" else [word for words in _words([text]) for word in words]
        return [piece for piece in dict.fromkeys(pieces) if piece not in self.numbers]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"level": self.level, "tokens": list(self.tokens)}

    @classmethod
    def read(cls, path: pathlib.Path) -> "Vocabulary":
        """From the JSON file that holds it, or that holds it under "vocabulary".

        Args:
            path: The file.

        Raises:
            ValueError: Where it is not a vocabulary's.
        """
        try:
            content = json.loads(pathlib.Path(path).read_text())
            content = content.get("vocabulary", content)
            return cls(content["level"], tuple(content["tokens"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path} does not hold a vocabulary.") from error

    def differs(self, other: "Vocabulary") -> str:
        """What tells two vocabularies apart, in words; "" for equal ones.

        Args:
            other: The other one.
        """
        if self.level != other.level:
            return f"one is of {self.level}s, the other of {other.level}s"
        more, fewer = (sorted(set(a.tokens) - set(b.tokens)) for a, b in ((self, other), (other, self)))
        told = [f"only {name} has {', '.join(map(repr, have[:5]))}" for name, have in
                (("the first", more), ("the second", fewer)) if have]  # fmt: skip
        if told:
            return f"{len(self.tokens)} tokens and {len(other.tokens)}: {'; '.join(told)}"
        return "" if self.tokens == other.tokens else "the same tokens in another order"


def _dtype(num_tokens):
    return np.uint8 if num_tokens <= 1 << 8 else np.uint16 if num_tokens <= 1 << 16 else np.int32


def _codes(text):
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _words(texts):
    """Lists of words; one that is cut by a piece's end is put together."""
    rest = ""
    for text in texts:
        text = rest + text
        # What follows the last white space may go on.
        end = max(text.rfind(" "), text.rfind("\n"), text.rfind("\t")) + 1
        rest = text[end:]
        yield text[:end].replace("\n", f" {END_OF_LINE} ").split()
    yield rest.split()


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
    open: Callable[[], Any]
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


def opener(path: pathlib.Path) -> Callable[[], Any]:
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
                    return _Spooled(iter(functools.partial(packed.read, _CHUNK), b""))
        with _UNPACK[path.suffix](path) as packed:
            return _Spooled(iter(functools.partial(packed.read, _CHUNK), b""))
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


class _Spooled:
    """Bytes in a file without a name: on disk, not in memory, and gone with the process however that ends."""

    def __init__(self, pieces):
        handle, path = tempfile.mkstemp()
        os.unlink(path)
        with open(handle, "wb", closefd=False) as file:
            file.writelines(pieces)
        self._handle = handle
        weakref.finalize(self, os.close, handle)

    def __call__(self):
        return open(f"/dev/fd/{self._handle}", "rb")


def _file(path, encoding, tidy=False):
    """A whole file as a part, in an encoding that can be cut at any line's end."""
    opened = opener(path)
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise ValueError(
            f"--encoding={encoding}: Python knows no such encoding. Try utf-8, latin-1 or utf-16."
        ) from error
    part = Part(str(path), opened, encoding=name, tidy=tidy)
    if name.startswith(("utf-16", "utf-32")):
        recoded = _Spooled(text.encode() for text in part.chunks())
        part = dataclasses.replace(part, open=recoded, encoding="utf-8")
    return part


def _cut(part, shares):
    """A file's consecutive parts, cut at lines' ends, or at spaces where lines are long."""
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


def _text(rest, *, encoding, held_out, **_):
    if not rest:
        raise ValueError("--data=text: expected text:FILE, text:TRAIN,TEST or text:TRAIN,VALIDATION,TEST.")
    names = [rest] if pathlib.Path(rest).expanduser().is_file() else rest.split(",")
    if len(names) > 3:
        raise ValueError(f"--data=text:{rest}: expected one, two or three files; got {len(names)}.")
    files = [_file(pathlib.Path(name).expanduser(), encoding) for name in names]
    return _three(files, held_out)


def _three(files, held_out):
    if len(files) == 1:
        return _cut(files[0], [1 - 1.5 * held_out, held_out / 2, held_out])
    if len(files) == 2:
        return [*_cut(files[0], [1 - held_out / 2, held_out / 2]), files[1]]
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
        files.append(_file(found[0], encoding, tidy=True))
    return files


def _tfds(rest, *, held_out, **_):
    if not rest:
        raise ValueError("--data=tfds: expected tfds:NAME, such as tfds:tiny_shakespeare.")
    try:
        tfds = importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise ValueError(
            f"--data=tfds:{rest} needs TensorFlow Datasets: ./run python -m pip install tensorflow-datasets."
        ) from error
    builder = tfds.builder(rest)
    builder.download_and_prepare()
    key = next((key for key in ("text", "article", "document") if key in builder.info.features), None)
    if key is None:
        raise ValueError(f"--data=tfds:{rest} has no text: its features are {', '.join(builder.info.features)}.")

    def lines(split):
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            yield example[key] + (b"" if example[key].endswith(b"\n") else b"\n")

    names = [name for name in SPLITS if name in builder.info.splits]
    return _three([Part(f"tfds:{rest}, {name}", _Spooled(lines(name))) for name in names], held_out)


def _embedded(rest, *, held_out, **_):
    name, _, limit = rest.partition(":")
    if name not in ("", "english", "python") or (limit and not limit.isdigit()):
        raise ValueError(
            f"--data=embedded:{rest}: expected embedded, embedded:python or either with a number of characters: "
            "embedded:english:100000."
        )
    text = (_python if name == "python" else _english)()
    text = text[: int(limit)] if limit else text
    return _three([Part(f"embedded:{rest}", _Spooled([text.encode()]))], held_out)


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


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A text's three parts as token numbers.

    Args:
        vocabulary: What the numbers mean.
        tokens: By split, (tokens,), in a file that the system reads as needed.
        characters: By split, how many; bytes where tokens are.
        words: By split, how many, ends of lines counted.
        unknown: By split, the share of tokens that are unknown.
    """

    vocabulary: Vocabulary
    tokens: dict[str, np.ndarray]
    characters: dict[str, int]
    words: dict[str, int]
    unknown: dict[str, float]

    def streams(self, split: str, batch_size: int, sequence_length: int, reset_every: int = 0) -> Batches:
        """A part as streams laid end to end: row b of each batch goes on where row b of the batch before ended.

        Args:
            split: "train", "validation" or "test".
            batch_size: Streams.
            sequence_length: Tokens of each in a batch.
            reset_every: Batches after which the streams' states begin anew; 0: only at the part's start.

        Returns:
            Batches of {"tokens": int32 (batch, time), what is read; "targets": int32 (batch, time), the token after
            each, -1 after the end; "continues": float32 (batch,), 0 where a state begins anew}. Before the first token
            0 is read, so every token is a target once.
        """
        return streams(self.tokens[split], batch_size, sequence_length, reset_every)

    def splits(self, batch_size: int, sequence_length: int, reset_every: int = 0) -> Splits:
        """All three parts as streams.

        Args:
            batch_size, sequence_length, reset_every: As in `streams`; only the training is reset.

        Raises:
            ValueError: Where the training part is shorter than one batch.
        """
        needed = batch_size * sequence_length
        if len(self.tokens["train"]) < needed:
            raise ValueError(
                f"The training text has {len(self.tokens['train'])} tokens; a batch of {batch_size} streams of "
                f"{sequence_length} needs {needed}. Lower --batch_size or --sequence_length, or give more text."
            )
        parts = (self.streams(split, batch_size, sequence_length) for split in SPLITS[1:])
        return Splits(self.streams("train", batch_size, sequence_length, reset_every), *parts)


def streams(tokens: np.ndarray, batch_size: int, sequence_length: int, reset_every: int = 0) -> Batches:
    """Tokens as contiguous streams; see `Corpus.streams`.

    Args:
        tokens: (tokens,).
        batch_size, sequence_length, reset_every: As there.

    Example:

    >>> for batch in streams(np.arange(1, 8), 2, 2).dataset(num_epochs=1).as_numpy_iterator():
    ...     print(batch["tokens"].tolist(), batch["targets"].tolist(), batch["continues"].tolist())
    [[0, 1], [4, 5]] [[1, 2], [5, 6]] [0.0, 0.0]
    [[2, 3], [6, 0]] [[3, 4], [7, -1]] [1.0, 1.0]
    """
    num_tokens = len(tokens)
    length = -(-num_tokens // batch_size)
    num_steps = -(-length // sequence_length)
    starts = np.arange(batch_size) * length

    def read(steps):
        (step,) = steps
        places = starts[:, None] + step * sequence_length + np.arange(sequence_length)
        inside = (places < starts[:, None] + length) & (places < num_tokens)
        places = np.minimum(places, num_tokens - 1)
        targets = tokens[places].astype("int32")
        before = np.where(places > 0, tokens[np.maximum(places - 1, 0)].astype("int32"), 0)
        goes_on = step > 0 and not (reset_every and step % reset_every == 0)
        return {
            "tokens": np.where(inside, before, 0).astype("int32"),
            "targets": np.where(inside, targets, -1).astype("int32"),
            "continues": np.full(batch_size, goes_on, "float32"),
        }

    shape = (batch_size, sequence_length)
    signature = {
        "tokens": tf.TensorSpec(shape, tf.int32),
        "targets": tf.TensorSpec(shape, tf.int32),
        "continues": tf.TensorSpec(shape[:1], tf.float32),
    }
    return Batches(
        read, lambda epoch: [np.array([step]) for step in range(num_steps)], signature, num_examples=num_tokens
    )


def load(
    source: str,
    *,
    level: str = "char",
    encoding: str = "utf-8",
    held_out: float = 0.1,
    max_tokens: int = 0,
    vocabulary: Vocabulary | None = None,
) -> Corpus:
    """Reads a text.

    Args:
        source: READER:REST. embedded: Python's help on its language, English; embedded:python: its standard library's
            source. text:FILE (its last `held_out` is the test, half as much before it the validation), text:TRAIN,TEST
            or text:TRAIN,VALIDATION,TEST; files may be packed (.gz, .bz2, .xz, .zip). ptb:FOLDER: the Penn Treebank's
            files, or others named so. tfds:NAME: a data set of TensorFlow Datasets with a feature "text".
        level: "char", "byte" or "word".
        encoding: Of the files; bytes are read as they are.
        held_out: The share of a text without a test part that becomes one.
        max_tokens: Words: the most frequent ones of the training part, with "<unk>"; 0: all.
        vocabulary: The one of a model that was trained before; without it, the training part's.

    Returns:
        A `Corpus`. Its tokens are in temporary files, so memory does not limit a text's size.

    Raises:
        ValueError: Where something cannot be read, naming the file and the place.

    Example:

    >>> corpus = load("embedded:english:20000")
    >>> len(corpus.tokens["train"]) > 10 * len(corpus.tokens["test"]) / 1.5 > 0
    True

    Reference: Marcus et al. 1993 and Mikolov 2010 (Penn Treebank); Hutter 2006 (enwik8); Graves 2013, arXiv 1308.0850,
    section 3.
    """
    if level not in LEVELS:
        raise ValueError(f"--level={level}: expected one of {', '.join(LEVELS)}.")
    if not 0 < held_out < 0.6:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.6.")
    name, rest = sources.parse(source, READERS, _sniff)
    parts = dict(zip(SPLITS, READERS[name](rest, encoding=encoding, held_out=held_out), strict=True))
    binary = level == "byte"
    for split, part in parts.items():
        if next(part.chunks(binary), None) is None:
            raise ValueError(f"--data={source}: the {split} part is empty: {part.path} holds too little text.")
    if vocabulary is None:
        vocabulary = Vocabulary.of(parts["train"].chunks(binary), level, max_tokens)
    tokens, characters, words, unknown = {}, {}, {}, {}
    for split, part in parts.items():
        counted = {"characters": 0, "words": 0, "in_word": False}
        tokens[split], missing = _spooled_tokens(vocabulary, _counting(part.chunks(binary), counted))
        characters[split], words[split] = counted["characters"], counted["words"]
        unknown[split] = missing / max(len(tokens[split]), 1)
    return Corpus(vocabulary, tokens, characters, words, unknown)


def _counting(pieces, counted):
    """Passes pieces on, and counts characters and words: runs without white space, and ends of lines."""
    last_was_space = True
    for piece in pieces:
        space, newline = (b" ", b"\n") if isinstance(piece, bytes) else (" ", "\n")
        counted["characters"] += len(piece)
        # A word that goes on from the piece before was counted there.
        goes_on = not last_was_space and not piece[:1].isspace()
        counted["words"] += len(piece.split()) - goes_on + piece.count(newline)
        last_was_space = piece[-1:].isspace() or piece[-1:] == space
        yield piece


def _spooled_tokens(vocabulary, pieces):
    """All token numbers in a temporary file that is mapped to memory, and how many are unknown."""
    dtype, missing = _dtype(len(vocabulary.tokens)), []

    def content():
        for numbers in vocabulary.encoded(pieces):
            missing.append(0 if vocabulary.level == "byte" else int(np.count_nonzero(numbers == 0)))
            yield np.ascontiguousarray(numbers, dtype).tobytes()

    with _Spooled(content())() as file:
        return np.memmap(file, dtype, mode="r"), sum(missing)
