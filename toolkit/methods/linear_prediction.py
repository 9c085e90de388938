"""What a straight line reaches: to be beaten by whatever else predicts a number with its uncertainty."""

import numpy as np


def linear_prediction(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicts by Bayesian linear regression, its precisions by the evidence: scikit-learn's `BayesianRidge`.

    Args:
        x: Inputs, standardised, (rows, columns).
        y: Targets, (rows,).
        new: Inputs, (n, columns).

    Returns:
        Mean and variance of new observations, noise included, float64 (n,) each.

    Example:

    >>> x = np.linspace(-1, 1, 100)[:, None]
    >>> mean, variance = linear_prediction(x, 3 * x[:, 0] + 1, np.array([[2.0]]))
    >>> round(float(mean[0]), 3), bool(variance[0] < 1e-4)
    (7.0, True)

    Reference: MacKay 1992, Bayesian Interpolation.
    """
    from sklearn.linear_model import BayesianRidge

    mean, scale = BayesianRidge().fit(x, y).predict(new, return_std=True)
    return mean, scale**2
