"""Accuracy by how often there was something to learn from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def rare_accuracy(right: ArrayLike, occurrences: ArrayLike, edges: Sequence[int] = (0, 1, 4, 16)) -> dict[str, float]:
    """Computes the share of right answers among those that came equally often, about, in training.

    Args:
        right: Whether each answer is, any shape.
        occurrences: Integers of that shape, how often each came in training; less than 0: not counted.
        edges: Where the ranges begin; the last one has no end.

    Returns:
        Percent by range, such as "unseen", "seen_1_to_3" and "seen_16_or_more"; a range without answers is left out.

    Raises:
        ValueError: Where the shapes differ.

    Example:

    >>> rare_accuracy([True, False, True, True], [0, 0, 2, 99])
    {'unseen': 50.0, 'seen_1_to_3': 100.0, 'seen_16_or_more': 100.0}

    Reference: Kaiser et al. 2017, arXiv 1703.03129 (rare events, and what is seen once).
    """
    right, occurrences = np.asarray(right, bool), np.asarray(occurrences)
    if right.shape != occurrences.shape:
        raise ValueError(f"expected a count for each answer; got {right.shape} and {occurrences.shape}.")
    found = {}
    for number, first in enumerate(edges):
        last = edges[number + 1] - 1 if number + 1 < len(edges) else None
        inside = (occurrences >= first) & (occurrences <= (np.inf if last is None else last))
        if np.any(inside):
            span = "or_more" if last is None else f"to_{last}"
            name = "unseen" if (first, last) == (0, 0) else f"seen_{first}_{span}"
            found[name] = float(100.0 * np.mean(right[inside]))
    return found
