"""A text's three parts as token numbers (data of Graves 2013, section 3)."""

import dataclasses
import hashlib
from typing import Any

import numpy as np

from toolkit.data.pipelines import Batches, Splits
from toolkit.data.text.readers import SPLITS, read
from toolkit.data.text.streaming import streams
from toolkit.data.text.vocabulary import LEVELS, Vocabulary
from toolkit.files.spooling import Spooled


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

    @property
    def contents(self) -> dict[str, Any]:
        """What tells this text apart from another, for JSON: a digest of the vocabulary and of every token."""
        tokens = {
            split: hashlib.sha256(np.ascontiguousarray(part)).hexdigest()[:16] for split, part in self.tokens.items()
        }
        known = hashlib.sha256("\0".join(self.vocabulary.tokens).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return {"level": self.vocabulary.level, "vocabulary": known, "text": tokens}

    def streams(self, split: str, batch_size: int, sequence_length: int, reset_every: int = 0) -> Batches:
        """Cuts a part into streams: row b of each batch continues row b of the batch before.

        Args:
            split: "train", "validation" or "test".
            batch_size: Number of streams.
            sequence_length: Tokens of each stream in a batch.
            reset_every: Batches after which the states are reset; 0: only at the part's start.

        Returns:
            Batches of {"tokens": int32 (batch, time), what is read; "targets": int32 (batch, time), the token after
            each, -1 after the end; "continues": float32 (batch,), 0 where the state is reset}. Before the first token
            0 is read, so every token is a target once.
        """
        return streams(self.tokens[split], batch_size, sequence_length, reset_every)

    def splits(self, batch_size: int, sequence_length: int, reset_every: int = 0) -> Splits:
        """Cuts all three parts into streams.

        Args:
            batch_size, sequence_length, reset_every: As in `streams`; `reset_every` holds for the training part only.

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
        encoding: Of the files, whose lines may end in any way; bytes are read as they are.
        held_out: The share of a text without a test part that becomes one.
        max_tokens: Words: the most frequent ones of the training part, with "<unk>"; 0: all.
        vocabulary: The one of a model that was trained before; without it, the training part's.

    Returns:
        A `Corpus`. Its tokens are in temporary files, so memory does not limit a text's size.

    Raises:
        FileNotFoundError: Where there is no such file.
        ValueError: Where something cannot be read, naming the file and the place.
        OSError: Where the system refuses, or the temporary folder is full.

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
    parts = read(source, encoding=encoding, held_out=held_out, level=level)
    if vocabulary is None:
        vocabulary = Vocabulary.of(parts["train"].chunks(level), level, max_tokens)
    tokens, characters, words, unknown = {}, {}, {}, {}
    for split, part in parts.items():
        counted = {"characters": 0, "words": 0}
        spooled, size, missing = _spooled_tokens(vocabulary, _counting(part.chunks(level), counted))
        if not size:
            raise ValueError(f"--data={source}: the {split} part is empty: {part.path} holds too little text.")
        with spooled() as file:
            tokens[split] = np.memmap(file, vocabulary.dtype, mode="r")
        characters[split], words[split], unknown[split] = counted["characters"], counted["words"], missing / size
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
    """All token numbers in a temporary file, how many they are, and how many of them are unknown."""
    size = missing = 0

    def content():
        nonlocal size, missing
        for numbers in vocabulary.encoded(pieces):
            size += len(numbers)
            if vocabulary.unknown_number is not None:
                missing += int(np.count_nonzero(numbers == vocabulary.unknown_number))
            yield np.ascontiguousarray(numbers, vocabulary.dtype).tobytes()

    return Spooled(content()), size, missing
