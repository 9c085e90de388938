"""What the plainest density of pen offsets reaches: to be beaten."""

import numpy as np


def one_gaussian_log_loss(fitted: np.ndarray, held_out: np.ndarray) -> float:
    """Scores one Gaussian and one pen-up rate, fitted to all offsets alike.

    Args:
        fitted: Offsets to fit, (points, 3): x, y, and 1 where a stroke ends.
        held_out: Offsets to score, in the same unit.

    Returns:
        Mean of -log p, in nats a point.

    Example:

    >>> points = np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 1], [0, -1, 1]])
    >>> round(one_gaussian_log_loss(points, points), 3)
    2.876
    """
    fitted, held_out = np.asarray(fitted, "float64"), np.asarray(held_out, "float64")
    mean, covariance, rate = fitted[:, :2].mean(axis=0), np.cov(fitted[:, :2].T), fitted[:, 2].mean()
    centred = held_out[:, :2] - mean
    squared = np.einsum("pi,ij,pj->p", centred, np.linalg.inv(covariance), centred)
    nats = 0.5 * (squared + np.log(np.linalg.det(2 * np.pi * covariance)))
    return float(np.mean(nats - np.where(held_out[:, 2] > 0.5, np.log(rate), np.log1p(-rate))))
