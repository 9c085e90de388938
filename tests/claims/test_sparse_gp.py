"""What Burt, Rasmussen and van der Wilk 2019 say of the number of inducing inputs."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from toolkit.methods import gp_covariance, sparse_gp_convergence, sparse_gp_rates

pytestmark = pytest.mark.claims

NOISE, LENGTH = 0.1, 0.5
PARAMETERS = gp_covariance.GPParameters(1.0, np.array([LENGTH]), NOISE, None)
ROWS, NUMBERS = (250, 500, 1000, 2000), (5, 10, 15, 20, 25, 30)
WAYS = ("uniform", "greedy_variance", "k_dpp")


def drawn(rows, seed=0):
    """Standard normal inputs, and targets that the process draws."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 1))
    covariance = RBF(LENGTH)(x) + NOISE * np.eye(rows)
    return x, np.linalg.cholesky(covariance) @ random.normal(size=rows)


@pytest.fixture(scope="module")
def table():
    """What is measured, by rows, way and number of inducing inputs."""
    found = {}
    for rows in ROWS:
        x, y = drawn(rows)
        for way in WAYS:
            for number in NUMBERS:
                found[rows, way, number] = sparse_gp_convergence.measured(
                    x, y, PARAMETERS, way=way, num_inducing=number
                )
            print(rows, way, {number: round(found[rows, way, number]["kl"], 3) for number in NUMBERS})
    return found


def least(table, rows, way, nats=0.1):
    """The smallest M with a divergence below so many nats."""
    return next((number for number in NUMBERS if table[rows, way, number]["kl"] < nats), None)


def test_the_likelihood_lies_between_the_bounds(table):
    for (rows, way, number), found in table.items():
        order = [found[key] for key in ("lower", "lower_tight", "log_likelihood", "upper_eigenvalue", "upper")]
        assert (np.diff(order) > -1e-6 * rows).all(), (rows, way, number, order)


def test_the_gap_closes_with_more_inducing_inputs(table):
    for rows in ROWS:
        kl = [table[rows, "greedy_variance", number]["kl"] for number in NUMBERS]
        assert kl[-1] < 0.02 and kl[0] > 1000 * kl[-1] and (np.diff(kl) < 1e-6 * rows).all()
        bounds = [table[rows, "greedy_variance", number]["kl_bound"] for number in NUMBERS]
        assert bounds[-1] < 10 and bounds[0] > 20 * bounds[-1]


def test_greedy_and_determinantal_choice_beat_uniform_draws(table):
    for rows in ROWS:
        uniform = table[rows, "uniform", 20]["kl"]
        assert uniform > 10 * max(table[rows, way, 20]["kl"] for way in ("greedy_variance", "k_dpp"))
        assert least(table, rows, "uniform") is None


def test_in_one_dimension_the_number_grows_as_the_logarithm_of_rows(table):
    for way in ("greedy_variance", "k_dpp"):
        needed = [least(table, rows, way) for rows in ROWS]
        assert None not in needed and (np.diff(needed) <= 5).all(), needed
        assert needed[-1] / ROWS[-1] < 0.25 * needed[0] / ROWS[0]


def test_as_many_as_the_bound_asks_keep_the_divergence_while_a_fixed_number_loses_it():
    known = sparse_gp_rates.tails(100, 1.0, [LENGTH], 1.0)
    x, y = drawn(2000, seed=1)
    x, y = (each[np.random.default_rng(2).permutation(2000)] for each in (x, y))
    asked = lambda rows: sparse_gp_rates.num_inducing_for(1.0, known, rows, NOISE)  # noqa: E731
    kl, fixed, numbers = [], [], []
    for rows in ROWS:
        for number, into in ((asked(rows), kl), (8, fixed)):
            into.append(
                sparse_gp_convergence.measured(x[:rows], y[:rows], PARAMETERS, way="k_dpp", num_inducing=number)["kl"]
            )
        numbers.append(asked(rows))
    print(numbers, np.round(kl, 4), np.round(fixed, 2))
    assert max(kl) < 1.0, "what the bound promises with probability 0.9"
    assert (np.diff(numbers) <= 3).all()
    assert fixed[-1] > 4 * fixed[0] and (np.diff(fixed) > 0).all()


def test_before_seeing_rows_the_bound_holds_for_most_draws():
    known = sparse_gp_rates.tails(30, 1.0, [LENGTH], 1.0)
    number, rows, failure = 15, 200, 0.1
    bound = sparse_gp_rates.kl_bound(known[number], number, rows, NOISE, failure=failure)
    kl = [
        sparse_gp_convergence.measured(*drawn(rows, seed), PARAMETERS, way="k_dpp", num_inducing=number, seed=seed)[
            "kl"
        ]
        for seed in range(10)
    ]
    assert np.mean(np.array(kl) <= bound) >= 1 - failure


def test_over_targets_of_the_process_the_mean_divergence_lies_between_the_traces():
    x, _ = drawn(300)
    root = np.linalg.cholesky(RBF(LENGTH)(x) + NOISE * np.eye(300))
    noise = np.random.default_rng(3).normal(size=(30, 300))
    found = [
        sparse_gp_convergence.measured(x, root @ each, PARAMETERS, way="greedy_variance", num_inducing=10)
        for each in noise
    ]
    trace, kl = found[0]["trace"], np.array([each["kl"] for each in found])
    error = 2 * kl.std() / np.sqrt(len(kl))
    assert trace / (2 * NOISE) - error < kl.mean() < trace / NOISE + error
