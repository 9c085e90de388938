"""Episodes: a few new classes, a few drawings of each, in an order; each a pure function of seed and number."""

from typing import NamedTuple

import numpy as np


class Episodes(NamedTuple):
    """Sequences of drawings, whose classes are numbered anew in each.

    Args:
        rows: (episodes, steps), which drawings are shown, in order.
        values: int32 (episodes, steps), each one's class, 0 to num_ways - 1 within its episode.
        num_supports: How many of the first steps show what is to be remembered; the others only ask.
    """

    rows: np.ndarray
    values: np.ndarray
    num_supports: int

    @property
    def seen(self) -> np.ndarray:
        """How often each step's class was shown before, (episodes, steps)."""
        alike = self.values[:, :, None] == self.values[:, None, :]
        return np.tril(alike, -1).sum(axis=-1)


def shots(
    labels: np.ndarray, numbers: range, *, num_ways: int, num_shots: int, num_queries: int = 1, seed: int = 0
) -> Episodes:
    """Draws N-way K-shot episodes: K drawings of each of N classes to remember, then other ones of them to ask for.

    Args:
        labels: (drawings,), the class of each.
        numbers: Which episodes: number 7 is the same one, whichever others are drawn.
        num_ways: N, classes in an episode.
        num_shots: K, drawings of each that are remembered.
        num_queries: Drawings of each that are asked for.
        seed: Decides with the number.

    Returns:
        The episodes; supports in random order, then queries in random order.

    Raises:
        ValueError: Where there are fewer classes, or a class has fewer drawings.

    Example:

    >>> labels = np.repeat(np.arange(10), 20)
    >>> found = shots(labels, range(3), num_ways=5, num_shots=2, seed=0)
    >>> found.rows.shape, found.num_supports, sorted(found.values[0, :10].tolist())
    ((3, 15), 10, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4])
    """
    return _drawn(labels, numbers, num_ways, (num_shots, num_queries), seed)


def occurrences(labels: np.ndarray, numbers: range, *, num_ways: int, num_each: int, seed: int = 0) -> Episodes:
    """Draws episodes in which each of N classes comes some times, all in random order: each step asks, then remembers.

    Args:
        labels: (drawings,), the class of each.
        numbers: Which episodes, as in `shots`.
        num_ways: N, classes in an episode.
        num_each: How often each comes, each time in another drawing.
        seed: Decides with the number.

    Returns:
        The episodes.

    Raises:
        ValueError: Where there are fewer classes, or a class has fewer drawings.

    Example:

    >>> found = occurrences(np.repeat(np.arange(10), 20), range(2), num_ways=3, num_each=2)
    >>> found.rows.shape, sorted(found.seen[0].tolist())
    ((2, 6), [0, 0, 0, 1, 1, 1])
    """
    return _drawn(labels, numbers, num_ways, (num_each,), seed)


def _drawn(labels, numbers, num_ways, rounds, seed):
    labels = np.asarray(labels)
    classes, counts = np.unique(labels, return_counts=True)
    each = sum(rounds)
    if not 1 <= num_ways <= len(classes):
        raise ValueError(f"an episode of {num_ways} classes: there are {len(classes)} to draw from.")
    if min(rounds) < 1 or each > counts.min():
        named = classes[counts.argmin()]
        raise ValueError(f"{each} drawings of a class in an episode: class {named} has {counts.min()}.")
    places = [np.flatnonzero(labels == one) for one in classes]
    rows, values = [], []
    for number in numbers:
        random = np.random.default_rng([seed, number])
        chosen = [random.permutation(places[one])[:each] for one in random.permutation(len(classes))[:num_ways]]
        shown = np.split(np.stack(chosen), np.cumsum(rounds)[:-1], axis=1)
        orders = [random.permutation(part.size) for part in shown]
        rows.append(np.concatenate([part.ravel()[order] for part, order in zip(shown, orders, strict=True)]))
        numbered = [
            np.repeat(np.arange(num_ways), part.shape[1])[order] for part, order in zip(shown, orders, strict=True)
        ]
        values.append(np.concatenate(numbered))
    num_supports = int(num_ways * rounds[0])
    return Episodes(np.array(rows), np.array(values, "int32"), num_supports)
