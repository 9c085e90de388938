import numpy as np
import pytest
import tensorflow as tf
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


@pytest.mark.parametrize("name", gp_covariance.KERNELS)
@pytest.mark.parametrize("bound", [sparse_gp.lower_bound, sparse_gp.upper_bound])
def test_gradient_is_that_of_differences(name, bound):
    x, y, parameters = problem(rows=50, num_inducing=5)
    shapes = [np.shape(each) for each in parameters]
    flat = np.concatenate([np.ravel(each) for each in parameters])

    def value(flat):
        parts = np.split(flat, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
        parts = [tf.constant(part.reshape(shape)) for part, shape in zip(parts, shapes, strict=True)]
        with tf.GradientTape() as tape:
            tape.watch(parts)
            found = bound(sparse_gp.summarize(x, y, gp_covariance.GPParameters(*parts), name, block_size=16))
        return found.numpy(), np.concatenate([np.ravel(each) for each in tape.gradient(found, parts)])

    steps = 1e-5 * np.eye(len(flat))
    differences = [(value(flat + step)[0] - value(flat - step)[0]) / 2e-5 for step in steps]
    np.testing.assert_allclose(value(flat)[1], differences, rtol=1e-5, atol=1e-5)
