import numpy as np
import pytest
import tensorflow as tf
from sklearn.gaussian_process.kernels import RBF, Matern

from toolkit.methods import gp_covariance
from toolkit.methods.gp_covariance import GPParameters

LENGTHS = np.array([0.7, 1.9])
KERNELS = {
    "squared_exponential": RBF(LENGTHS),
    "matern12": Matern(LENGTHS, nu=0.5),
    "matern32": Matern(LENGTHS, nu=1.5),
    "matern52": Matern(LENGTHS, nu=2.5),
}


@pytest.mark.parametrize("name", gp_covariance.KERNELS)
def test_kernels_are_scikit_learns(name):
    x, z = np.random.default_rng(0).normal(size=(2, 6, 2))
    found = gp_covariance.kernel(name, 1.7, LENGTHS)
    np.testing.assert_allclose(found.matrix(x, z), 1.7 * KERNELS[name](x, z), rtol=1e-9)
    np.testing.assert_allclose(found.apply(x, x), 1.7)


def test_an_unknown_kernel_is_refused():
    with pytest.raises(ValueError, match="matern52; got 'cubic'"):
        gp_covariance.kernel("cubic", 1.0, [1.0])


def some(**changed):
    parameters = GPParameters(1.0, np.ones(2), 0.1, np.array([[0.0, 0.0], [1.0, 2.0], [3.0, 1.0]]))
    return parameters._replace(**changed)


@pytest.mark.parametrize(
    ("x", "y", "changed", "told"),
    [
        ((5,), (5,), {}, r"got x \(5,\)"),
        ((5, 2), (4,), {}, r"y \(4,\)"),
        ((5, 2), (5, 1), {}, r"y \(5, 1\)"),
        ((5, 3), (5,), {}, r"x \(5, 3\), .*length_scales \(2,\)"),
        ((5, 2), (5,), {"noise": np.ones(1)}, r"noise \(1,\)"),
        ((5, 2), (5,), {"inducing_inputs": np.ones((3, 1))}, r"inducing_inputs \(3, 1\)"),
        ((2, 2), (2,), {}, "3 inducing inputs for 2 rows"),
    ],
)
def test_wrong_shapes_are_told(x, y, changed, told):
    with pytest.raises(ValueError, match=told):
        gp_covariance.check_shapes(np.zeros(x), np.zeros(y), some(**changed))


def test_right_shapes_pass_also_as_tensors_and_numbers():
    gp_covariance.check_shapes(tf.zeros((5, 2)), np.zeros(5), some())


@pytest.mark.parametrize(("place", "told"), [("x", r"x\[1, 0\] is nan"), ("y", r"y\[2\] is inf")])
def test_what_is_not_finite_is_told(place, told):
    x, y = np.zeros((3, 2)), np.zeros(3)
    if place == "x":
        x[1, 0] = np.nan
    else:
        y[2] = np.inf
    with pytest.raises(ValueError, match=told):
        gp_covariance.check_finite(x, y)


def test_jitter_is_raised_tenfold_until_the_factor_exists():
    repeated = some(variance=1e9, inducing_inputs=np.zeros((50, 2)))
    found = gp_covariance.settled_jitter(repeated, jitter=1e-12)
    assert 1e-9 < found < 1e-3 and np.log10(found) == pytest.approx(round(np.log10(found)))
    least, enough = (
        np.asarray(tf.linalg.cholesky(gp_covariance.inducing_covariance(repeated, "squared_exponential", jitter)))
        for jitter in (1e-12, found)
    )
    assert np.isnan(least).any() and np.isfinite(enough).all()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"variance": np.nan}, "variance is nan"),
        ({"length_scales": np.array([1.0, 0.0])}, r"length_scales is \[1.0, 0.0\]"),
        ({"inducing_inputs": np.array([[0.0, 0.0], [np.nan, 1.0]])}, r"inducing_inputs\[1\] is \[nan, 1.0\]"),
        ({"variance": 1e18, "length_scales": np.full(2, 1e12)}, r"variance = 1e\+18 is so large"),
        (
            {"inducing_inputs": np.array([[1.0, 2.0], [0.0, 0.0], [1.0, 2.0]])},
            r"inducing_inputs\[0\] and inducing_inputs\[2\] are the same, \[1.0, 2.0\]",
        ),
        ({"length_scales": np.array([1e9, 1e12])}, r"length_scales\[1\] = 1e\+12 is 5e\+11 times the spread"),
    ],
)
def test_a_singular_covariance_is_blamed_on_what_makes_it_so(changed, told):
    with pytest.raises(ValueError, match=told):
        gp_covariance.settled_jitter(
            some(**changed), jitter=1e-20, max_jitter=1e-18 if "variance" not in changed else 1e-2
        )
