import numpy as np
import pytest
import scipy.stats
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel

from toolkit.methods import exact_gp
from toolkit.methods.gp_covariance import GPParameters


@pytest.fixture
def problem():
    random = np.random.default_rng(0)
    x = random.normal(size=(30, 2))
    parameters = GPParameters(1.4, np.array([0.5, 0.9]), 0.2, None)
    kernel = ConstantKernel(1.4) * RBF([0.5, 0.9])
    return x, random.normal(size=30), parameters, kernel


def test_likelihood_is_scipys(problem):
    x, y, parameters, kernel = problem
    expected = scipy.stats.multivariate_normal(np.zeros(30), kernel(x) + 0.2 * np.eye(30)).logpdf(y)
    assert exact_gp.log_marginal_likelihood(x, y, parameters) == pytest.approx(expected)


def test_prediction_is_scikit_learns(problem):
    x, y, parameters, kernel = problem
    new = np.random.default_rng(1).normal(size=(9, 2))
    theirs = GaussianProcessRegressor(kernel + WhiteKernel(0.2), alpha=0, optimizer=None).fit(x, y)
    mean, deviation = theirs.predict(new, return_std=True)
    found = exact_gp.exact_prediction(x, y, new, parameters)
    np.testing.assert_allclose(found[0], mean, atol=1e-9)
    np.testing.assert_allclose(found[1], deviation**2, atol=1e-9)


def test_too_many_rows_are_refused(problem, monkeypatch):
    x, y, parameters, _ = problem
    monkeypatch.setattr(exact_gp, "MAX_ROWS", 20)
    with pytest.raises(ValueError, match="at most 20 rows; there are 30"):
        exact_gp.log_marginal_likelihood(x, y, parameters)
