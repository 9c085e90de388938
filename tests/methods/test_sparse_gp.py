import os
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_diabetes
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

from toolkit.methods import gp_covariance, sparse_gp

SMOOTHNESS = {"squared_exponential": np.inf, "matern12": 0.5, "matern32": 1.5, "matern52": 2.5}
NOISE = 0.1


def problem(rows=60, columns=2, num_inducing=12, seed=0):
    """Inputs, targets of a known function with noise, and parameters whose inducing inputs are rows."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, columns))
    y = np.sin(2 * x[:, 0]) + 0.5 * x[:, -1] + np.sqrt(NOISE) * random.normal(size=rows)
    return (
        x,
        y - y.mean(),
        gp_covariance.GPParameters(1.3, np.linspace(0.7, 1.1, columns), NOISE, x[:num_inducing].copy()),
    )


def covariance(name, parameters):
    """Scikit-learn's kernel."""
    scale = RBF if name == "squared_exponential" else lambda length: Matern(length, nu=SMOOTHNESS[name])
    return ConstantKernel(parameters.variance) * scale(parameters.length_scales)


def dense(x, y, parameters, name, jitter):
    """L, U, the mean and the variance at x, from N x N matrices by their definitions."""
    kernel = covariance(name, parameters)
    inputs, noise = parameters.inducing_inputs, parameters.noise
    inverse = np.linalg.inv(kernel(inputs) + jitter * np.eye(len(inputs)))
    explained = kernel(x, inputs) @ inverse @ kernel(inputs, x)
    trace = np.trace(kernel(x) - explained)

    def log_density(noise_of_quadratic):
        quadratic = y @ np.linalg.solve(explained + noise_of_quadratic * np.eye(len(x)), y)
        return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * (explained + noise * np.eye(len(x))))[1])

    inner = np.linalg.inv(np.linalg.inv(inverse) + kernel(inputs, x) @ kernel(x, inputs) / noise)
    mean = kernel(x, inputs) @ inner @ kernel(inputs, x) @ y / noise
    variance = np.diag(kernel(x) - kernel(x, inputs) @ (inverse - inner) @ kernel(inputs, x))
    return log_density(noise) - trace / (2 * noise), log_density(noise + trace), mean, variance, trace


@pytest.mark.parametrize("name", gp_covariance.KERNELS)
def test_bounds_and_predictions_are_those_of_the_definitions(name):
    x, y, parameters = problem()
    lower, upper, mean, variance, trace = dense(x, y, parameters, name, 1e-6)
    summary = sparse_gp.summarize(x, y, parameters, name, block_size=17)
    np.testing.assert_allclose(summary.trace, trace, rtol=1e-8)
    np.testing.assert_allclose(sparse_gp.lower_bound(summary), lower, rtol=1e-9)
    np.testing.assert_allclose(sparse_gp.upper_bound(summary), upper, rtol=1e-9)
    found = sparse_gp.predict(x, parameters, sparse_gp.posterior(summary), name, block_size=13)
    np.testing.assert_allclose(found[0], mean, atol=1e-8)
    np.testing.assert_allclose(found[1], variance + NOISE, atol=1e-8)


