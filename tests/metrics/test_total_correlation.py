import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from toolkit.metrics.total_correlation import gaussian_total_correlation


def codes(seed=0, num_examples=4000, num_codes=4):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(num_codes,) * 2)
    return random.normal(size=(num_examples, num_codes)) @ mixing + 1e3 * random.normal(size=num_codes)


def test_is_the_mean_difference_of_scipys_densities():
    """KL(N(m, C) || N(m, diag C)) over samples of the first, and by determinants."""
    z = codes()
    mean, covariance = z.mean(axis=0), np.cov(z.T)
    drawn = multivariate_normal(mean, covariance, seed=0).rvs(100_000)
    joint, apart = (multivariate_normal(mean, each) for each in (covariance, np.diag(np.diag(covariance))))
    assert gaussian_total_correlation(z) == pytest.approx(np.mean(joint.logpdf(drawn) - apart.logpdf(drawn)), rel=0.02)
    by_determinants = 0.5 * np.log(np.prod(np.diag(covariance)) / np.linalg.det(covariance))
    assert gaussian_total_correlation(z) == pytest.approx(by_determinants, rel=1e-9)
    assert by_determinants > 0.5


def test_of_sampled_codes_is_that_of_many_samples():
    means, random = codes(1, num_examples=3000), np.random.default_rng(2)
    variances = random.gamma(1.0, 0.5, size=means.shape)
    drawn = means + random.normal(size=(200, *means.shape)) * np.sqrt(variances)
    expected = gaussian_total_correlation(drawn.reshape(-1, 4))
    assert gaussian_total_correlation(means, variances) == pytest.approx(expected, rel=0.01)
    assert gaussian_total_correlation(means) > 1.2 * expected
    assert gaussian_total_correlation(means, np.zeros_like(means)) == gaussian_total_correlation(means)


def test_independent_dependent_and_dead():
    signs = np.stack(np.mgrid[(slice(-1, 2, 2),) * 3], axis=-1).reshape(-1, 3).astype(float)
    assert gaussian_total_correlation(signs * [1e-6, 1.0, 1e6]) == pytest.approx(0, abs=1e-12)
    dependent = np.concatenate([signs, signs[:, :1] * 1e-5], axis=1)
    assert gaussian_total_correlation(dependent) == math.inf
    # A scale of each code changes nothing.
    z = codes(3)
    assert gaussian_total_correlation(z * [1e-4, 1.0, 30.0, 1e5]) == pytest.approx(gaussian_total_correlation(z))
    dead = np.concatenate([z, np.full((len(z), 1), 0.1), np.zeros((len(z), 1))], axis=1)
    assert gaussian_total_correlation(dead) == pytest.approx(gaussian_total_correlation(z), rel=1e-12)
    assert gaussian_total_correlation(np.ones((9, 2))) == 0
    # Dead means with the prior's variance are noise: independent.
    variances = np.concatenate([np.zeros_like(z), np.ones((len(z), 2))], axis=1)
    assert gaussian_total_correlation(dead, variances) == pytest.approx(gaussian_total_correlation(z), rel=1e-9)


def test_what_cannot_be_measured_is_refused():
    z = codes(4, num_examples=10)
    with pytest.raises(ValueError, match="4 codes takes more examples; got 4"):
        gaussian_total_correlation(z[:4])
    with pytest.raises(ValueError, match=r"\(examples, codes\); got shape \(10,\)"):
        gaussian_total_correlation(z[:, 0])
    with pytest.raises(ValueError, match="or NaN"):
        gaussian_total_correlation(z * np.nan)
    for variances in (z[:5] ** 2, -np.ones_like(z), z * np.nan):
        with pytest.raises(ValueError, match="variances: expected finite numbers of 0 or more"):
            gaussian_total_correlation(z, variances)
