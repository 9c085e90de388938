"""Sparse variational Gaussian process regression: bounds on the evidence and predictions, over blocks of rows."""

from typing import Any, NamedTuple

import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods.gp_covariance import JITTER, GPParameters, check_shapes, inducing_covariance, kernel

# Rows that are looked at together: some megabytes with hundreds of inducing inputs.
BLOCK_SIZE = 2048


class GPSummary(NamedTuple):
    """What all rows come to: bounds and posterior need nothing else. With A = L⁻¹ K_uf, L Lᵀ = K_uu + jitter I:

    Args:
        num_rows: N, ().
        targets_squared: yᵀ y, ().
        prior_variance: tr K_ff, ().
        gram: A Aᵀ, (M, M).
        projection: A y, (M,).
        cholesky: L, (M, M).
        noise: σ², ().
    """

    num_rows: Any
    targets_squared: Any
    prior_variance: Any
    gram: Any
    projection: Any
    cholesky: Any
    noise: Any

    @property
    def trace(self) -> Any:
        """Returns t = tr(K_ff - Q_ff), Q = K_fu K_uu⁻¹ K_uf: the variance that the inducing inputs do not explain."""
        return self.prior_variance - tf.linalg.trace(self.gram)


class GPPosterior(NamedTuple):
    """What predictions need: the mean is k(x, Z) w, the variance of the function k(x, x) - |F k(Z, x)|².

    Fᵀ F = K_uu⁻¹ - (K_uu + K_uf K_fu / σ²)⁻¹: the difference of the two is moderate where each is huge, so that it also
    serves in float32.

    Args:
        weights: w, (M,).
        factor: F, (M, M).
    """

    weights: Any
    factor: Any


def summarize(
    x: Any,
    y: Any,
    parameters: GPParameters,
    name: str = "squared_exponential",
    *,
    jitter: Any = JITTER,
    block_size: int = BLOCK_SIZE,
) -> GPSummary:
    """Goes through all rows, a block at a time, in O(N M²) time and O(M (M + block_size)) memory.

    It can be differentiated towards the parameters; the gradient goes through the blocks once more, and keeps none.

    Args:
        x: Inputs, float64 (N, D).
        y: Targets, float64 (N,), of mean 0.
        parameters: See `GPParameters`.
        name: The kernel's, one of `KERNELS`.
        jitter: Added to the diagonal of K_uu; see `settled_jitter`.
        block_size: Rows of a block.

    Returns:
        See `GPSummary`; NaN where K_uu is not positive definite with this jitter.

    Raises:
        ValueError: Where shapes do not fit.

    Reference: Titsias 2009, Variational Learning of Inducing Variables in Sparse Gaussian Processes.
    """
    x, y = tf.convert_to_tensor(x, tf.float64), tf.convert_to_tensor(y, tf.float64)
    parameters = GPParameters(*(tf.convert_to_tensor(each, tf.float64) for each in parameters))
    check_shapes(x, y, parameters)
    num_rows = tf.cast(tf.shape(x)[0], tf.float64)
    cholesky = tf.linalg.cholesky(inducing_covariance(parameters, name, jitter))
    gram, projection = _moments(x, y, parameters, cholesky, name, block_size)
    return GPSummary(
        num_rows, tf.reduce_sum(y**2), num_rows * parameters.variance, gram, projection, cholesky, parameters.noise
    )


