"""Labels made wrong on purpose, so that it is known which are to be found."""

import numpy as np


def flipped(labels: np.ndarray, share: float, num_classes: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gives a share of examples another class, each of the others alike probable.

    Args:
        labels: (examples,), integers 0 to num_classes - 1.
        share: Of the examples, rounded to the nearest number of them, from 0 to 1.
        num_classes: How many classes there are, 2 or more.
        seed: Decides which examples, and what they become.

    Returns:
        (labels, wrong): the new labels, of the dtype of those given; and bool (examples,), whether each was changed.

    Raises:
        ValueError: Where share, classes or a label are out of range.

    Example:

    >>> labels, wrong = flipped(np.zeros(10, int), 0.3, 2)
    >>> int(wrong.sum()), bool((labels == wrong).all())
    (3, True)

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.4.
    """
    labels = np.asarray(labels)
    if not 0 <= share <= 1 or num_classes < 2:
        raise ValueError(f"expected a share of 0 to 1 and two classes or more; got {share} and {num_classes}.")
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f"expected labels of 0 to {num_classes - 1}; got {labels.min()} to {labels.max()}.")
    random = np.random.default_rng([seed, 54])
    wrong = np.zeros(len(labels), bool)
    wrong[random.permutation(len(labels))[: round(share * len(labels))]] = True
    moved = (labels + random.integers(1, num_classes, len(labels))) % num_classes
    return np.where(wrong, moved, labels).astype(labels.dtype), wrong
