"""Hyper-parameters, and inducing inputs, of a sparse Gaussian process by L-BFGS on the collapsed bound."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods.gp_covariance import JITTER, GPParameters, check_finite, check_shapes, settled_jitter
from toolkit.methods.inducing_inputs import chosen
from toolkit.methods.sparse_gp import BLOCK_SIZE, lower_bound, summarize

# What hyper-parameters are kept between, for standardised columns: the line search tries extreme ones.
LIMITS = {"variance": (1e-6, 1e6), "length_scales": (1e-4, 1e6), "noise": (1e-6, 1e4)}


class GPFit(NamedTuple):
    """Where a fit has led.

    Args:
        parameters: Fitted, NumPy arrays.
        bound: L there, in nats.
        bounds: L at the start and after each iteration.
        num_evaluations: How often L and its gradient were computed.
        jitter: The largest that was needed.
        converged: Whether the fit ended before `max_iterations`.
    """

    parameters: GPParameters
    bound: float
    bounds: np.ndarray
    num_evaluations: int
    jitter: float
    converged: bool

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns everything as arrays by name, as `run.compute` keeps them; `parameters_of` reads them."""
        others = {key: np.asarray(value) for key, value in self._asdict().items() if key != "parameters"}
        return {**self.parameters._asdict(), **others}


def parameters_of(arrays: Mapping[str, Any]) -> GPParameters:
    """Takes the parameters out of what `GPFit.arrays` returned.

    Args:
        arrays: By name.

    Returns:
        Float64 arrays.
    """
    return GPParameters(*(np.asarray(arrays[name], np.float64) for name in GPParameters._fields))


def initial_parameters(x: Any, inducing_inputs: Any) -> GPParameters:
    """Gives where a fit begins, for a target of variance 1.

    The length scales are sqrt(D) times the columns' standard deviations, so that rows far apart still have something to
    do with each other however many columns there are, of a constant column sqrt(D). Function and noise have the
    variances 1 and 0.5: of a small noise what few inducing inputs leave unexplained weighs so much at first that a step
    can end where all is noise.

    Args:
        x: Inputs, (N, D).
        inducing_inputs: (M, D).

    Returns:
        Float64 arrays.
    """
    deviations = np.std(np.asarray(x, np.float64), axis=0)
    scales = np.sqrt(len(deviations)) * np.where(deviations > 0, deviations, 1.0)
    return GPParameters(np.float64(1.0), scales, np.float64(0.5), np.array(inducing_inputs, np.float64))


def fit_in_rounds(
    x: Any,
    y: Any,
    name: str = "squared_exponential",
    *,
    way: str = "greedy_variance",
    num_inducing: int = 40,
    num_rounds: int = 2,
    seed: int = 0,
    keep: Callable[..., Mapping[str, Any]] = lambda function, stage: function(),
    **how: Any,
) -> tuple[GPParameters, np.ndarray]:
    """Fits hyper-parameters; between the rounds the kernel that was fitted chooses the inducing inputs anew.

    Args:
        x: Inputs, standardised, (N, D).
        y: Targets, standardised, (N,).
        name: The kernel's, one of `KERNELS`.
        way: One of `inducing_inputs.WAYS`.
        num_inducing: M, at most N.
        num_rounds: How often they are chosen.
        seed: Of the choices.
        keep: Calls a function unless its result is kept already, under a name, as `run.compute` does.
        **how: Of `fit_by_lbfgs`.

    Returns:
        The parameters, and L at the start and after each iteration of all rounds.

    Reference: Burt, Rasmussen and van der Wilk 2020, arXiv 2008.00323, section 6.
    """
    parameters, bounds = initial_parameters(x, x[:1]), []
    for number in range(num_rounds):

        def one(before=parameters, number=number):
            start = chosen(way, x, num_inducing, before, name, seed + number)
            return fit_by_lbfgs(x, y, start, name, **how).arrays()

        found = keep(one, stage=str(number))
        parameters = parameters_of(found)
        bounds.append(found["bounds"])
    return parameters, np.concatenate(bounds)


