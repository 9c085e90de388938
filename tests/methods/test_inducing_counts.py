import math

import numpy as np
import pytest

from toolkit.methods import sparse_gp_rates
from toolkit.methods.gp_covariance import GPParameters
from toolkit.methods.inducing_counts import asked_for, by_way, divergences, enough, enough_of, log_law, log_laws


@pytest.mark.parametrize(
    "divergences, found",
    [
        ([9.0, 1.0, 0.1], 20),
        ([0.1, 0.1, 0.1], 5),
        ([0.05, 0.5, 0.05], 20),  # by chance few were enough once
        ([9.0, 1.0, 0.2], None),
        ([0.0, math.nan, 0.0], 20),
        ([0.0, 0.0, math.nan], None),
    ],
)
def test_the_least_that_is_enough(divergences, found):
    assert enough([5, 10, 20], divergences, 0.1) == found


def test_the_line_is_scipys():
    import scipy.stats

    rows, counts = [100, 250, 1000, 4000], [11, 14, 19, 22]
    expected = scipy.stats.linregress(np.log(rows), counts)
    a, b = log_law(rows, counts)
    assert a == pytest.approx(expected.intercept) and b == pytest.approx(expected.slope * math.log(2))


@pytest.mark.parametrize("rows, counts", [([100], [5]), ([100, 100], [5, 6]), ([100, 200], [5])])
def test_a_line_needs_two_points(rows, counts):
    with pytest.raises(ValueError, match="expected two numbers of rows or more"):
        log_law(rows, counts)


def test_what_theory_asks_for_is_the_first_that_suffices():
    x = np.random.default_rng(0).normal(0.0, 2.0, (1000, 1))
    parameters = GPParameters(1.5, np.array([0.7]), 0.2, None)
    tails = sparse_gp_rates.tails(200, 1.5, [0.7], x.std(axis=0))
    for rows in (100, 10_000):
        found = asked_for(0.1, x, parameters)(rows)
        bounds = [sparse_gp_rates.kl_bound(tails[m], m, rows, 0.2) for m in (found - 1, found)]
        assert bounds[1] <= 0.1 < bounds[0]


def test_sampled_eigenvalues_stand_for_any_kernel():
    x = np.random.default_rng(0).normal(size=(500, 2))
    parameters = GPParameters(1.0, np.array([2.0, 3.0]), 0.1, None)
    exact = sparse_gp_rates.num_inducing_for(0.1, sparse_gp_rates.tails(200, 1.0, [2.0, 3.0], x.std(axis=0)), 400, 0.1)
    # What lies so far out that none of the rows does is not among them.
    assert 0.6 * exact < asked_for(0.1, x, parameters)(400) <= exact
    rough = asked_for(0.1, x, parameters, "matern52")
    assert rough(400) > exact, "a rougher kernel takes more"


def test_divergences_are_kept_and_what_was_enough_is_found():
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 1))
    y = np.sin(2 * x[:, 0]) + 0.3 * random.standard_normal(60)
    parameters, kept, computed = GPParameters(1.0, np.array([0.7]), 0.1, None), {}, []

    def keep(function, stage):
        if stage not in kept:
            computed.append(stage)
            kept[stage] = function()
        return kept[stage]

    how = {"sizes": [30, 60], "counts": [4, 20], "keep": keep}
    rows = divergences(x, y, parameters, "squared_exponential", **how)
    assert len(rows) == len(kept) == 2 * 4 * 2 and "rates/k_means_20_of_30" in kept
    first = rows[0]
    assert first["divergence"] == pytest.approx(first["log_likelihood"] - first["lower"])
    found = enough_of(rows, 0.1)
    assert [(size, 4 < count <= 20) for size, count in found["greedy_variance"]] == [(30, True), (60, True)]
    assert "uniform" not in enough_of(rows, 1e-9)
    assert divergences(x, y, parameters, "squared_exponential", **how) == rows and len(computed) == len(rows)


def test_curves_by_way_and_the_lines_through_what_was_enough():
    rows = [
        {"rows": size, "way": way, "num_inducing": float(count), "divergence": float(size / count)}
        for size in (100, 200)
        for way in ("uniform", "k_dpp")
        for count in (5, 10, 20)
    ]
    assert by_way(rows, 200)["k_dpp"] == [(5, 40.0), (10, 20.0), (20, 10.0)]
    found = log_laws(enough_of(rows, 10.0) | {"once": [(100, 3)]})
    assert found.keys() == {"uniform", "k_dpp"} and found["uniform"][1] == pytest.approx(10.0)
