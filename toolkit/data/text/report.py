"""What a training would find in a text: counts, tokens, what is unknown, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.report import Report
from toolkit.data.text.corpus import Corpus
from toolkit.data.text.readers import SPLITS

_MANY_UNKNOWN = 0.15  # share of a split's tokens
_REPEATED = 0.05  # share of a test text's stretches that the training text holds too
_STRETCH = 100
_LONG_WORD = 30  # characters on average


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in a text.

    Args:
        report: Its numbers and verdict.
        counts: How often each token is in the training part, the most frequent first.
        frequent: The first hundred of `counts`, as a person sees them.
        beginnings: By split, its first tokens as a person sees them, and the bits that each takes by its frequency in
            the training part alone, 0 where it is not there.
    """

    report: Report
    counts: dict[str, int]
    frequent: dict[str, int]
    beginnings: dict[str, tuple[list[str], np.ndarray]]


def examine(corpus: Corpus, *, batch_size: int, sequence_length: int) -> Findings:
    """Says what a training would find in a text.

    Args:
        corpus: What `load` returned.
        batch_size: Streams of a batch.
        sequence_length: Tokens of each in a batch.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.text import load
    >>> found = examine(load("embedded:english:20000"), batch_size=4, sequence_length=50)
    >>> found.report.refusal, next(iter(found.counts))
    ('', ' ')
    """
    numbers = np.bincount(corpus.tokens["train"], minlength=len(corpus.vocabulary.tokens))
    order = np.argsort(-numbers, kind="stable")
    counts = {corpus.vocabulary.tokens[token]: int(numbers[token]) for token in order if numbers[token]}
    tokens = {split: len(corpus.tokens[split]) for split in SPLITS}
    repeated = {split: _repeated(corpus.tokens["train"], corpus.tokens[split]) for split in SPLITS[1:]}
    shares = numbers[numbers > 0] / tokens["train"]
    sections = {
        "text": {
            "tokens": tokens,
            "characters": corpus.characters,
            "words": corpus.words,
            "unknown_%": {split: 100 * share for split, share in corpus.unknown.items()},
            f"stretches_of_{_STRETCH}_that_the_training_holds_%": {s: 100 * share for s, share in repeated.items()},
        },
        "vocabulary": {
            "level": corpus.vocabulary.level,
            "tokens": len(corpus.vocabulary.tokens),
            "seen_once": int((numbers == 1).sum()),
            "bits_a_token_by_frequency_alone": float(-(shares * np.log2(shares)).sum()),
        },
        "streams": {
            "streams": batch_size,
            "tokens_in_a_sequence": sequence_length,
            "steps_in_an_epoch": -(-tokens["train"] // (batch_size * sequence_length)),
        },
    }
    refusal = ""
    if tokens["train"] < batch_size * sequence_length:
        refusal = (
            f"The training text has {tokens['train']} tokens, a batch needs {batch_size * sequence_length}: lower "
            "--batch_size or --sequence_length."
        )
    size = f"{tokens['train']} tokens to train on, {len(corpus.vocabulary.tokens)} different ones"
    shown = corpus.vocabulary.shown(order[: min(100, len(counts))])
    frequent = dict(zip(shown, counts.values(), strict=False))
    bits = np.where(numbers > 0, -np.log2(np.maximum(numbers, 1) / tokens["train"]), 0.0)
    first = {split: corpus.tokens[split][:400] for split in SPLITS}
    beginnings = {split: (corpus.vocabulary.shown(part), bits[part]) for split, part in first.items()}
    advised = [*_advised(corpus.unknown, repeated), *_without_words(corpus.characters["train"], corpus.words["train"])]
    report = Report(sections, size, advised, refusal)
    return Findings(report, counts, frequent, beginnings)


def _advised(unknown, repeated):
    for split, share in unknown.items():
        if share > _MANY_UNKNOWN:
            yield (
                f"{100 * share:.0f} % of the {split} tokens are unknown: a larger --vocabulary_size, --level=char, or "
                "text of the same kind in all parts."
            )
    for split, share in repeated.items():
        if share > _REPEATED:
            yield (
                f"{100 * share:.0f} % of the {split} text is in the training text word by word: its figures would say "
                "too much."
            )


def _without_words(characters, words):
    if characters > _LONG_WORD * max(words, 1):
        yield (
            f"A word of the train text has {characters / max(words, 1):.0f} characters on average: what white space "
            "separates is no word here, so --level=word, and figures a word, mean nothing."
        )


def _repeated(train, other, most=2000):
    """Share of evenly spaced stretches of a text that the training text holds."""
    if len(other) < _STRETCH:
        return 0.0
    held = np.ascontiguousarray(train).tobytes()
    width = train.dtype.itemsize
    starts = np.linspace(0, len(other) - _STRETCH, min(most, len(other) // _STRETCH)).astype(int)
    found = 0
    for start in starts:
        place = held.find(np.ascontiguousarray(other[start : start + _STRETCH], train.dtype).tobytes())
        found += place >= 0 and place % width == 0
    return found / len(starts)