def _moments(x, y, parameters, cholesky, name, block_size):
    """A Aᵀ and A y, A = L⁻¹ K_uf, with a gradient that goes through the blocks again instead of keeping A.

    Of a block dK = L⁻ᵀ ((G + Gᵀ) A + g yᵀ), where G and g are what comes back to A Aᵀ and A y; over all blocks together
    dL = -L⁻ᵀ ((G + Gᵀ) A Aᵀ + g (A y)ᵀ), which needs no block.
    """
    num_rows, num_inducing = tf.shape(x)[0], cholesky.shape[0]

    def summed(function, like):
        def body(start, *sums):
            rows = slice(start, tf.minimum(start + block_size, num_rows))
            return start + block_size, *(
                total + each for total, each in zip(sums, function(x[rows], y[rows]), strict=True)
            )

        zeros = [tf.zeros(each.shape, tf.float64) for each in like]
        return tf.while_loop(lambda start, *_: start < num_rows, body, (0, *zeros), parallel_iterations=1)[1:]

    @tf.custom_gradient
    def moments(variance, length_scales, inputs, cholesky):
        inverse = tf.linalg.triangular_solve(cholesky, tf.eye(num_inducing, dtype=tf.float64))

        def covariance(rows):
            return kernel(name, variance, length_scales).matrix(inputs, rows)

        def block(rows, targets):
            scaled = inverse @ covariance(rows)
            return tf.matmul(scaled, scaled, transpose_b=True), tf.linalg.matvec(scaled, targets)

        gram, projection = summed(block, (cholesky, cholesky[0]))

        def gradient(back_gram, back_projection):
            back_gram = back_gram + tf.transpose(back_gram)
            quadratic = tf.matmul(inverse, back_gram @ inverse, transpose_a=True)
            linear = tf.linalg.matvec(inverse, back_projection, transpose_a=True)

            def back(rows, targets):
                with tf.GradientTape(watch_accessed_variables=False) as tape:
                    tape.watch((variance, length_scales, inputs))
                    covariances = covariance(rows)
                return tape.gradient(
                    covariances,
                    (variance, length_scales, inputs),
                    output_gradients=quadratic @ covariances + linear[:, None] * targets,
                )

            back_cholesky = back_gram @ gram + back_projection[:, None] * projection
            back_cholesky = -tf.matmul(inverse, back_cholesky, transpose_a=True)
            return *summed(back, (variance, length_scales, inputs)), tf.linalg.band_part(back_cholesky, -1, 0)

        return (gram, projection), gradient

    return moments(parameters.variance, parameters.length_scales, parameters.inducing_inputs, cholesky)


def lower_bound(summary: GPSummary, *, tight: bool = False) -> Any:
    """Computes the collapsed bound L = log N(y; 0, Q_ff + σ² I) - t / (2 σ²), at most log p(y).

    Args:
        summary: What `summarize` returned.
        tight: Whether N/2 log(1 + t / (N σ²)) stands for t / (2 σ²): the determinant's own bound, which lies between L
            and log p(y), but is not log p(y) - KL of a posterior.

    Returns:
        Nats, of all rows together, float64 ().

    Reference: Titsias 2009; Artemev, Burt and van der Wilk 2021, arXiv 2102.08314, section 3.
    """
    unexplained = summary.trace / summary.noise
    if tight:
        unexplained = summary.num_rows * tf.math.log1p(tf.maximum(unexplained, 0.0) / summary.num_rows)
    return _log_density(summary, summary.noise) - 0.5 * unexplained


def upper_bound(summary: GPSummary, inflation: Any = None) -> Any:
    """Computes the upper bound U: as log N(y; 0, Q_ff + σ² I), but with noise σ² + t in the quadratic form.

    log p(y) - L is the divergence of the approximate posterior from the exact one, so at most U - L.

    Args:
        summary: What `summarize` returned.
        inflation: What is added to the noise; None: the trace t. The largest eigenvalue of K_ff - Q_ff, see
            `sparse_gp_convergence.largest_eigenvalue`, is less and does as well.

    Returns:
        Nats, of all rows together, float64 ().

    Reference: Titsias 2014, Variational Inference for Gaussian and Determinantal Point Processes; Burt, Rasmussen and
    van der Wilk 2019, arXiv 1903.03571, section 3.
    """
    inflation = summary.trace if inflation is None else tf.cast(inflation, tf.float64)
    return _log_density(summary, summary.noise + tf.maximum(inflation, 0.0))  # rounding and jitter may leave it below 0