def fit_by_lbfgs(
    x: Any,
    y: Any,
    parameters: GPParameters,
    name: str = "squared_exponential",
    *,
    train_inducing_inputs: bool = False,
    max_iterations: int = 100,
    callback: Callable[[int, float], None] | None = None,
    jitter: float = JITTER,
    block_size: int = BLOCK_SIZE,
) -> GPFit:
    """Maximizes the collapsed bound over the logs of the hyper-parameters, and the inducing inputs where asked.

    SciPy's L-BFGS-B within `LIMITS`. Where the inducing inputs are rows, `fit_in_rounds` chooses them anew in between,
    with the fitted kernel: the bound then need not rise from round to round, but the rows are the kernel's.

    Args:
        x: Inputs, standardised, (N, D).
        y: Targets, standardised, (N,).
        parameters: Where it begins.
        name: The kernel's, one of `KERNELS`.
        train_inducing_inputs: Whether they move too.
        max_iterations: The most steps.
        callback: Called with the number of steps and L, before the first and after each.
        jitter: The least; raised tenfold where a Cholesky factor needs it.
        block_size: Rows that are looked at together.

    Returns:
        See `GPFit`.

    Raises:
        ValueError: Where shapes do not fit, a number is not finite, or K_uu is singular: what is to blame.

    Reference: Titsias 2009; Burt, Rasmussen and van der Wilk 2020, arXiv 2008.00323, section 6.
    """
    import scipy.optimize

    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    parameters = GPParameters(*(np.asarray(each, np.float64) for each in parameters))
    check_shapes(x, y, parameters)
    check_finite(x, y)
    settled_jitter(parameters, name, jitter)
    num_columns, shape = x.shape[1], parameters.inducing_inputs.shape
    fixed = tf.constant(parameters.inducing_inputs)
    rows, targets = tf.constant(x), tf.constant(y)

    def unpacked(vector):
        logs, inputs = vector[: num_columns + 2], vector[num_columns + 2 :]
        inputs = tf.reshape(inputs, shape) if train_inducing_inputs else fixed
        scales = tf.exp(logs)
        return GPParameters(scales[0], scales[1:-1], scales[-1], inputs)

    @tf.function
    def value_and_gradient(vector, jitter):
        with tf.GradientTape() as tape:
            tape.watch(vector)
            summary = summarize(rows, targets, unpacked(vector), name, jitter=jitter, block_size=block_size)
            value = lower_bound(summary)
        return value, tape.gradient(value, vector)

    used, bounds = [jitter], []

    def objective(vector):
        vector = tf.constant(vector)
        try:
            needed = settled_jitter(unpacked(vector), name, jitter)
        except ValueError:  # the line search tries extreme ones: told that this is no good, it comes back
            return 10.0 * max(map(abs, bounds), default=0.0) + len(y), np.zeros(len(vector))
        used.append(needed)
        value, gradient = value_and_gradient(vector, tf.constant(needed, tf.float64))
        return -value.numpy(), -gradient.numpy()

    def after(intermediate_result):
        bounds.append(-float(intermediate_result.fun))
        if callback:
            callback(len(bounds) - 1, bounds[-1])

    limits = [LIMITS["variance"], *[LIMITS["length_scales"]] * num_columns, LIMITS["noise"]]
    start = np.concatenate([[parameters.variance], parameters.length_scales, [parameters.noise]])
    start = np.log(np.clip(start, *np.transpose(limits)))
    limits = [tuple(np.log(each)) for each in limits]
    if train_inducing_inputs:
        start = np.concatenate([start, parameters.inducing_inputs.ravel()])
        limits += [(None, None)] * parameters.inducing_inputs.size
    after(scipy.optimize.OptimizeResult(fun=objective(start)[0]))
    found = scipy.optimize.minimize(
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=limits,
        callback=after,
        options={"maxiter": max_iterations, "maxfun": 10 * max_iterations + 10},
    )
    fitted = GPParameters(*(each.numpy() for each in unpacked(tf.constant(found.x))))
    converged = found.status != 1  # a limit was reached; 2: rounding leaves no way up
    return GPFit(fitted, -float(found.fun), np.array(bounds), len(used) - 1, max(used), converged)
