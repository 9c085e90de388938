"""Wrong labels on purpose, to see what a training makes of them."""

import numpy as np


def with_wrong(labels: np.ndarray, share: float, num_classes: int, seed: int = 0) -> np.ndarray:
    """Gives a share of examples, at random, the label of another class, each other one alike.

    Args:
        labels: (examples,) class numbers.
        share: Of the examples, 0 to 1; the nearest whole number of them.
        num_classes: How many classes there are, two or more.
        seed: Decides which, and what they are taken for. A larger share with the same seed keeps those of a smaller.

    Returns:
        The labels, in their type.

    Raises:
        ValueError: Where the share is none, or there is no other class.

    Example:

    >>> labels = np.zeros(10, "int32")
    >>> int(np.count_nonzero(with_wrong(labels, 0.3, num_classes=4)))
    3

    Reference: Zhang et al. 2018, arXiv 1710.09412, section 3.4.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"label_noise={share}: expected a share from 0 to 1.")
    if num_classes < 2:
        raise ValueError(f"num_classes: expected two or more; got {num_classes}.")
    labels, random = np.asarray(labels), np.random.default_rng([seed, len(labels)])
    steps = random.integers(1, num_classes, len(labels))
    chosen = random.permutation(len(labels))[: round(share * len(labels))]
    found = labels.copy()
    found[chosen] = (labels[chosen] + steps[chosen]) % num_classes
    return found