def _log_density(summary, noise_of_quadratic):
    """log N(y; 0, Q_ff + σ² I), with another σ² in the quadratic form."""
    determinant = tf.linalg.cholesky(_precision(summary))
    log_determinant = 2.0 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(determinant)))
    log_determinant += summary.num_rows * tf.math.log(summary.noise)
    root = tf.linalg.cholesky(_precision(summary, noise_of_quadratic))
    explained = tf.linalg.triangular_solve(root, summary.projection[:, None] / noise_of_quadratic)
    quadratic = summary.targets_squared / noise_of_quadratic - tf.reduce_sum(explained**2)
    return -0.5 * (summary.num_rows * np.log(2.0 * np.pi) + log_determinant + quadratic)


def _precision(summary, noise=None):
    """B = I + A Aᵀ / σ²: the precision of L⁻¹ u under the posterior."""
    noise = summary.noise if noise is None else noise
    return tf.eye(summary.gram.shape[0], dtype=tf.float64) + summary.gram / noise


def posterior(summary: GPSummary) -> GPPosterior:
    """Computes what predictions need, under the posterior that attains `lower_bound`.

    Args:
        summary: What `summarize` returned.

    Returns:
        See `GPPosterior`.

    Reference: Titsias 2009, equation 10.
    """
    return posterior_of(summary.cholesky, _precision(summary), summary.projection / summary.noise)


def posterior_of(cholesky: Any, precision: Any, shift: Any) -> GPPosterior:
    """Computes what predictions need, where L⁻¹ u is Gaussian with precision P, at least I, and mean P⁻¹ s.

    Args:
        cholesky: L of K_uu, (M, M).
        precision: P, (M, M).
        shift: s, (M,).

    Returns:
        See `GPPosterior`.
    """
    mean = tf.linalg.cholesky_solve(tf.linalg.cholesky(precision), shift[:, None])
    weights = tf.linalg.triangular_solve(cholesky, mean, adjoint=True)[:, 0]
    eigenvalues, vectors = tf.linalg.eigh(precision)
    shrinkage = tf.sqrt(tf.maximum(1.0 - 1.0 / eigenvalues, 0.0))
    whitened = tf.linalg.triangular_solve(cholesky, vectors * shrinkage, adjoint=True)
    return GPPosterior(weights, tf.transpose(whitened))


def predict(
    x: Any,
    parameters: GPParameters,
    posterior: GPPosterior,
    name: str = "squared_exponential",
    *,
    block_size: int = BLOCK_SIZE,
) -> tuple[np.ndarray, np.ndarray]:
    """Predicts new observations.

    Args:
        x: Inputs, (n, D).
        parameters: See `GPParameters`.
        posterior: What the function `posterior` returned.
        name: The kernel's, one of `KERNELS`.
        block_size: Rows of a block.

    Returns:
        Mean and variance, float64 (n,) each; the noise is in the variance: without `parameters.noise` it is that of the
        function.

    Raises:
        ValueError: Where rows have another shape.
    """
    x, prior = np.asarray(x, np.float64), float(parameters.variance) + float(parameters.noise)
    columns = parameters.inducing_inputs.shape[1]
    if x.ndim != 2 or x.shape[1] != columns:
        raise ValueError(f"expected rows of shape (n, {columns}), as the inducing inputs have; got {x.shape}.")
    covariance = kernel(name, parameters.variance, parameters.length_scales)
    means, variances = [np.zeros(0)], [np.zeros(0)]
    for start in range(0, len(x), block_size):
        covariances = covariance.matrix(x[start : start + block_size], tf.cast(parameters.inducing_inputs, tf.float64))
        explained = tf.reduce_sum(tf.matmul(covariances, posterior.factor, transpose_b=True) ** 2, axis=1)
        means.append(tf.linalg.matvec(covariances, posterior.weights).numpy())
        variances.append(prior - explained.numpy())
    return np.concatenate(means), np.concatenate(variances)