@pytest.mark.parametrize("name", gp_covariance.KERNELS)
def test_inducing_inputs_at_all_rows_give_scikit_learns_exact_process(name):
    x, y, parameters = problem(rows=40, num_inducing=40)
    exact = GaussianProcessRegressor(covariance(name, parameters) + WhiteKernel(NOISE), alpha=0, optimizer=None)
    exact.fit(x, y)
    summary = sparse_gp.summarize(x, y, parameters, name, jitter=1e-10)
    np.testing.assert_allclose(sparse_gp.lower_bound(summary), exact.log_marginal_likelihood_value_, rtol=1e-6)
    np.testing.assert_allclose(sparse_gp.upper_bound(summary), exact.log_marginal_likelihood_value_, rtol=1e-6)
    new = np.random.default_rng(5).normal(size=(7, 2))
    mean, deviation = exact.predict(new, return_std=True)
    found = sparse_gp.predict(new, parameters, sparse_gp.posterior(summary), name)
    np.testing.assert_allclose(found[0], mean, atol=1e-6)
    np.testing.assert_allclose(found[1], deviation**2, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "bound"),
    [*((name, sparse_gp.lower_bound) for name in gp_covariance.KERNELS), ("matern32", sparse_gp.upper_bound)],
)
def test_gradient_is_that_of_differences(name, bound):
    x, y, parameters = problem(num_inducing=5)
    parameters = parameters._replace(inducing_inputs=parameters.inducing_inputs + 0.1)  # matern12 has a kink at rows
    random = np.random.default_rng(1)
    direction = gp_covariance.GPParameters(*(random.normal(size=np.shape(each)) for each in parameters))

    def value(step):
        moved = [tf.constant(each + step * way, tf.float64) for each, way in zip(parameters, direction, strict=True)]
        with tf.GradientTape() as tape:
            tape.watch(moved)
            found = bound(sparse_gp.summarize(x, y, gp_covariance.GPParameters(*moved), name, block_size=16))
        return found.numpy(), tape.gradient(found, moved)

    slope = sum(np.sum(each * way) for each, way in zip(value(0.0)[1], direction, strict=True))
    assert slope == pytest.approx((value(1e-6)[0] - value(-1e-6)[0]) / 2e-6, rel=1e-6)


def test_rows_of_another_shape_are_told():
    x, y, parameters = problem()
    posterior = sparse_gp.posterior(sparse_gp.summarize(x, y, parameters))
    with pytest.raises(ValueError, match=r"shape \(n, 2\), as the inducing inputs have; got \(3, 1\)"):
        sparse_gp.predict(np.zeros((3, 1)), parameters, posterior)
    with pytest.raises(ValueError, match=r"got x \(60,\)"):
        sparse_gp.summarize(x[:, 0], y, parameters)


def gradients(bound, parameters):
    """The value of a function of parameters, and its gradient as one vector."""
    parameters = [tf.constant(each, tf.float64) for each in parameters]
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        value = bound(gp_covariance.GPParameters(*parameters))
    return value.numpy(), np.concatenate([np.ravel(each) for each in tape.gradient(value, parameters)])


def gpflows(x, y, parameters, name):
    """GPflow's bounds, gradient towards what `GPParameters` holds, mean and variance of the function at the rows."""
    gpflow = pytest.importorskip("gpflow", reason="GPflow 2.11 wants NumPy below 2: an environment of its own")
    kernels = gpflow.kernels
    kind = {"squared_exponential": kernels.SquaredExponential, "matern12": kernels.Matern12}
    kind |= {"matern32": kernels.Matern32, "matern52": kernels.Matern52}
    kernel = kind[name](variance=parameters.variance, lengthscales=parameters.length_scales)
    model = gpflow.models.SGPR(
        (x, y[:, None]), kernel, parameters.inducing_inputs, noise_variance=float(parameters.noise)
    )
    ordered = kernel.variance, kernel.lengthscales, model.likelihood.variance, model.inducing_variable.Z
    with tf.GradientTape() as tape:
        bound = model.elbo()
    slopes = tape.gradient(bound, [each.unconstrained_variable for each in ordered])
    slopes = [
        slope / tf.exp(each.transform.forward_log_det_jacobian(each.unconstrained_variable, 0))
        for slope, each in zip(slopes, ordered, strict=True)
    ]
    mean, variance = model.predict_f(x)
    slopes = np.concatenate([np.ravel(each) for each in slopes])
    return bound.numpy(), slopes, model.upper_bound().numpy(), mean.numpy()[:, 0], variance.numpy()[:, 0]


