"""Sentences with their translations as numbers of words, in parts, and how often each word could be learned."""

import collections
import dataclasses
from typing import Any

import numpy as np

from toolkit.data import sources
from toolkit.data.contents import contents_of
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.data.text.vocabulary import END, PADDING, START, Vocabulary
from toolkit.data.translation.embedded import PARTS
from toolkit.data.translation.readers import READERS, sniff
from toolkit.lazy import tensorflow as tf

_SPECIAL = (PADDING, START, END)


@dataclasses.dataclass(frozen=True)
class Translation:
    """Pairs of sentences.

    Args:
        source: The vocabulary of the sentences.
        target: That of their translations; words of any part are in both.
        sentences: By part ("train", "validation", "context", "test"), int32 (pairs, words), each sentence ended by
            "<end>" and padded with 0.
        translations: Likewise.
        occurrences: By part, int32 (pairs, target words): how many training pairs have what has to be known to write
            the word; -1 where nothing has, at "<end>" and in the padding.
        seed: Decides the order of batches.
    """

    source: Vocabulary
    target: Vocabulary
    sentences: dict[str, np.ndarray]
    translations: dict[str, np.ndarray]
    occurrences: dict[str, np.ndarray]
    seed: int = 0

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these pairs apart from others, for JSON."""
        found = {"words": [len(self.source.tokens), len(self.target.tokens)]}
        for part in PARTS:
            plan = np.array_split(np.arange(len(self.sentences[part])), -(-len(self.sentences[part]) // 256))
            read = lambda rows, part=part: (self.sentences[part][rows], self.translations[part][rows])  # noqa: E731
            found[part] = contents_of(read, plan, len(self.sentences[part]))
        return found

    def arrays(self, part: str) -> dict[str, np.ndarray]:
        """Gives a part as `models.memory_translator` takes it.

        Args:
            part: Which.

        Returns:
            "source", int32 (pairs, words); "before", (pairs, target words), what comes before each word, "<start>"
            first; and "target", the words, -1 in the padding.
        """
        translated = self.translations[part]
        start = np.full((len(translated), 1), self.target.numbers[START], "int32")
        before = np.concatenate([start, translated[:, :-1]], axis=1)
        before = np.where(before == self.target.numbers[END], 0, before)
        return {
            "source": self.sentences[part],
            "before": before,
            "target": np.where(translated == 0, -1, translated),
        }

    def batches(self, part: str, batch_size: int) -> Batches:
        """Gives a part as batches of (inputs, target).

        Args:
            part: Which.
            batch_size: Pairs in a batch.

        Returns:
            The batches; the inputs are as `arrays` says.
        """
        arrays = self.arrays(part)
        spec = {name: tf.TensorSpec((None, each.shape[1]), tf.int32) for name, each in arrays.items()}

        def read(rows):
            inputs = {name: each[rows] for name, each in arrays.items()}
            return inputs, inputs["target"]

        plan = shuffled_plan(len(arrays["source"]), batch_size, seed=self.seed, shuffle=part == "train")
        return Batches(read, plan, (spec, spec["target"]), num_examples=len(arrays["source"]))


def load(source: str, *, max_words: int = 30, held_out: float = 0.2, seed: int = 0) -> Translation:
    """Reads pairs of sentences.

    Args:
        source: READER:REST. embedded[:SENTENCES[:WORDS]], an invented language; embedded:mapping[:SEQUENCES], the
            paper's synthetic task; tsv:FILE, a sentence and its translation in each line, a tab between.
        max_words: Longer sentences are left out.
        held_out: Of a file, the share of pairs that is not trained on: half of it is read first, half is tested.
        seed: Decides what is made up, what is held out, and the order.

    Returns:
        The `Translation`.

    Raises:
        ValueError: Where something is not as expected; file and line are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the system refuses.

    Example:

    >>> found = load("embedded:40")
    >>> found.sentences["train"].shape, found.translations["test"].shape
    ((40, 8), (10, 8))
    """
    name, rest = sources.parse(source, READERS, sniff)
    parts = READERS[name](rest, max_words=max_words, held_out=held_out, seed=seed)
    everything = [pair for part in PARTS for pair in parts[part]]
    vocabularies = [Vocabulary.of([pair[side] for pair in everything], "word", special=_SPECIAL) for side in (0, 1)]
    sentences, translations = (
        {part: vocabulary.encode_batch([pair[side] for pair in parts[part]], end=True) for part in PARTS}
        for side, vocabulary in enumerate(vocabularies)
    )
    counts = collections.Counter(event for pair in parts["train"] for event in set(_events(pair)))
    occurrences = {part: np.full_like(each, -1) for part, each in translations.items()}
    for part, pairs in parts.items():
        for row, pair in zip(occurrences[part], pairs, strict=True):
            row[: len(_events(pair))] = [counts[event] if event else -1 for event in _events(pair)]
    return Translation(*vocabularies, sentences, translations, occurrences, seed)


def _events(pair):
    return pair.events or pair.target.split()
