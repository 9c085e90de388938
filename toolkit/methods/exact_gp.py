"""Exact Gaussian process regression, for some thousands of rows: what sparse processes are compared with."""

from typing import Any

import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods.gp_covariance import GPParameters, kernel

# The matrix of all covariances then takes 800 MB, and its factor as much.
MAX_ROWS = 10_000


def log_marginal_likelihood(x: Any, y: Any, parameters: GPParameters, name: str = "squared_exponential") -> float:
    """Computes log p(y) = log N(y; 0, K_ff + σ² I), in O(N³).

    Args:
        x: Inputs, (N, D).
        y: Targets, (N,), of mean 0.
        parameters: See `GPParameters`; the inducing inputs are not looked at.
        name: The kernel's, one of `KERNELS`.

    Returns:
        Nats, of all rows together.

    Raises:
        ValueError: Where there are more than `MAX_ROWS` rows.

    Example:

    >>> one = GPParameters(1.0, [1.0], 0.5, None)
    >>> round(log_marginal_likelihood([[0.0]], [1.0], one), 4)  # log N(1; 0, 1.5)
    -1.455

    Reference: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, equation 2.30.
    """
    y = np.asarray(y, np.float64)
    cholesky = _cholesky(x, parameters, name)
    whitened = tf.linalg.triangular_solve(cholesky, y[:, None])
    log_determinant = 2.0 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(cholesky)))
    return float(-0.5 * (tf.reduce_sum(whitened**2) + log_determinant + len(y) * np.log(2.0 * np.pi)))


def exact_prediction(
    x: Any, y: Any, new: Any, parameters: GPParameters, name: str = "squared_exponential"
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts new observations with the exact posterior.

    Args:
        x: Inputs, (N, D).
        y: Targets, (N,), of mean 0.
        new: Inputs, (n, D).
        parameters: See `GPParameters`; the inducing inputs are not looked at.
        name: The kernel's, one of `KERNELS`.

    Returns:
        Mean and variance, float64 (n,) each; the noise is in the variance.

    Raises:
        ValueError: Where there are more than `MAX_ROWS` rows.

    Reference: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, algorithm 2.1.
    """
    x, y, new = (np.asarray(each, np.float64) for each in (x, y, new))
    cholesky = _cholesky(x, parameters, name)
    covariances = kernel(name, parameters.variance, parameters.length_scales).matrix(x, new)
    whitened = tf.linalg.triangular_solve(cholesky, covariances)
    mean = tf.linalg.matvec(whitened, tf.linalg.triangular_solve(cholesky, y[:, None])[:, 0], transpose_a=True)
    variance = parameters.variance + parameters.noise - tf.reduce_sum(whitened**2, axis=0)
    return mean.numpy(), variance.numpy()


def _cholesky(x, parameters, name):
    """The factor of K_ff + σ² I."""
    x = np.asarray(x, np.float64)
    if len(x) > MAX_ROWS:
        raise ValueError(f"the exact process is for at most {MAX_ROWS:,} rows; there are {len(x):,}.")
    covariances = kernel(name, parameters.variance, parameters.length_scales).matrix(x, x)
    return tf.linalg.cholesky(covariances + parameters.noise * tf.eye(len(x), dtype=tf.float64))
