"""How good a predicted mean and variance are: how far off, how likely what came, how often an interval holds it."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np


def root_mean_squared_error(y: np.ndarray, mean: np.ndarray) -> float:
    """Computes √(mean of (y - m)²), in the unit of y.

    Args:
        y: (examples,) what came.
        mean: (examples,) what was predicted.

    Raises:
        ValueError: Where shapes do not fit, or there are no examples.

    Example:

    >>> root_mean_squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0])) ** 2
    2.0000000000000004
    """
    y, mean, _ = _checked(y, mean, np.ones_like(mean))
    return float(np.sqrt(np.mean((y - mean) ** 2)))


def gaussian_negative_log_likelihood(y: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> float:
    """Computes the mean of -log N(y; m, v) = ½ (log 2πv + (y - m)² / v), in nats an example.

    It depends on the unit of y: in a unit a thousand times as large it is log 1000 less.

    Args:
        y: (examples,) what came.
        mean: (examples,) the predicted mean.
        variance: (examples,) the predicted variance of y, its noise included, over 0.

    Raises:
        ValueError: Where shapes do not fit, there are no examples, or a variance is not over 0.

    Example:

    >>> round(gaussian_negative_log_likelihood(np.zeros(3), np.zeros(3), np.ones(3)), 4)
    0.9189
    """
    y, mean, variance = _checked(y, mean, variance)
    return float(np.mean(0.5 * (np.log(2.0 * np.pi * variance) + (y - mean) ** 2 / variance)))


def interval_coverage(
    y: np.ndarray, mean: np.ndarray, variance: np.ndarray, levels: Sequence[float] = (0.95,)
) -> np.ndarray:
    """Computes the share of examples inside the central interval that should hold a share of them.

    The interval of level p is m ± Φ⁻¹((1 + p) / 2) √v. It says nothing of how wide it is: a model that predicts the
    mean and variance of all y for every example has the right coverage.

    Args:
        y, mean, variance: As `gaussian_negative_log_likelihood` takes them.
        levels: The shares that intervals should hold, each over 0 and under 1.

    Returns:
        (levels,) the shares that they hold.

    Raises:
        ValueError: As there; or where a level is no share.

    Example:

    >>> interval_coverage(np.array([0.0, 1.9, 2.1, -2.1]), np.zeros(4), np.ones(4), [0.5, 0.95])
    array([0.25, 0.5 ])
    """
    y, mean, variance = _checked(y, mean, variance)
    if not all(0.0 < level < 1.0 for level in levels):
        raise ValueError(f"levels must be over 0 and under 1; got {list(levels)}.")
    widths = np.array([NormalDist().inv_cdf((1.0 + level) / 2.0) for level in levels])
    return np.mean(np.abs(y - mean)[:, None] <= widths * np.sqrt(variance)[:, None], axis=0)


def scores(y: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> dict[str, float]:
    """Computes all three.

    Args:
        y, mean, variance: As `gaussian_negative_log_likelihood` takes them.

    Returns:
        "root_mean_squared_error", "negative_log_likelihood_nats" and "coverage_of_95_percent_intervals".

    Raises:
        ValueError: As there.

    Example:

    >>> list(scores(np.zeros(3), np.zeros(3), np.ones(3)).values())[::2]
    [0.0, 1.0]
    """
    return {
        "root_mean_squared_error": root_mean_squared_error(y, mean),
        "negative_log_likelihood_nats": gaussian_negative_log_likelihood(y, mean, variance),
        "coverage_of_95_percent_intervals": float(interval_coverage(y, mean, variance)[0]),
    }


def _checked(y, mean, variance):
    y, mean, variance = (np.asarray(each, "float64") for each in (y, mean, variance))
    if y.ndim != 1 or not len(y) or mean.shape != y.shape or variance.shape != y.shape:
        raise ValueError(
            f"expected (examples,) numbers each, one or more; got shapes {y.shape}, {mean.shape}, {variance.shape}."
        )
    if not (variance > 0).all():
        raise ValueError(f"a variance must be over 0; got {variance.min()}.")
    return y, mean, variance
