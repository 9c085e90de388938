"""How surely a classifier knows each sample, and how many classes it knows them for."""

from typing import NamedTuple

import numpy as np

from toolkit.metrics._classes import check_probabilities


class InceptionScore(NamedTuple):
    """The score of each split, put together.

    Args:
        mean: Over the splits, from 1 to the number of classes.
        standard_deviation: Over the splits, that of a population: squared deviations are divided by their number.
    """

    mean: float
    standard_deviation: float


def inception_score(probabilities: np.ndarray, num_splits: int = 10) -> InceptionScore:
    """Computes exp(mean_x KL(p(y|x) || p(y))), with p(y) = mean_x p(y|x), of each of some splits of the samples.

    It is 1 where all samples look alike to the classifier, and the number of classes where it is sure of each and sees
    all classes equally often. It never looks at real images: one sure image of each class has the best score there is.
    Only scores by the same classifier, of as many samples in as many splits, compare.

    Args:
        probabilities: (samples, classes), p(y|x) by a classifier, each row with sum 1. Split i of n begins at sample
            i * samples // n: shuffle what was drawn class by class.
        num_splits: Into how many parts the samples are divided, one score each.

    Returns:
        Mean and standard deviation over the splits.

    Raises:
        ValueError: Where the shape is another, rows are no probabilities, or there are fewer samples than splits.

    Example:

    >>> inception_score(np.eye(4), num_splits=1)
    InceptionScore(mean=4.0, standard_deviation=0.0)

    Reference: Salimans et al. 2016, arXiv 1606.03498, section 4.
    """
    probabilities = np.asarray(probabilities, "float64")
    if probabilities.ndim != 2 or not probabilities.shape[1]:
        raise ValueError(f"expected probabilities (samples, classes); got {probabilities.shape}.")
    if not 1 <= num_splits <= len(probabilities):
        raise ValueError(f"num_splits must be from 1 to the number of samples, {len(probabilities)}; got {num_splits}.")
    check_probabilities(probabilities)
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    edges = [len(probabilities) * split // num_splits for split in range(num_splits + 1)]
    scores = [
        np.exp(_negative_entropy(part).mean() - _negative_entropy(part.mean(axis=0)))
        for part in (probabilities[start:end] for start, end in zip(edges, edges[1:], strict=False))
    ]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def _negative_entropy(probabilities):
    # The mean over x of KL(p(y|x) || p(y)) is that of Σ p(y|x) log p(y|x), less Σ p(y) log p(y). 0 log 0 is 0.
    return np.sum(probabilities * np.log(np.where(probabilities > 0, probabilities, 1.0)), axis=-1)
