"""What a training would find in sentences and their translations: words, how rare they are, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.report import Report
from toolkit.data.text.vocabulary import END, PADDING, START, UNKNOWN
from toolkit.data.translation.embedded import PARTS
from toolkit.data.translation.loading import Translation

_COPIES = 0.1  # share of the test's sentences that the training part holds too
_SPANS = {"in no pair": (0, 0), "in 1 to 3": (1, 3), "in 4 to 15": (4, 15), "in 16 or more": (16, np.inf)}
_SIGNS = (PADDING, UNKNOWN, START, END)  # in a vocabulary, but no words
_MOST = 100  # words that are shown


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in sentences and their translations.

    Args:
        report: Its numbers and verdict.
        frequent: How often the most frequent words of the training translations come, the most frequent first.
    """

    report: Report
    frequent: dict[str, int]


def examine(pairs: Translation, *, batch_size: int) -> Findings:
    """Says what a training would find in sentences and their translations.

    Args:
        pairs: What `load` returned.
        batch_size: Pairs in a batch.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.translation import load
    >>> examine(load("embedded:400"), batch_size=32).report.sections["pairs"]["pairs"]["test"]
    100
    """
    sides = {"sentences": pairs.sentences, "translations": pairs.translations}
    vocabularies = {"sentences": pairs.source, "translations": pairs.target}
    counts = {name: _counts(side["train"], vocabularies[name].tokens) for name, side in sides.items()}
    trained = set(map(bytes, pairs.sentences["train"]))
    copies = {part: float(np.mean([bytes(row) in trained for row in pairs.sentences[part]])) for part in PARTS[1:]}
    asked = pairs.occurrences["test"][pairs.occurrences["test"] >= 0]
    shares = {name: float(np.mean((asked >= low) & (asked <= high))) for name, (low, high) in _SPANS.items()}
    number = len(pairs.sentences["train"])
    sections = {
        "pairs": {
            "pairs": {part: len(pairs.sentences[part]) for part in PARTS},
            **{
                f"words_of_{name}_mean": {part: float((side[part] > 0).sum(axis=1).mean()) - 1 for part in PARTS}
                for name, side in sides.items()
            },
            **{
                f"words_of_{name}_most": {part: int((side[part] > 0).sum(axis=1).max()) - 1 for part in PARTS}
                for name, side in sides.items()
            },
            "sentences_that_the_training_holds_%": {part: 100 * share for part, share in copies.items()},
        },
        "vocabulary": {
            "words": {name: len(own) for name, own in counts.items()},
            "seen_in_training": {
                name: int(np.sum([count > 0 for count in own.values()])) for name, own in counts.items()
            },
            "seen_once": {name: int(np.sum([count == 1 for count in own.values()])) for name, own in counts.items()},
        },
        "words_of_the_test_by_training_pairs_that_have_them_%": {name: 100 * share for name, share in shares.items()},
        "batches": {"pairs_in_a_batch": batch_size, "steps_in_an_epoch": -(-number // batch_size)},
    }
    size = f"{number} pairs to train on, {sections['vocabulary']['seen_in_training']['translations']} target words"
    found = sorted(counts["translations"].items(), key=lambda item: -item[1])[:_MOST]
    return Findings(Report(sections, size, list(_advised(copies, shares, counts))), dict(found))


def _counts(numbers, tokens):
    counts = np.bincount(numbers.ravel(), minlength=len(tokens))
    return {token: int(counts[place]) for place, token in enumerate(tokens) if token not in _SIGNS}


def _advised(copies, shares, counts):
    if copies["test"] > _COPIES:
        yield f"{100 * copies['test']:.0f} % of the test sentences are training sentences: figures would say too much."
    if shares["in no pair"] + shares["in 1 to 3"] < 0.01:
        yield "Hardly a word of the test is rare: what a memory is for will not be seen. Take text with more words."
    once = np.mean([count <= 1 for count in counts["translations"].values()])
    if once > 0.9:
        yield f"{100 * once:.0f} % of the target words come once at most: are words separated by spaces?"
