"""How often the right class is among the k highest scores, and how sure one can be of such a share."""

import math
import statistics

import numpy as np

from toolkit.metrics._classes import check_labels


def top_k_accuracy(labels: np.ndarray, scores: np.ndarray, k: int = 1) -> float:
    """Computes the share of examples whose class is among the k with the highest scores.

    Ties count against: right is #{classes whose score is not below that of the label, itself included} <= k. So equal
    scores for all classes, and scores that are not a number, are wrong, where argmax would give some of them for free.

    Args:
        labels: (examples,) class numbers from 0.
        scores: (examples, classes): logits, log-probabilities or probabilities; higher is more likely.
        k: How many guesses, from 1 to the number of classes.

    Returns:
        The share, from 0 to 1.

    Raises:
        ValueError: Where shapes do not fit, a label is no class, there are no examples, or k is out of range.

    Example:

    >>> top_k_accuracy(np.array([0, 1]), np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]))
    0.5
    >>> top_k_accuracy(np.array([0, 1]), np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]]), k=2)
    1.0
    """
    labels, scores = np.asarray(labels), np.asarray(scores)
    check_labels(labels, scores)
    if not 1 <= k <= scores.shape[1]:
        raise ValueError(f"k must be from 1 to {scores.shape[1]}, the number of classes; got {k}.")
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    not_below = np.sum(~(scores < own), axis=1)
    return float(np.mean((not_below <= k) & ~np.isnan(own[:, 0])))


def wilson_interval(num_right: int, num_examples: int, confidence: float = 0.95) -> tuple[float, float]:
    """Computes an interval for the true share, given how many of some examples were right.

    (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n) with p = num_right / n, n = num_examples and z the normal
    quantile at (1 + confidence) / 2. It holds for few examples and for shares near 0 and 1 too, and never leaves 0..1.

    Args:
        num_right: How many were right.
        num_examples: Of how many that are independent of one another.
        confidence: How often such intervals hold the true share, between 0 and 1.

    Returns:
        The ends, low and high.

    Raises:
        ValueError: Where there are no examples, more were right than there are, or confidence is not between 0 and 1.

    Example:

    >>> low, high = wilson_interval(95, 100)
    >>> round(low, 3), round(high, 3)
    (0.888, 0.978)

    Reference: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if not 0 <= num_right <= num_examples or not num_examples:
        raise ValueError(f"expected from 0 to all of at least one example; got {num_right} of {num_examples}.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1; got {confidence}.")
    z, share = statistics.NormalDist().inv_cdf((1 + confidence) / 2), num_right / num_examples
    centre = share + z**2 / (2 * num_examples)
    reach = z * math.sqrt(share * (1 - share) / num_examples + z**2 / (4 * num_examples**2))
    scale = 1 + z**2 / num_examples
    # At 0 and 1 an end is the share itself, but for rounding.
    return min(share, max(0.0, (centre - reach) / scale)), max(share, min(1.0, (centre + reach) / scale))
