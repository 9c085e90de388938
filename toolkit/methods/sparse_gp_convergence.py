"""How near a sparse Gaussian process comes to the exact one, measured, and kept near while its rows grow."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods import exact_gp, inducing_inputs, sparse_gp
from toolkit.methods.gp_covariance import JITTER, GPParameters, inducing_covariance, kernel, settled_jitter

# Rows of which `measured` also asks the exact process.
MAX_EXACT_ROWS = 3000


def largest_eigenvalue(
    x: Any, parameters: GPParameters, name: str = "squared_exponential", jitter: float = JITTER
) -> float:
    """Computes the largest eigenvalue of K_ff - Q_ff, by Lanczos' iteration on the matrix; see `sparse_gp.upper_bound`.

    Args:
        x: Rows, float64 (N, D).
        parameters: See `GPParameters`.
        name: The kernel's, one of `KERNELS`.
        jitter: As in `sparse_gp.summarize`.

    Returns:
        At least 0.

    Raises:
        ValueError: Where there are more than `exact_gp.MAX_ROWS` rows.
    """
    import scipy.sparse.linalg

    x = np.asarray(x, np.float64)
    if not 2 <= len(x) <= exact_gp.MAX_ROWS:
        raise ValueError(f"the largest eigenvalue is for 2 to {exact_gp.MAX_ROWS:,} rows; there are {len(x):,}.")
    covariance = kernel(name, parameters.variance, parameters.length_scales)
    cholesky = tf.linalg.cholesky(inducing_covariance(parameters, name, jitter))
    scaled = tf.linalg.triangular_solve(cholesky, covariance.matrix(parameters.inducing_inputs, x))
    left = (covariance.matrix(x, x) - tf.matmul(scaled, scaled, transpose_a=True)).numpy()
    start = np.ones(len(x))  # without it SciPy draws one
    found = scipy.sparse.linalg.eigsh(left, k=1, which="LA", v0=start, return_eigenvectors=False)
    return max(float(found[0]), 0.0)


def measured(
    x: Any,
    y: Any,
    parameters: GPParameters,
    name: str = "squared_exponential",
    *,
    way: str = "greedy_variance",
    num_inducing: int = 20,
    seed: int = 0,
) -> dict[str, float]:
    """Chooses inducing inputs and measures how near the sparse process comes to the exact one.

    Args:
        x: Rows, float64 (N, D).
        y: Targets, (N,).
        parameters: See `GPParameters`; the inducing inputs are not looked at.
        name: The kernel's, one of `KERNELS`.
        way: One of `inducing_inputs.WAYS`.
        num_inducing: M.
        seed: Of the choice.

    Returns:
        In nats, of all rows together: "lower" L, "lower_tight", "upper" U, "upper_eigenvalue" U with the largest
        eigenvalue, "log_likelihood", "kl" = that - L, "kl_bound" = the lesser U - L; and "trace", "largest_eigenvalue",
        "num_inducing". What needs the exact process is NaN where there are more than `MAX_EXACT_ROWS` rows.
    """
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    chosen = inducing_inputs.choose(way, x, num_inducing, kernel(name, *parameters[:2]), seed)
    parameters = parameters._replace(inducing_inputs=chosen)
    jitter = settled_jitter(parameters, name)
    summary = sparse_gp.summarize(x, y, parameters, name, jitter=jitter)
    lower, upper = float(sparse_gp.lower_bound(summary)), float(sparse_gp.upper_bound(summary))
    largest = likelihood = upper_eigenvalue = math.nan
    if len(x) <= MAX_EXACT_ROWS:
        largest = largest_eigenvalue(x, parameters, name, jitter)
        upper_eigenvalue = float(sparse_gp.upper_bound(summary, largest))
        likelihood = exact_gp.log_marginal_likelihood(x, y, parameters, name)
    return {
        "num_inducing": float(len(chosen)),
        "lower": lower,
        "lower_tight": float(sparse_gp.lower_bound(summary, tight=True)),
        "log_likelihood": likelihood,
        "upper_eigenvalue": upper_eigenvalue,
        "upper": upper,
        "kl": likelihood - lower,
        "kl_bound": np.fmin(upper, upper_eigenvalue) - lower,
        "trace": float(summary.trace),
        "largest_eigenvalue": largest,
    }


class Grown(NamedTuple):
    """A sparse process of all rows until now.

    Args:
        num_rows: N.
        parameters: With the inducing inputs of now.
        summary: Of all rows.
        posterior: What `sparse_gp.predict` takes.
    """

    num_rows: int
    parameters: GPParameters
    summary: sparse_gp.GPSummary
    posterior: sparse_gp.GPPosterior


def growing(
    chunks: Iterable[tuple[Any, Any]],
    parameters: GPParameters,
    num_inducing: Callable[[int], int],
    name: str = "squared_exponential",
    *,
    way: str = "greedy_variance",
    seed: int = 0,
) -> Iterator[Grown]:
    """Uses a process continually: rows come, and the inducing inputs are chosen anew, as many as the bound asks for.

    Args:
        chunks: (x (n, D), y (n,)), one after the other.
        parameters: Hyper-parameters; the inducing inputs are not looked at.
        num_inducing: From N to M, such as `sparse_gp_rates.num_inducing_for` gives; more than N are N.
        name: The kernel's, one of `KERNELS`.
        way: One of `inducing_inputs.WAYS`.
        seed: Of the choices.

    Yields:
        After each chunk, see `Grown`.

    Reference: Burt, Rasmussen and van der Wilk 2019, arXiv 1903.03571, section 6.
    """
    rows, targets = [], []
    for number, (x, y) in enumerate(chunks):
        rows.append(np.asarray(x, np.float64))
        targets.append(np.asarray(y, np.float64))
        x, y = np.concatenate(rows), np.concatenate(targets)
        wanted = min(num_inducing(len(x)), len(x))
        chosen = inducing_inputs.choose(way, x, wanted, kernel(name, *parameters[:2]), seed + number)
        parameters = parameters._replace(inducing_inputs=chosen)
        summary = sparse_gp.summarize(x, y, parameters, name, jitter=settled_jitter(parameters, name))
        yield Grown(len(x), parameters, summary, sparse_gp.posterior(summary))
