"""How many of a mixture's components are in use."""

import numpy as np


def effective_components(log_weights: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Computes exp of the entropy of the mean weights: 1 where one component has all the weight.

    Args:
        log_weights: log pi, (..., components).
        mask: True where there is a point, (...).

    Returns:
        From 1 to the number of components.

    Raises:
        ValueError: Where there is no point.

    Example:

    >>> round(effective_components(np.log([[0.5, 0.5], [0.5, 0.5]])), 3)
    2.0
    """
    weights = np.exp(np.asarray(log_weights, "float64"))
    weights = weights.reshape(-1, weights.shape[-1])
    if mask is not None:
        weights = weights[np.asarray(mask, bool).ravel()]
    if not len(weights):
        raise ValueError("expected at least one point.")
    mean = weights.mean(axis=0)
    mean = mean[mean > 0] / mean.sum()
    return float(np.exp(-np.sum(mean * np.log(mean))))
