import itertools
import math

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF

from toolkit.methods import gp_covariance, sparse_gp_rates
from toolkit.methods.sparse_gp_rates import eigenvalues, kl_bound, kl_bound_of_trace, num_inducing_for, tails


def quadrature(variance, length, scale, num):
    """Eigenvalues of the operator by Gauss-Hermite quadrature: those of W^1/2 K W^1/2."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    roots = np.sqrt(weights / np.sqrt(2 * np.pi))
    matrix = variance * RBF(length)(scale * nodes[:, None]) * roots * roots[:, None]
    return np.linalg.eigvalsh(matrix)[::-1][:num]


@pytest.mark.parametrize(("length", "scale"), [(0.5, 1.0), (2.0, 0.7), (1.0, 1.0)])
def test_eigenvalues_are_those_of_quadrature(length, scale):
    np.testing.assert_allclose(
        eigenvalues(12, 1.7, [length], scale), quadrature(1.7, length, scale, 12), rtol=1e-6, atol=1e-13
    )


def test_in_several_dimensions_they_are_the_largest_products():
    each = [quadrature(1.0, length, scale, 25) for length, scale in ((0.5, 1.0), (1.0, 1.0), (3.0, 2.0))]
    products = sorted((2.0 * math.prod(three) for three in itertools.product(*each)), reverse=True)
    np.testing.assert_allclose(eigenvalues(60, 2.0, [0.5, 1.0, 3.0], [1.0, 1.0, 2.0]), products[:60], rtol=1e-6)


@pytest.mark.parametrize("lengths", [[0.5], [0.5, 1.5], [1.0, 1.0, 2.0]])
def test_tails_are_what_the_first_leave_of_the_variance(lengths):
    values, found = eigenvalues(2000, 1.5, lengths, 1.0), tails(2000, 1.5, lengths, 1.0)
    assert found[0] == pytest.approx(1.5) and (np.diff(found) <= 0).all() and (found >= 0).all()
    for number in (1, 5, 20):
        assert found[number] == pytest.approx(values[number:].sum(), rel=1e-3)


def test_sampled_tails_come_near_the_closed_form():
    x = np.random.default_rng(0).normal(size=(800, 1))
    kernel = gp_covariance.kernel("squared_exponential", 1.5, [0.5])
    found = sparse_gp_rates.sampled_tails(x, kernel)
    assert found.shape == (801,) and found[0] == pytest.approx(1.5) and found[-1] == 0
    np.testing.assert_allclose(found[:10], tails(9, 1.5, [0.5], 1.0), rtol=0.4)


def test_bounds_are_the_papers():
    # (M + 1) N tail + 2 N v ε, and N tail, by hand
    assert kl_bound(1e-4, 9, 100, 0.5, failure=0.2, sampling_error=1e-3, variance=2.0) == pytest.approx(0.5 / 0.1)
    assert kl_bound(1e-4, 9, 100, 0.5, failure=0.2, eigenfunctions=True) == pytest.approx(0.01 / 0.1)
    given = kl_bound(1e-4, 9, 100, 0.5, failure=0.2, targets_squared=30.0)
    assert given == pytest.approx(0.1 / (2 * 0.5 * 0.2) * (1 + 60))
    assert kl_bound_of_trace(0.3, 0.5, 8.0, largest=0.1) == pytest.approx(0.3 + 8.0 * (1 / 0.5 - 1 / 0.6) / 2)
    assert kl_bound_of_trace(0.3, 0.5, 8.0) > kl_bound_of_trace(0.3, 0.5, 8.0, largest=0.1)


def test_in_one_dimension_as_many_more_are_asked_for_each_time_that_rows_double():
    known = tails(200, 1.0, [0.5], 1.0)
    found = np.array([num_inducing_for(0.5, known, 2**power, 0.1) for power in range(8, 30)])
    ratio = known[1] / known[0]
    steps = np.diff(found)
    assert steps.min() >= 1 and steps.max() <= 3
    assert steps.mean() == pytest.approx(math.log(2) / -math.log(ratio), abs=0.3)
    number = num_inducing_for(0.5, known, 1000, 0.1)
    assert kl_bound(known[number], number, 1000, 0.1) <= 0.5 < kl_bound(known[number - 1], number - 1, 1000, 0.1)


def test_no_more_than_rows_are_asked_for_and_too_few_tails_are_told():
    assert num_inducing_for(1e-9, tails(50, 1.0, [0.1], 1.0), 7, 0.1) == 7
    with pytest.raises(ValueError, match="5 inducing inputs do not suffice for 1000 rows"):
        num_inducing_for(0.1, tails(5, 1.0, [0.5], 1.0), 1000, 0.1)
    with pytest.raises(ValueError, match="must be over 0; got 1.0, .0.0."):
        eigenvalues(3, 1.0, [0.0], 1.0)
