"""Wrong labels on purpose: what a training makes of them, and whether they are found."""

import numpy as np


def flipped(labels: np.ndarray, share: float, num_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Gives a share of examples, at random, the label of another class, each other one alike.

    Args:
        labels: (examples,), integers 0 to num_classes - 1.
        share: Of the examples, 0 to 1; the nearest whole number of them.
        num_classes: How many classes there are, two or more.
        seed: Decides which, and what they are taken for. A larger share with the same seed keeps those of a smaller.

    Returns:
        (labels, wrong): the new labels, in their type; and bool (examples,), whether each was changed.

    Raises:
        ValueError: Where share, classes or a label are out of range.

    Example:

    >>> labels, wrong = flipped(np.zeros(10, "int32"), 0.3, num_classes=4)
    >>> int(wrong.sum()), bool((labels > 0).tolist() == wrong.tolist())
    (3, True)

    Reference: Zhang et al. 2018, arXiv 1710.09412, section 3.4; Koh and Liang 2017, arXiv 1703.04730, section 5.4.
    """
    labels = np.asarray(labels)
    if not 0 <= share <= 1:
        raise ValueError(f"label_noise={share}: expected a share from 0 to 1.")
    if num_classes < 2:
        raise ValueError(f"num_classes: expected two or more; got {num_classes}.")
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(f"expected labels of 0 to {num_classes - 1}; got {labels.min()} to {labels.max()}.")
    random = np.random.default_rng([seed, len(labels)])
    steps = random.integers(1, num_classes, len(labels))
    wrong = np.zeros(len(labels), bool)
    wrong[random.permutation(len(labels))[: round(share * len(labels))]] = True
    return np.where(wrong, (labels + steps) % num_classes, labels).astype(labels.dtype), wrong
