"""Bracketed: perfect, constant, and a known cheat."""

import numpy as np
import pytest
import scipy.stats
from sklearn.metrics import mean_squared_error

from toolkit.metrics import gaussian_prediction as metrics

RANDOM = np.random.default_rng(0)
MEAN, VARIANCE = RANDOM.normal(size=20_000), RANDOM.uniform(0.1, 4.0, 20_000)
Y = MEAN + np.sqrt(VARIANCE) * RANDOM.standard_normal(20_000)


def test_against_scipy_and_scikit_learn():
    expected = -scipy.stats.norm.logpdf(Y, MEAN, np.sqrt(VARIANCE)).mean()
    assert metrics.gaussian_negative_log_likelihood(Y, MEAN, VARIANCE) == pytest.approx(expected)
    assert metrics.root_mean_squared_error(Y, MEAN) == pytest.approx(mean_squared_error(Y, MEAN) ** 0.5)
    low, high = scipy.stats.norm.interval(0.8, MEAN, np.sqrt(VARIANCE))
    inside = np.mean((low <= Y) & (high >= Y))
    assert metrics.interval_coverage(Y, MEAN, VARIANCE, [0.8])[0] == pytest.approx(inside)


def test_the_truth_is_covered_as_often_as_it_says():
    levels = [0.1, 0.5, 0.9, 0.95]
    np.testing.assert_allclose(metrics.interval_coverage(Y, MEAN, VARIANCE, levels), levels, atol=0.01)
    assert metrics.root_mean_squared_error(Y, Y) == 0


def test_a_constant_is_covered_but_less_likely():
    mean, variance = np.full_like(Y, Y.mean()), np.full_like(Y, Y.var())
    assert metrics.interval_coverage(Y, mean, variance)[0] == pytest.approx(0.95, abs=0.01)
    assert metrics.root_mean_squared_error(Y, mean) == pytest.approx(Y.std())
    told = metrics.gaussian_negative_log_likelihood(Y, MEAN, VARIANCE)
    assert metrics.gaussian_negative_log_likelihood(Y, mean, variance) > told + 0.1


def test_wide_intervals_cover_all_and_are_unlikely():
    told = metrics.gaussian_negative_log_likelihood(Y, MEAN, VARIANCE)
    for factor, covered in ((100.0, 1.0), (1e-4, 0.02)):
        assert metrics.interval_coverage(Y, MEAN, factor * VARIANCE)[0] == pytest.approx(covered, abs=0.02)
        assert metrics.gaussian_negative_log_likelihood(Y, MEAN, factor * VARIANCE) > told + 1


def test_another_unit_moves_the_likelihood_by_its_logarithm():
    moved = metrics.gaussian_negative_log_likelihood(1000 * Y, 1000 * MEAN, 1e6 * VARIANCE)
    told = metrics.gaussian_negative_log_likelihood(Y, MEAN, VARIANCE)
    assert moved - told == pytest.approx(np.log(1000))


def test_all_scores_at_once():
    found = metrics.scores(Y, MEAN, VARIANCE)
    assert found["root_mean_squared_error"] == metrics.root_mean_squared_error(Y, MEAN)
    assert found["negative_log_likelihood_nats"] == metrics.gaussian_negative_log_likelihood(Y, MEAN, VARIANCE)
    assert found["coverage_of_95_percent_intervals"] == metrics.interval_coverage(Y, MEAN, VARIANCE)[0]


@pytest.mark.parametrize(
    "arguments, told",
    [
        ((np.zeros(2), np.zeros(3), np.ones(2)), r"got shapes \(2,\), \(3,\), \(2,\)"),
        ((np.zeros((2, 1)), np.zeros((2, 1)), np.ones((2, 1))), r"expected \(examples,\) numbers"),
        ((np.zeros(0), np.zeros(0), np.ones(0)), "one or more"),
        ((np.zeros(2), np.zeros(2), np.array([1.0, 0.0])), "a variance must be over 0; got 0.0"),
        ((np.zeros(2), np.zeros(2), np.array([1.0, np.nan])), "a variance must be over 0; got nan"),
    ],
)
def test_what_is_refused(arguments, told):
    for function in (metrics.gaussian_negative_log_likelihood, metrics.interval_coverage):
        with pytest.raises(ValueError, match=told):
            function(*arguments)


def test_levels_are_shares():
    with pytest.raises(ValueError, match=r"levels must be over 0 and under 1; got \[95\]"):
        metrics.interval_coverage(np.zeros(1), np.zeros(1), np.ones(1), [95])
