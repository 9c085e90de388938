"""Whether predicted probabilities come true: of all that is said to be 80 % sure, 80 % should be right."""

from typing import NamedTuple

import numpy as np

from toolkit.metrics._classes import check_labels, check_probabilities


class Reliability(NamedTuple):
    """What was predicted and what came true, by bins of equal width of the predicted class's probability.

    Args:
        confidence: (bins,) the mean probability of the predicted class; NaN where a bin is empty.
        accuracy: (bins,) the share that was right; NaN where a bin is empty.
        count: (bins,) how many examples.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    count: np.ndarray


def reliability(labels: np.ndarray, probabilities: np.ndarray, num_bins: int = 15) -> Reliability:
    """Computes confidence and accuracy of the predicted class, max_c p_c, in bins ((m - 1) / M, m / M], m = 1..M.

    Args:
        labels: (examples,) class numbers from 0.
        probabilities: (examples, classes), each row with sum 1.
        num_bins: M.

    Raises:
        ValueError: Where shapes do not fit, a label is no class, there are no examples, or rows are no probabilities.

    Example:

    >>> reliability(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]), num_bins=2).accuracy
    array([nan, 0.5])

    Reference: Guo et al. 2017, arXiv 1706.04599, section 2.
    """
    labels, probabilities = _checked(labels, probabilities)
    if num_bins < 1:
        raise ValueError(f"num_bins must be at least 1; got {num_bins}.")
    confidence = np.minimum(probabilities.max(axis=1), 1.0)
    right = probabilities.argmax(axis=1) == labels
    bins = np.searchsorted(np.linspace(0, 1, num_bins + 1)[1:-1], confidence, side="left")
    count = np.bincount(bins, minlength=num_bins)
    some = np.where(count > 0, count, np.nan)
    sums = (np.bincount(bins, weights=values, minlength=num_bins) for values in (confidence, right))
    return Reliability(*(total / some for total in sums), count)


def expected_calibration_error(labels: np.ndarray, probabilities: np.ndarray, num_bins: int = 15) -> float:
    """Computes the mean distance of confidence and accuracy over `reliability`'s bins.

    Σ_m n_m / n |accuracy_m - confidence_m|. It says nothing of how much is right: to predict every class's share for
    every example has error 0. Few examples make it too large.

    Args:
        labels: (examples,) class numbers from 0.
        probabilities: (examples, classes), each row with sum 1.
        num_bins: How many bins of equal width.

    Returns:
        The error, from 0 to 1.

    Raises:
        ValueError: As `reliability`.

    Example:

    >>> expected_calibration_error(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
    0.25

    Reference: Guo et al. 2017, arXiv 1706.04599, section 2; Naeini et al. 2015.
    """
    found = reliability(labels, probabilities, num_bins)
    return float(np.nansum(found.count * np.abs(found.accuracy - found.confidence)) / found.count.sum())


def negative_log_likelihood(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Computes the mean of -log p(label), in nats an example; infinite where a label was held impossible.

    Args:
        labels: (examples,) class numbers from 0.
        probabilities: (examples, classes), each row with sum 1.

    Raises:
        ValueError: As `reliability`.

    Example:

    >>> round(negative_log_likelihood(np.array([0, 1]), np.full((2, 2), 0.5)), 4)
    0.6931
    """
    labels, probabilities = _checked(labels, probabilities)
    with np.errstate(divide="ignore"):
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())


def _checked(labels, probabilities):
    labels, probabilities = np.asarray(labels), np.asarray(probabilities, "float64")
    check_labels(labels, probabilities, "probabilities")
    check_probabilities(probabilities)
    return labels, probabilities
