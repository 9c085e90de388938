"""Covariances of Gaussian processes: kernels, what a sparse process is made of, and its checks."""

from typing import Any, NamedTuple

import numpy as np

from toolkit.lazy import tensorflow as tf

# The names of kernels, and TensorFlow Probability's.
KERNELS = {
    "squared_exponential": "ExponentiatedQuadratic",
    "matern12": "MaternOneHalf",
    "matern32": "MaternThreeHalves",
    "matern52": "MaternFiveHalves",
}
# Added to the diagonal of the inducing inputs' covariances; and the most that it is raised to.
JITTER, MAX_JITTER = 1e-6, 1e-2


class GPParameters(NamedTuple):
    """What a sparse Gaussian process is made of, besides the kernel's name; float64.

    Args:
        variance: k(x, x), the variance of the function, ().
        length_scales: One for each column of the inputs, in the columns' units, (D,).
        noise: The variance of the noise, σ², ().
        inducing_inputs: (M, D).
    """

    variance: Any
    length_scales: Any
    noise: Any
    inducing_inputs: Any


def kernel(name: str, variance: Any, length_scales: Any) -> Any:
    """Makes a stationary kernel with a length scale for each column (automatic relevance determination).

    Args:
        name: One of `KERNELS`.
        variance: k(x, x), ().
        length_scales: (D,).

    Returns:
        A `tfp.math.psd_kernels` kernel.

    Raises:
        ValueError: Where the name is unknown.

    Example:

    >>> covariance = kernel("squared_exponential", 2.0, [1.0]).matrix([[0.0], [1.0]], [[0.0]])
    >>> covariance.numpy().round(4).tolist()
    [[2.0], [1.2131]]

    Reference: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, section 4.2.
    """
    import tensorflow_probability as tfp  # takes seconds

    if name not in KERNELS:
        raise ValueError(f"kernel must be one of {', '.join(KERNELS)}; got {name!r}.")
    variance, length_scales = (tf.convert_to_tensor(each, tf.float64) for each in (variance, length_scales))
    kernels = tfp.math.psd_kernels
    return kernels.FeatureScaled(getattr(kernels, KERNELS[name])(tf.sqrt(variance)), length_scales)


def inducing_covariance(parameters: GPParameters, name: str, jitter: Any) -> Any:
    """Computes K_uu + jitter I.

    Args:
        parameters: See `GPParameters`.
        name: The kernel's.
        jitter: ().

    Returns:
        float64 (M, M).
    """
    inputs = tf.convert_to_tensor(parameters.inducing_inputs, tf.float64)
    covariance = kernel(name, parameters.variance, parameters.length_scales).matrix(inputs, inputs)
    return covariance + tf.cast(jitter, tf.float64) * tf.eye(inputs.shape[0], dtype=tf.float64)


def check_shapes(x: Any, y: Any, parameters: GPParameters) -> None:
    """Checks that shapes fit.

    Args:
        x: (N, D).
        y: (N,).
        parameters: See `GPParameters`.

    Raises:
        ValueError: Which shape was found, and what was expected.
    """
    found = {"x": x, "y": y} | parameters._asdict()
    shapes = {
        key: tuple(np.shape(value) if isinstance(value, float | list) else value.shape) for key, value in found.items()
    }
    ranks = {"x": 2, "y": 1, "variance": 0, "length_scales": 1, "noise": 0, "inducing_inputs": 2}
    (rows, columns), num_inducing = (*shapes["x"], None, None)[:2], shapes["inducing_inputs"][:1]
    expected = {"y": (rows,), "length_scales": (columns,), "inducing_inputs": (*num_inducing, columns)}
    for key, shape in shapes.items():
        if len(shape) != ranks[key] or shape != expected.get(key, shape):
            told = {key: f"{each}" for key, each in shapes.items()}
            raise ValueError(
                "expected x of shape (N, D), y (N,), variance (), length_scales (D,), noise () and inducing_inputs "
                f"(M, D); got {', '.join(f'{key} {shape}' for key, shape in told.items())}."
            )
    if rows is not None and num_inducing[0] is not None and num_inducing[0] > rows:
        raise ValueError(
            f"there are {num_inducing[0]} inducing inputs for {rows} rows; as many as rows give the exact process, "
            "more only cost time."
        )


def check_finite(x: Any, y: Any) -> None:
    """Checks that there are numbers everywhere.

    Args:
        x: (N, D).
        y: (N,).

    Raises:
        ValueError: Which row and column is the first that is none.
    """
    for key, values in (("x", x), ("y", y)):
        values = np.asarray(values)
        wrong = np.argwhere(~np.isfinite(values))
        if len(wrong):
            place = ", ".join(map(str, wrong[0]))
            raise ValueError(f"expected finite numbers; {key}[{place}] is {values[tuple(wrong[0])]}.")


def settled_jitter(
    parameters: GPParameters, name: str = "squared_exponential", jitter: float = JITTER, max_jitter: float = MAX_JITTER
) -> float:
    """Finds the jitter with which K_uu has a Cholesky factor, raising it tenfold until it has.

    Args:
        parameters: See `GPParameters`.
        name: The kernel's, one of `KERNELS`.
        jitter: The least.
        max_jitter: The most.

    Returns:
        What to give `summarize`.

    Raises:
        ValueError: Where there is none, or a hyper-parameter is not over 0: which parameter is to blame.

    Example:

    >>> settled_jitter(GPParameters(1.0, np.array([1.0]), 0.1, np.array([[0.0], [1.0]])))
    1e-06
    """
    for key in ("variance", "length_scales", "noise"):
        value = np.asarray(getattr(parameters, key), np.float64)
        if not (np.isfinite(value) & (value > 0)).all():
            raise ValueError(f"{key} is {value.tolist()}, but must be finite and more than 0.")
    tried = jitter
    while tried <= max_jitter * 1.001:
        # Squares of the diagonal are at least the jitter but for rounding; without a factor TensorFlow's is NaN.
        diagonal = tf.linalg.diag_part(tf.linalg.cholesky(inducing_covariance(parameters, name, tried)))
        if np.min(diagonal**2) >= 0.5 * tried:
            return tried
        tried *= 10.0
    raise ValueError(
        "the covariances of the inducing inputs have no Cholesky factor, with a jitter from "
        f"{jitter:.0e} to {max_jitter:.0e} on the diagonal: {_blame(parameters)}."
    )


def _blame(parameters):
    """Which parameter makes K_uu singular."""
    variance, length_scales, _, inputs = (np.asarray(each, np.float64) for each in parameters)
    if not np.isfinite(inputs).all():
        row = np.flatnonzero(~np.isfinite(inputs).all(axis=1))[0]
        return f"inducing_inputs[{row}] is {inputs[row].tolist()}"
    scaled = inputs / length_scales
    spread = np.ptp(scaled, axis=0)
    order = np.lexsort(scaled.T[::-1])
    gaps = np.abs(np.diff(scaled[order], axis=0)).max(axis=1)
    if len(inputs) > 1 and gaps.min() == 0:
        first, second = sorted(order[np.argmin(gaps) :][:2])
        return f"inducing_inputs[{first}] and inducing_inputs[{second}] are the same, {inputs[first].tolist()}"
    if variance * len(inputs) * np.finfo(np.float64).eps > MAX_JITTER:
        return f"variance = {variance:.3g} is so large that rounding exceeds the jitter; scale the target"
    column = int(np.argmin(spread))
    return (
        f"length_scales[{column}] = {length_scales[column]:.3g} is {1 / max(spread[column], 1e-300):.3g} times the "
        "spread of the inducing inputs in that column, or there are more of them than the kernel tells apart"
    )
