"""One number that makes a classifier as sure as it is right: temperature scaling."""

import numpy as np

from toolkit.metrics.calibration import negative_log_likelihood

_RANGE = 1e-2, 1e2
_LEAST = 1e-30


def tempered(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Computes softmax(logits / T) from the softmax of the logits: p^(1/T), to sum 1.

    Args:
        probabilities: (examples, classes), each row with sum 1.
        temperature: T, more than 0: above 1 less sure.

    Returns:
        float64 (examples, classes).

    Example:

    >>> tempered(np.array([[0.8, 0.2]]), 2.0).round(4)
    array([[0.6667, 0.3333]])
    """
    logs = np.log(np.maximum(np.asarray(probabilities, "float64"), _LEAST)) / temperature
    shifted = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def fitted(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Finds the temperature T of 0.01 to 100 under which labels are likeliest.

    Args:
        labels: (examples,) class numbers from 0, of examples that were not trained on.
        probabilities: (examples, classes), each row with sum 1.

    Raises:
        ValueError: As `metrics.calibration.negative_log_likelihood`.

    Example:

    >>> sure = np.array([[0.99, 0.01]] * 4)
    >>> round(float(tempered(sure, fitted(np.array([0, 0, 0, 1]), sure))[0, 0]), 3)
    0.75

    Reference: Guo et al. 2017, arXiv 1706.04599, section 4.2.
    """
    from scipy.optimize import minimize_scalar

    def paid(log_temperature):
        return negative_log_likelihood(labels, tempered(probabilities, np.exp(log_temperature)))

    return float(np.exp(minimize_scalar(paid, bounds=np.log(_RANGE), method="bounded").x))
