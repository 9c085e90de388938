import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from toolkit.methods import inducing_inputs, sparse_gp, sparse_gp_fitting
from toolkit.methods.sparse_gp_fitting import fit_by_lbfgs, fit_in_rounds, initial_parameters, parameters_of


def problem(rows=60):
    random = np.random.default_rng(0)
    x = random.uniform(-2, 2, size=(rows, 2))
    y = np.sin(3 * x[:, 0]) + 0.2 * x[:, 1] + 0.1 * random.normal(size=rows)
    return x, (y - y.mean()) / y.std()


def test_with_all_rows_the_fit_is_scikit_learns():
    x, y = problem(40)
    fit = fit_by_lbfgs(x, y, initial_parameters(x, x), jitter=1e-8)
    kernel = ConstantKernel(1.0) * RBF([1.0, 1.0], (1e-2, 1e3)) + WhiteKernel(0.1)
    exact = GaussianProcessRegressor(kernel, alpha=0).fit(x, y)
    assert fit.converged and fit.bound == pytest.approx(exact.log_marginal_likelihood_value_, abs=1e-3)
    np.testing.assert_allclose(fit.parameters.length_scales, exact.kernel_.k1.k2.length_scale, rtol=0.02)
    assert fit.parameters.noise == pytest.approx(exact.kernel_.k2.noise_level, rel=0.02)


def test_moving_the_inducing_inputs_raises_the_bound_and_each_step_is_told():
    x, y = problem()
    start = initial_parameters(x, x[:6])
    told = []
    fixed = fit_by_lbfgs(x, y, start, max_iterations=15)
    moved = fit_by_lbfgs(
        x, y, start, train_inducing_inputs=True, max_iterations=15, callback=lambda *each: told.append(each)
    )
    np.testing.assert_array_equal(fixed.parameters.inducing_inputs, x[:6])
    assert moved.bound > fixed.bound > fixed.bounds[0] and not np.array_equal(moved.parameters.inducing_inputs, x[:6])
    assert told == list(enumerate(moved.bounds)) and len(told) > 10
    assert (np.diff(moved.bounds) >= 0).all()
    again = sparse_gp.lower_bound(sparse_gp.summarize(x, y, moved.parameters))
    assert moved.bound == moved.bounds[-1] == pytest.approx(again.numpy())


def test_arrays_hold_the_fit():
    x, y = problem()
    fit = fit_by_lbfgs(x, y, initial_parameters(x, x[:5]), max_iterations=3)
    arrays = fit.arrays()
    for before, after in zip(fit.parameters, parameters_of(arrays), strict=True):
        np.testing.assert_array_equal(before, after)
    assert arrays["bound"] == fit.bound and arrays["bounds"].shape == (4,) and not arrays["converged"]


def test_hyperparameters_stay_within_the_limits():
    x, y = problem()
    noiseless = np.sin(x[:, 0])  # its noise would fall without end
    fit = fit_by_lbfgs(x, noiseless, initial_parameters(x, x[:30]), max_iterations=30)
    for name, (least, most) in sparse_gp_fitting.LIMITS.items():
        value = getattr(fit.parameters, name)
        assert np.all(value >= least * 0.999) and np.all(value <= most * 1.001), name
    assert fit.jitter >= 1e-6


def test_a_fit_begins_at_the_columns_scales():
    x = np.random.default_rng(0).normal(size=(1000, 3)) * [1.0, 0.0, 5.0]
    start = initial_parameters(x, x[:5])
    np.testing.assert_allclose(start.length_scales, np.sqrt(3) * np.array([1.0, 1.0, 5.0]), rtol=0.1)
    assert (start.variance, start.noise) == (1.0, 0.5)
    np.testing.assert_array_equal(start.inducing_inputs, x[:5])


def test_bad_input_is_told():
    x, y = problem()
    start = initial_parameters(x, x[:5])
    with pytest.raises(ValueError, match=r"y\[3\] is nan"):
        fit_by_lbfgs(x, np.where(np.arange(60) == 3, np.nan, y), start)
    with pytest.raises(ValueError, match=r"y \(59,\)"):
        fit_by_lbfgs(x, y[:-1], start)
    with pytest.raises(ValueError, match="61 inducing inputs for 60 rows"):
        fit_by_lbfgs(x, y, start._replace(inducing_inputs=np.zeros((61, 2))))
    with pytest.raises(ValueError, match="noise is -1.0"):
        fit_by_lbfgs(x, y, start._replace(noise=-1.0))


def test_a_weak_signal_in_many_columns_is_not_taken_for_noise():
    from sklearn.datasets import load_diabetes

    found = load_diabetes(scaled=False)
    x, y = ((each - each.mean(axis=0)) / each.std(axis=0) for each in (found.data, found.target))
    found = fit_by_lbfgs(x, y, initial_parameters(x, x[:50]), max_iterations=15)
    assert found.parameters.noise < 0.6


def test_a_step_to_where_there_is_no_factor_is_taken_back(monkeypatch):
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 1))
    y, start = np.sin(3 * x[:, 0]) + 0.1 * random.standard_normal(60), initial_parameters(x, x[:10])
    undisturbed, settled, calls = fit_by_lbfgs(x, y, start), sparse_gp_fitting.settled_jitter, []

    def sometimes(*arguments):
        calls.append(arguments)
        if len(calls) == 5:  # the first is of the start, before the fit
            raise ValueError("no factor")
        return settled(*arguments)

    monkeypatch.setattr(sparse_gp_fitting, "settled_jitter", sometimes)
    assert fit_by_lbfgs(x, y, start).bound == pytest.approx(undisturbed.bound, rel=1e-3)
    assert len(calls) > 6


def test_each_round_chooses_by_the_kernel_that_was_fitted_before():
    x, y = problem(40)
    kept = {}

    def keep(function, stage):
        return kept.setdefault(stage, function())

    parameters, bounds = fit_in_rounds(x, y, num_inducing=6, num_rounds=2, max_iterations=4, keep=keep)
    start = inducing_inputs.chosen("greedy_variance", x, 6, initial_parameters(x, x[:1]), "squared_exponential", 0)
    first = fit_by_lbfgs(x, y, start, max_iterations=4)
    again = inducing_inputs.chosen("greedy_variance", x, 6, first.parameters, "squared_exponential", 1)
    second = fit_by_lbfgs(x, y, again, max_iterations=4)
    for found, expected in zip(parameters, second.parameters, strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(bounds, np.concatenate([first.bounds, second.bounds]))
    assert list(kept) == ["0", "1"]
