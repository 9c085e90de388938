"""How near a sparse Gaussian process comes to the exact one, measured, and kept near while its rows grow."""

import itertools
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
    parameters = inducing_inputs.chosen(way, x, num_inducing, parameters, name, seed)
    jitter = settled_jitter(parameters, name)
    summary = sparse_gp.summarize(x, y, parameters, name, jitter=jitter)
    lower, upper = float(sparse_gp.lower_bound(summary)), float(sparse_gp.upper_bound(summary))
    largest = likelihood = upper_eigenvalue = math.nan
    if len(x) <= MAX_EXACT_ROWS:
        largest = largest_eigenvalue(x, parameters, name, jitter)
        upper_eigenvalue = float(sparse_gp.upper_bound(summary, largest))
        likelihood = exact_gp.log_marginal_likelihood(x, y, parameters, name)
    return {
        "num_inducing": float(len(parameters.inducing_inputs)),
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

    def measures(self, x: Any, y: Any, name: str = "squared_exponential", max_exact: int = 2000) -> dict[str, float]:
        """Says how near it comes to the exact process, as a table's row.

        Args:
            x: All rows, of which the first N are looked at.
            y: Their targets.
            name: The kernel's.
            max_exact: The most rows of which the exact process is asked.

        Returns:
            "rows" N, "inducing_inputs" M, "bound_nats" U - L, and "divergence_nats", NaN of more rows.
        """
        lower, likelihood = float(sparse_gp.lower_bound(self.summary)), math.nan
        if self.num_rows <= max_exact:
            known = x[: self.num_rows], y[: self.num_rows], self.parameters, name
            likelihood = exact_gp.log_marginal_likelihood(*known)
        found = {"rows": self.num_rows, "inducing_inputs": len(self.parameters.inducing_inputs)}
        found["bound_nats"] = float(sparse_gp.upper_bound(self.summary)) - lower
        return found | {"divergence_nats": likelihood - lower}


def doubling(x: Any, y: Any, first: int = 250) -> list[tuple[Any, Any]]:
    """Cuts rows so that, as they come, there are twice as many each time.

    Args:
        x: Rows, (N, D).
        y: Targets, (N,).
        first: How many come first; at most N.

    Returns:
        Chunks (x, y), as `growing` takes them.

    Example:

    >>> [len(y) for _, y in doubling(np.zeros((9, 1)), np.zeros(9), first=2)]
    [2, 2, 4, 1]
    """
    edges = [min(first, len(y))]
    while edges[-1] < len(y):
        edges.append(min(2 * edges[-1], len(y)))
    return [(x[start:end], y[start:end]) for start, end in itertools.pairwise([0, *edges])]


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
        parameters = inducing_inputs.chosen(way, x, num_inducing(len(x)), parameters, name, seed + number)
        summary = sparse_gp.summarize(x, y, parameters, name, jitter=settled_jitter(parameters, name))
        yield Grown(len(x), parameters, summary, sparse_gp.posterior(summary))