def standardised(rows, num_inducing=100):
    """Inputs and targets of a table, its last column, and where a fit might begin."""
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    x, y = rows[:, :-1], rows[:, -1]
    chosen = np.random.default_rng(0).choice(len(x), num_inducing, replace=False)
    return x, y, gp_covariance.GPParameters(0.9, np.full(x.shape[1], 1.5), 0.1, x[chosen])


# What GPflow 2.11.2 says of scikit-learn's diabetes with 40 inducing inputs: the bounds; the gradient towards variance,
# first length scale and noise, and the length of all of it; mean and variance of the function at first and last row.
FIGURES = {
    "squared_exponential": (
        (-2429.8314672680112, 38.864902524859566),
        (-1412.384549934677, 168.36586280908227, 22496.29991008206, 22545.90577936725),
        (0.5076896345449985, -0.17856561170200905, 0.5640350526352343, 0.8857806288275109),
    ),
    "matern12": (
        (-2665.4857217794797, 48.97333097356615),
        (-1698.7117583570741, 78.4775843167274, 24871.510197232026, 24930.443792618073),
        (0.46523081174088643, -0.310903187354264, 0.7373783836233458, 0.8767589442080103),
    ),
    "matern32": (
        (-2561.6796014258634, 44.841592162405775),
        (-1588.1641470085822, 110.93305266253948, 23831.602436330708, 23886.606040167837),
        (0.4924225418813095, -0.257248167762736, 0.6737100115523396, 0.8813775701542006),
    ),
    "matern52": (
        (-2525.4452155785452, 43.11675542784652),
        (-1541.7350206014582, 126.2487157445707, 23464.739186976472, 23518.17054967374),
        (0.4962256806786955, -0.23632433384397616, 0.645812835744596, 0.883147477586123),
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_equals_gpflows_figures(name):
    found = load_diabetes()
    x, y, parameters = standardised(np.column_stack([found.data, found.target]), 40)
    bounds, slopes, predicted = FIGURES[name]
    value, gradient = gradients(
        lambda moved: sparse_gp.lower_bound(sparse_gp.summarize(x, y, moved, name, block_size=100)), parameters
    )
    np.testing.assert_allclose([*gradient[[0, 1, 11]], np.linalg.norm(gradient)], slopes, rtol=1e-6)
    summary = sparse_gp.summarize(x, y, parameters, name)
    np.testing.assert_allclose([value, sparse_gp.upper_bound(summary)], bounds, rtol=1e-6)
    mean, variance = sparse_gp.predict(x[[0, -1]], parameters, sparse_gp.posterior(summary), name)
    np.testing.assert_allclose([*mean, *(variance - parameters.noise)], predicted, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.skipif("TOOLKIT_TEST_DATA" not in os.environ, reason="reads the tables of TOOLKIT_TEST_DATA")
@pytest.mark.parametrize("name", gp_covariance.KERNELS)
@pytest.mark.parametrize("data", ["bostonHousing", "concrete", "energy", "kin8nm", "power-plant", "yacht"])
def test_equals_gpflow_on_uci_tables(data, name):
    folder = pathlib.Path(os.environ["TOOLKIT_TEST_DATA"], "uci", data)
    x, y, parameters = standardised(np.loadtxt(folder / "data.txt"))
    bound, slopes, upper, mean, variance = gpflows(x, y, parameters, name)
    value, gradient = gradients(lambda moved: sparse_gp.lower_bound(sparse_gp.summarize(x, y, moved, name)), parameters)
    assert value == pytest.approx(bound, rel=1e-6)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6, atol=1e-6 * np.abs(slopes).max())
    summary = sparse_gp.summarize(x, y, parameters, name)
    assert sparse_gp.upper_bound(summary).numpy() == pytest.approx(upper, rel=1e-6)
    found = sparse_gp.predict(x, parameters, sparse_gp.posterior(summary), name)
    np.testing.assert_allclose(found[0], mean, atol=1e-6)
    np.testing.assert_allclose(found[1] - parameters.noise, variance, atol=1e-6)
