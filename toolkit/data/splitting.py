"""Which examples are held out from training."""

import math
from collections.abc import Sequence

import numpy as np


def split(
    num_examples: int, shares: Sequence[float], *, seed: int, labels: np.ndarray | None = None
) -> list[np.ndarray]:
    """Holds out shares of examples at random, each at least one example.

    Args:
        num_examples: How many examples there are.
        shares: The size of each part that is held out, as a share of all examples.
        seed: Decides which examples.
        labels: (num_examples,) integers. Where they are given, each part gets about its share of each class, at least
            one example of it, as long as one is left to train on.

    Returns:
        The examples that are left and those of each share: with labels ascending, else in random order. Without
        labels a share's example count is rounded down, with them to the nearest.

    Raises:
        ValueError: Where the labels are not as many as the examples, or without labels no example is left.

    Example:

    >>> [len(part) for part in split(100, [0.1, 0.2], seed=0)]
    [70, 10, 20]
    >>> left, held_out = split(6, [0.3], seed=0, labels=np.array([0, 1, 0, 1, 0, 1]))
    >>> left.tolist(), held_out.tolist()
    ([0, 1, 2, 3], [4, 5])
    """
    if labels is None:
        # 100 * 0.29 is 28.999999999999996.
        sizes = [max(1, math.floor(round(num_examples * share, 9))) for share in shares]
        if sum(sizes) >= num_examples:
            raise ValueError(f"{num_examples} examples are too few to hold out {sizes} and leave one to train on.")
        order = np.random.default_rng(seed).permutation(num_examples)
        *cuts, left = np.split(order, np.cumsum(sizes))
        return [left, *cuts]
    labels = np.asarray(labels)
    if labels.shape != (num_examples,):
        raise ValueError(f"expected a label for each of {num_examples} examples; got labels of shape {labels.shape}.")
    rows = [[] for _ in range(len(shares) + 1)]
    for label in np.unique(labels):
        order = np.random.default_rng([seed, label]).permutation(np.flatnonzero(labels == label))
        most = (len(order) - 1) // len(shares)
        sizes = [min(max(round(share * len(order)), 1), most) for share in shares]
        *cuts, left = np.split(order, np.cumsum(sizes))
        for kept, cut in zip(rows, (left, *cuts), strict=True):
            kept.append(cut)
    return [np.sort(np.concatenate(kept)) for kept in rows]
