"""Whether two scores put things in the same order, whatever their scales: Spearman's rank correlation."""

import numpy as np


def rank_correlations(scores: np.ndarray) -> np.ndarray:
    """Computes Spearman's correlation of each two scores: Pearson's of their ranks.

    Equal values share the mean of their ranks. 1: the same order; -1: the opposite one; 0: neither.

    Args:
        scores: (examples, scores), 2 examples or more; infinite values are ranked, NaN is refused.

    Returns:
        (scores, scores), from -1 to 1; NaN where a score is always the same, and so has no order.

    Raises:
        ValueError: Where the shape is another, or a value is NaN.

    Example:

    >>> rank_correlations([[1, 10, 9], [2, 20, 5], [3, 400, 1]]).tolist()
    [[1.0, 1.0, -1.0], [1.0, 1.0, -1.0], [-1.0, -1.0, 1.0]]

    Reference: Spearman 1904; Locatello et al. 2019, arXiv 1811.12359, section 5.
    """
    scores = np.asarray(scores, "float64")
    if scores.ndim != 2 or len(scores) < 2 or not scores.size or np.isnan(scores).any():
        raise ValueError(f"expected scores (examples, scores) of 2 examples or more; got shape {scores.shape} or NaN.")
    ranks = np.stack([_ranks(column) for column in scores.T], axis=1)
    centred = ranks - ranks.mean(axis=0)
    products = centred.T @ centred
    squares = np.where(np.diag(products) > 0, np.diag(products), np.nan)
    return np.clip(products / np.sqrt(np.outer(squares, squares)), -1.0, 1.0)


def _ranks(values):
    """The rank of each value, from 1 on; equal ones share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[places]
