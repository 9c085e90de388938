"""What the numbers of a text's tokens mean."""

import collections
import dataclasses
import functools
import itertools
import pathlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from toolkit.data.text.words import END_OF_LINE, split_words
from toolkit.files import text as text_files

LEVELS = ("char", "byte", "word")
UNITS = {"char": "character", "byte": "byte", "word": "word"}
UNKNOWN = "<unk>"
_SHOWN = 40  # characters of a word, or of a text, in a message
_KNOWN = 200  # characters of a vocabulary in a message
SPECIAL = PADDING, START, END = "<pad>", "<start>", "<end>"


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """What the numbers of a text's tokens mean.

    Number 0 is the unknown token "<unk>", but for bytes, which are all known. Words are what white space separates, and
    the end of each line is the word "<eos>", as in the Penn Treebank files.

    Texts in batches, as captions and questions are, want padding, a start and an end: `special` of `Vocabulary.of`.
    These tokens come first, before "<unk>", so that padding is 0, which models mask.

    Args:
        level: "char", "byte" or "word".
        tokens: The tokens, each once, in the order of their numbers.

    Example:

    >>> vocabulary = Vocabulary.of(["a cat\\na hat\\n"], "word", max_tokens=4)
    >>> vocabulary.tokens
    ('<unk>', '<eos>', 'a', 'cat')
    >>> vocabulary.decode(vocabulary.encode("a hat\\n"))
    'a <unk>\\n'
    >>> vocabulary = Vocabulary.of(["a cat"], "word", special=("<pad>", "<start>", "<end>"))
    >>> vocabulary.encode_batch(["a cat", "a"], start=True, end=True)
    array([[1, 4, 5, 2],
           [1, 4, 2, 0]], dtype=int32)
    """

    level: str
    tokens: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[str], level: str, max_tokens: int = 0, special: Sequence[str] = ()) -> "Vocabulary":
        """Builds the vocabulary of a text.

        Args:
            texts: The text's pieces, in order.
            level: "char", "byte" or "word".
            max_tokens: For words: the vocabulary's size, "<unk>" and the special tokens included; the most frequent
                words are kept. 0: all.
            special: Which of "<pad>", "<start>" and "<end>" to have. With any, `texts` are separate texts; without,
                pieces of one, whose words may continue in the next piece.

        Returns:
            Characters in the order of their code points; words by falling frequency, as `SampledSoftmax` wants them.

        Raises:
            ValueError: Where `special` has others, or `max_tokens` leaves no room for what is always there.
        """
        if set(special) - set(SPECIAL):
            raise ValueError(f"special must be of {', '.join(SPECIAL)}; got {', '.join(special)}.")
        special = tuple(token for token in SPECIAL if token in special)
        if level == "byte":
            return cls(level, (*special, *map(chr, range(256))))
        first = (*special, UNKNOWN)
        if max_tokens and max_tokens < len(first):
            told = ", ".join(first)
            raise ValueError(f"max_tokens must be at least {len(first)}, for {told}; got {max_tokens}.")
        counts = collections.Counter()
        if level == "char":
            for text in texts:
                codes, numbers = np.unique(_codes(text), return_counts=True)
                counts.update(dict(zip(codes.tolist(), numbers.tolist(), strict=True)))
            return cls(level, (*first, *map(chr, sorted(counts))))
        for words in split_words(f"{text} " for text in texts) if special else split_words(texts):
            counts.update(words)
        ranked = sorted(counts.keys() - {*first}, key=lambda word: (-counts[word], word))
        return cls(level, (*first, *(ranked[: max_tokens - len(first)] if max_tokens else ranked)))

    @property
    def unit(self) -> str:
        """What a token is, in a word."""
        return UNITS[self.level]

    @property
    def dtype(self) -> type:
        """NumPy's smallest type that holds each number."""
        return np.uint8 if (size := len(self.tokens)) <= 1 << 8 else np.uint16 if size <= 1 << 16 else np.int32

    @functools.cached_property
    def special(self) -> tuple[str, ...]:
        """Which of the tokens for padding, start and end it has."""
        return tuple(itertools.takewhile(SPECIAL.__contains__, self.tokens))

    @property
    def unknown_number(self) -> int | None:
        """The number of "<unk>", which stands for what is not in the vocabulary; None for bytes, all of them known."""
        return None if self.level == "byte" else len(self.special)

    @property
    def excluded(self) -> tuple[int, ...]:
        """The numbers that generation must not draw: padding, start and unknown."""
        silent = tuple(self.numbers[token] for token in self.special if token != END)
        return silent if self.level == "byte" else (*silent, self.unknown_number)

    @functools.cached_property
    def numbers(self) -> dict[str, int]:
        """Each token's number."""
        return {token: number for number, token in enumerate(self.tokens)}

    @functools.cached_property
    def _table(self):
        table = np.full(0x110000, self.unknown_number, self.dtype)
        for number, token in enumerate(self.tokens):
            if len(token) == 1:
                table[ord(token)] = number
        return table

    def encode(self, text: str) -> np.ndarray:
        """Encodes a text as token numbers.

        Args:
            text: The text; at level "byte" its UTF-8 is encoded.

        Returns:
            int32 (tokens,); `unknown_number`, 0 without special tokens, for what is not in the vocabulary.
        """
        return np.concatenate([np.zeros(0, "int32"), *self.encoded([text])]).astype("int32")

    def encoded(self, texts: Iterable[str | bytes]) -> Iterator[np.ndarray]:
        """Encodes a text that comes in pieces.

        Args:
            texts: The pieces, in order; words may go on from one to the next.

        Yields:
            Integers (tokens,).
        """
        if self.level == "byte":
            for text in texts:
                # A command line's bytes that are no UTF-8 are themselves again.
                content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
                numbers = np.frombuffer(content, np.uint8)
                yield numbers + self.dtype(len(self.special))
        elif self.level == "char":
            for text in texts:
                yield self._table[_codes(text)]
        else:
            known = {word: number for word, number in self.numbers.items() if word not in self.special}
            for words in split_words(texts):
                yield np.fromiter((known.get(word, self.unknown_number) for word in words), self.dtype, len(words))

    def encode_known(self, text: str, name: str = "text") -> np.ndarray:
        """Encodes a text, and refuses one that is not wholly in the vocabulary.

        Args:
            text: The text.
            name: What a person calls it.

        Returns:
            int32 (tokens,).

        Raises:
            ValueError: Where something of it is not in the vocabulary, with what that is.
        """
        named = f"{name}={text[:_SHOWN]!r}" + "..." * (len(text) > _SHOWN)
        if unknown := self.unknown(text):
            shown = ", ".join(repr(piece[:_SHOWN]) for piece in unknown[:9])
            known = "".join(self.tokens[self.unknown_number + 1 :]) if self.level == "char" else ""
            known = repr(known) if 0 < len(known) <= _KNOWN else f"{len(self.tokens) - 1} {self.unit}s"
            raise ValueError(f"{named}: the network has never seen {shown}. It knows {known}.")
        try:
            return self.encode(text)
        except UnicodeEncodeError as error:
            raise ValueError(f"{named}: {error.object[error.start]!r} is a half of a character.") from error

    def encode_batch(
        self, texts: Sequence[str], *, start: bool = False, end: bool = False, length: int = 0
    ) -> np.ndarray:
        """Texts as one array; `decode_batch` is the way back.

        Args:
            texts: The texts.
            start: Whether each begins with "<start>".
            end: Whether each ends with "<end>", even one that is cut.
            length: Tokens of each row, start and end counted, beyond which a text is cut; 0: the longest one's.

        Returns:
            int32 (batch, time), "<pad>" after each text.

        Raises:
            ValueError: Where a special token that is needed is not in the vocabulary.
        """
        missing = {PADDING, *[START] * start, *[END] * end} - set(self.special)
        if missing:
            raise ValueError(
                f"The vocabulary has no {', '.join(sorted(missing))}: ask Vocabulary.of for it as special."
            )
        first, last = ([self.numbers[token]] if asked else [] for token, asked in ((START, start), (END, end)))
        rows = [[*first, *self.encode(text)] for text in texts]
        length = length or max(map(len, rows), default=0) + len(last)
        batch = np.full((len(rows), length), self.numbers[PADDING], "int32")
        for padded, row in zip(batch, rows, strict=True):
            padded[: len(row) + len(last)] = [*row[: length - len(last)], *last]
        return batch

    def decode(self, numbers: Sequence[int]) -> str:
        """Decodes token numbers.

        Args:
            numbers: (tokens,).

        Returns:
            The text, without special tokens; bytes that are no UTF-8 as "\ufffd".
        """
        first = len(self.special)
        if self.level == "byte":
            codes = np.asarray(numbers, "int64") - first
            return codes[codes >= 0].astype(np.uint8).tobytes().decode("utf-8", "replace")
        pieces = [self.tokens[number] for number in numbers if number >= first]
        if self.level == "char":
            return "".join("\ufffd" if piece == UNKNOWN else piece for piece in pieces)
        return re.sub(r" ?\n ?", "\n", " ".join("\n" if piece == END_OF_LINE else piece for piece in pieces))

    def decode_batch(self, numbers: np.ndarray) -> list[str]:
        """Decodes a batch of token numbers.

        Args:
            numbers: (batch, time).

        Returns:
            Each row's text, up to its first "<end>".
        """
        rows, end = np.asarray(numbers).tolist(), self.numbers[END] if END in self.special else None
        return [self.decode(row[: row.index(end)] if end in row else row) for row in rows]

    def to_codes(self, numbers: Sequence[int]) -> np.ndarray:
        """Converts token numbers to what an exported model takes.

        Args:
            numbers: (tokens,).

        Returns:
            int32 (tokens,): a character's code point, 0 for what is none; a byte's or a word's number as it is.
        """
        if self.level != "char":
            return np.asarray(numbers, "int32")
        tokens = (self.tokens[number] for number in numbers)
        return np.array([ord(token) if len(token) == 1 else 0 for token in tokens], "int32")

    def from_codes(self, codes: Sequence[int]) -> np.ndarray:
        """Converts what an exported model returned to token numbers.

        Args:
            codes: (tokens,), as `to_codes` makes them.

        Returns:
            int32 (tokens,).
        """
        return self.encode("".join(map(chr, codes))) if self.level == "char" else np.asarray(codes, "int32")

    def shown(self, numbers: Sequence[int]) -> list[str]:
        """Makes each token visible: spaces and line ends get a sign, as do bytes beyond ASCII; long words are cut.

        Args:
            numbers: (tokens,).

        Returns:
            A string for each.
        """
        signs = {" ": "\u2423", "\n": "\u21b5", "\t": "\u21e5", UNKNOWN: "\ufffd", END_OF_LINE: "\u21b5"}
        pieces = [self.tokens[number] for number in numbers]
        if self.level == "word":
            pieces = [piece if len(piece) <= _SHOWN else f"{piece[:_SHOWN]}\u2026" for piece in pieces]
            return [signs.get(piece, piece) if piece == END_OF_LINE else piece for piece in pieces]
        return [signs.get(piece, piece if piece.isprintable() else "\u00b7") for piece in pieces]

    def unknown(self, text: str) -> list[str]:
        """Lists the characters or words of a text that are not in the vocabulary, each once, in order.

        Args:
            text: The text.

        Returns:
            The characters or words; none at level "byte".
        """
        if self.level == "byte":
            return []
        pieces = text if self.level == "char" else itertools.chain(*split_words([text]))
        return [piece for piece in dict.fromkeys(pieces) if piece not in self.numbers or piece in self.special]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {"level": self.level, "tokens": list(self.tokens)}

    @classmethod
    def of_network(cls, network: Any) -> "Vocabulary":
        """Reads the vocabulary that a trained network keeps in its layer "vocabulary".

        Args:
            network: A Keras model.
        """
        layer = network.get_layer("vocabulary")
        return cls(layer.level, tuple(layer.tokens))

    @classmethod
    def read(cls, path: pathlib.Path) -> "Vocabulary":
        """Reads a JSON file that is a vocabulary, or holds one under "vocabulary".

        Args:
            path: The file.

        Returns:
            The vocabulary.

        Raises:
            FileNotFoundError: Where nothing is there.
            ValueError: Where it is not a vocabulary's, with what is wrong with it.
            OSError: Where the system refuses.
        """
        content = text_files.read_json(path, "a vocabulary", fields={})
        content = content.get("vocabulary", content)
        text_files.checked(content, str(path), "a vocabulary", {"level": str, "tokens": list})
        vocabulary = cls(content["level"], tuple(content["tokens"]))
        if wrong := vocabulary._wrong():
            raise ValueError(f"{path} is not a vocabulary: {wrong}.")
        return vocabulary

    def _wrong(self):
        """What is wrong with it, in words, or "" where nothing is."""
        if self.level not in LEVELS:
            return f"its level is {self.level!r}, expected one of {', '.join(LEVELS)}"
        if not all(isinstance(token, str) for token in self.tokens):
            return "not all of its tokens are text"
        if len(set(self.tokens)) < len(self.tokens):
            return "it has a token twice"
        others = self.tokens[len(self.special) :]
        if self.level == "byte":
            return "" if others == tuple(map(chr, range(256))) else "its tokens are not the 256 bytes"
        if others[:1] != (UNKNOWN,):
            return f"it has no {UNKNOWN} at its beginning"
        if self.level == "char" and any(len(token) != 1 for token in others[1:]):
            return "not all of its tokens are characters"
        return ""

    def check_equal(self, other: "Vocabulary", name: str, other_name: str, remedy: str = "") -> None:
        """Refuses another vocabulary than that of a network.

        Args:
            other: The other one.
            name, other_name: What a person calls the two.
            remedy: What to do where they differ, a sentence.

        Raises:
            ValueError: Where they are not equal, with what tells them apart.
        """
        if self.level != other.level:
            differs = f"one is of {self.level}s, the other of {other.level}s"
        elif set(self.tokens) != set(other.tokens):
            pairs = {"the first": (self, other), "the second": (other, self)}
            more = {which: sorted(set(a.tokens) - set(b.tokens))[:5] for which, (a, b) in pairs.items()}
            told = [f"only {which} has {', '.join(map(repr, tokens))}" for which, tokens in more.items() if tokens]
            differs = f"{len(self.tokens)} tokens and {len(other.tokens)}: {'; '.join(told)}"
        else:
            differs = "" if self.tokens == other.tokens else "the same tokens in another order"
        if differs:
            raise ValueError(f"{name} has another vocabulary than {other_name}: {differs}. {remedy}".rstrip())


def _codes(text):
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
