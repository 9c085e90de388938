import itertools

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from toolkit.methods import gp_covariance, inducing_inputs


def kernel(columns=1, length=0.5, variance=1.0):
    return gp_covariance.kernel("squared_exponential", variance, np.full(columns, length))


@pytest.mark.parametrize("way", inducing_inputs.WAYS)
def test_each_way_gives_as_many_different_inputs_and_the_same_for_a_seed(way):
    x = np.random.default_rng(0).normal(size=(200, 2))
    found = inducing_inputs.choose(way, x, 12, kernel(2), seed=3)
    assert found.shape == (12, 2) and len(np.unique(found, axis=0)) == 12
    np.testing.assert_array_equal(found, inducing_inputs.choose(way, x, 12, kernel(2), seed=3))
    if way != "k_means":
        assert {*map(tuple, found)} <= {*map(tuple, x)}
    if way != "greedy_variance":
        assert not np.array_equal(found, inducing_inputs.choose(way, x, 12, kernel(2), seed=4))


@pytest.mark.parametrize("way", inducing_inputs.WAYS)
def test_repeated_rows_are_chosen_once(way):
    x = np.repeat([[0.0], [1.0], [5.0]], 20, axis=0)
    found = inducing_inputs.choose(way, x, 10, kernel())
    np.testing.assert_allclose(np.sort(found, axis=0), [[0.0], [1.0], [5.0]])


def test_k_means_are_means():
    x = np.random.default_rng(0).normal(size=(300, 1)) + np.repeat([[0.0], [20.0], [50.0]], 100, axis=0)
    found = np.sort(inducing_inputs.choose("k_means", x, 3, kernel()).ravel())
    np.testing.assert_allclose(found, x.reshape(3, 100).mean(axis=1))


def test_greedy_choice_takes_the_largest_conditional_variance():
    x = np.random.default_rng(1).uniform(-2, 2, size=(40, 2))
    covariance = 1.5 * RBF(0.5)(x)
    expected = []
    for _ in range(10):
        given = covariance[:, expected] @ np.linalg.pinv(covariance[np.ix_(expected, expected)]) @ covariance[expected]
        left = np.diag(covariance) - np.diag(given) if expected else np.diag(covariance)
        expected.append(int(left.argmax()))
    assert inducing_inputs.greedy_variance(x, 10, kernel(2, variance=1.5)).tolist() == expected


def test_of_many_rows_the_greedy_choice_sees_what_fits(monkeypatch):
    monkeypatch.setattr(inducing_inputs, "MAX_FACTOR_SIZE", 100)
    x = np.arange(1000.0)[:, None]
    found = inducing_inputs.choose("greedy_variance", x, 5, kernel())
    assert found.shape == (5, 1)


def test_the_chain_draws_sets_by_their_determinant():
    x = np.array([[0.0], [0.3], [0.5], [1.1], [1.2], [2.0]])
    covariance = RBF(0.5)(x)
    sets = list(itertools.combinations(range(6), 3))
    weights = np.array([np.linalg.det(covariance[np.ix_(each, each)]) for each in sets])
    draws = 200
    drawn = [inducing_inputs.k_dpp(x, [0, 1, 2], kernel(), num_steps=40, seed=seed) for seed in range(draws)]
    counts = np.zeros(len(sets))
    for each in drawn:
        counts[sets.index(tuple(sorted(each.tolist())))] += 1
    expected = draws * weights / weights.sum()
    likely = expected > 3
    statistic = np.sum((counts - expected)[likely] ** 2 / expected[likely])
    assert statistic < 2 * likely.sum() and counts[~likely].sum() < 3 * expected[~likely].sum() + 10


def test_the_chains_ratios_and_inverse_stay_right_over_many_exchanges():
    x = np.random.default_rng(0).normal(size=(100, 1))
    covariance = RBF(0.1)(x) + 1e-10 * np.eye(100)
    members, inverse = np.arange(8), np.linalg.inv(covariance[:8, :8])
    for step in range(8, 60):
        exchange = inverse, step % 8, covariance[members, step], covariance[step, step]
        before = np.linalg.det(covariance[np.ix_(members, members)])
        ratio = inducing_inputs._ratio(*exchange)
        inducing_inputs._exchange(*exchange)
        members[step % 8] = step
        assert ratio == pytest.approx(np.linalg.det(covariance[np.ix_(members, members)]) / before, rel=1e-5)
    np.testing.assert_allclose(inverse @ covariance[np.ix_(members, members)], np.eye(8), atol=1e-5)


@pytest.mark.parametrize(
    ("way", "x", "number", "told"),
    [
        ("grid", np.zeros((3, 1)), 2, "greedy_variance; got 'grid'"),
        ("uniform", np.zeros(3), 2, r"shape \(N, D\); got shape \(3,\)"),
        ("uniform", np.array([[0.0], [np.inf]]), 1, "1 not finite"),
        ("uniform", np.zeros((3, 1)), 4, "from 1 to the 3 rows; got 4"),
        ("uniform", np.zeros((3, 1)), 0, "got 0"),
    ],
)
def test_bad_input_is_told(way, x, number, told):
    with pytest.raises(ValueError, match=told):
        inducing_inputs.choose(way, x, number, kernel())


def test_parameters_are_given_what_their_kernel_chooses():
    x = np.random.default_rng(0).normal(size=(30, 2))
    before = gp_covariance.GPParameters(2.0, np.array([0.5, 1.0]), 0.1, x[:1])
    found = inducing_inputs.chosen("greedy_variance", x, 7, before, "matern32")
    expected = inducing_inputs.choose("greedy_variance", x, 7, gp_covariance.kernel("matern32", 2.0, [0.5, 1.0]))
    np.testing.assert_array_equal(found.inducing_inputs, expected)
    assert found[:3] == before[:3]
    assert len(inducing_inputs.chosen("uniform", x, 99, before, "matern32").inducing_inputs) == 30
