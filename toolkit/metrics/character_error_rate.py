"""How well text was read: edit distance, character error rate, and what was taken for what."""

import collections
from collections.abc import Sequence

import numpy as np


def edit_distance(reference: Sequence, reading: Sequence) -> int:
    """The least number of insertions, deletions and substitutions from one sequence to the other.

    Args:
        reference: What is right: text, or a list of words.
        reading: What was read.

    Example:

    >>> edit_distance("kitten", "sitting")
    3

    Reference: Levenshtein 1966.
    """
    return int(_distances(reference, reading)[-1, -1])


def character_error_rate(references: Sequence[str], readings: Sequence[str]) -> float:
    """Edit distances over characters, 100 Σ d(reference, reading) / Σ |reference|, in percent.

    Lists of words instead of texts give the word error rate.

    Args:
        references: What is right.
        readings: What was read, as many.

    Returns:
        The rate; above 100 where readings are longer than what is right.

    Raises:
        ValueError: Where the two are not as many, or there is nothing to be read.

    Example:

    >>> character_error_rate(["abcd", "efgh"], ["abxd", "efgh"])
    12.5
    """
    if len(references) != len(readings) or not sum(map(len, references)):
        raise ValueError(
            f"expected as many readings as references, of some characters; got {len(readings)} and {len(references)}."
        )
    errors = sum(map(edit_distance, references, readings))
    return 100.0 * errors / sum(map(len, references))


def error_rates(references: Sequence[str], greedy: Sequence[str], beam: Sequence[str]) -> dict[str, float]:
    """Rates two readings of the same lines, the greedy one also by its words.

    Args:
        references: What is right.
        greedy: What was read greedily.
        beam: What was read by beam search.

    Returns:
        "character_error_rate_percent", "character_error_rate_beam_percent" and "word_error_rate_percent".

    Example:

    >>> error_rates(["ab cd"], ["ab xd"], ["ab cd"])["word_error_rate_percent"]
    50.0
    """
    words = [[text.split() for text in part] for part in (references, greedy)]
    return {
        "character_error_rate_percent": character_error_rate(references, greedy),
        "character_error_rate_beam_percent": character_error_rate(references, beam),
        "word_error_rate_percent": character_error_rate(*words),
    }


def confusions(references: Sequence[str], readings: Sequence[str]) -> dict[tuple[str, str], int]:
    """What was taken for what, along one shortest way from each reference to its reading.

    Args:
        references: What is right.
        readings: What was read, as many.

    Returns:
        (right, read) to count, the most frequent first; "" where nothing was there or was read.

    Example:

    >>> confusions(["abc"], ["axc"])
    {('b', 'x'): 1}
    """
    counts = collections.Counter()
    for reference, reading in zip(references, readings, strict=True):
        table, i, j = _distances(reference, reading), len(reference), len(reading)
        while i or j:
            if i and j and table[i, j] == table[i - 1, j - 1] + (reference[i - 1] != reading[j - 1]):
                i, j = i - 1, j - 1
                pair = reference[i], reading[j]
            elif i and table[i, j] == table[i - 1, j] + 1:
                i -= 1
                pair = reference[i], ""
            else:
                j -= 1
                pair = "", reading[j]
            counts[pair] += pair[0] != pair[1]
    return {pair: count for pair, count in counts.most_common() if count}


def _distances(reference, reading):
    """Edit distances of all beginnings, (len(reference) + 1, len(reading) + 1)."""
    columns = np.arange(len(reading) + 1)
    table = np.zeros((len(reference) + 1, len(columns)), "int64")
    table[0] = columns
    for i, wanted in enumerate(reference, 1):
        unlike = np.array([wanted != read for read in reading], "int64")
        row = np.r_[i, np.minimum(table[i - 1, 1:] + 1, table[i - 1, :-1] + unlike)]
        # An insertion adds one to the column before: the least of (value - column) so far, and the way here from there.
        table[i] = np.minimum.accumulate(row - columns) + columns
    return table
