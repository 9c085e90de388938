import keras
import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF, Matern

from tests import checks
from toolkit.layers import SparseGaussianProcess
from toolkit.layers.sparse_gaussian_process import KERNELS

LENGTHS = np.array([0.8, 1.7])


def setting(seed=0, num_inducing=4):
    """Some weights by name, of which no variance is explained twice."""
    random = np.random.default_rng(seed)
    return {
        "log_variance": np.log(1.4),
        "log_length_scales": np.log(LENGTHS),
        "log_noise": np.log(0.3),
        "inducing_inputs": random.normal(size=(num_inducing, 2)),
        "mean_weights": random.normal(size=num_inducing),
        "factor": 0.1 * random.normal(size=(num_inducing, num_inducing)),
        "x_mean": np.array([1.0, -2.0]),
        "x_scale": np.array([0.5, 3.0]),
        "y_mean": np.array(10.0),
        "y_scale": np.array(4.0),
    }


def made(kernel, **how):
    layer = SparseGaussianProcess(4, kernel, name="layer", **how)
    layer.build((None, 2))
    for name, value in setting().items():
        getattr(layer, name).assign(value)
    return layer


@pytest.mark.parametrize("kernel", KERNELS)
def test_mean_and_variance_are_the_formulas(kernel):
    kept = setting()
    x = np.random.default_rng(1).normal(size=(7, 2))
    smoothness = {"matern12": 0.5, "matern32": 1.5, "matern52": 2.5}
    theirs = RBF(LENGTHS) if kernel == "squared_exponential" else Matern(LENGTHS, nu=smoothness[kernel])
    covariances = 1.4 * theirs((x - kept["x_mean"]) / kept["x_scale"], kept["inducing_inputs"])
    explained = np.sum((covariances @ kept["factor"].T) ** 2, axis=1)
    mean, variance = made(kernel, dtype="float64")(x)
    np.testing.assert_allclose(mean, 10.0 + 4.0 * covariances @ kept["mean_weights"], rtol=1e-9)
    np.testing.assert_allclose(variance, 16.0 * (1.4 - explained + 0.3), rtol=1e-9)
    assert mean.dtype == variance.dtype == "float64"


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_shift_changes_nothing_but_what_is_rounded(kernel):
    """Long length scales and a large variance: all covariances are nearly the same."""
    random, lengths = np.random.default_rng(0), np.array([300.0, 500.0])
    inducing, x = random.normal(size=(4, 2)), random.normal(size=(9, 2))
    found = {}
    for dtype in ("float64", "float32"):
        for shift in (0.0, 1.0):
            layer = SparseGaussianProcess(4, kernel, dtype=dtype)
            layer.build((None, 2))
            weights = np.array([1e3, -2e3, 1.5e3, -5e2]) + 1e-3
            values = {"log_variance": np.log(1e3), "log_length_scales": np.log(lengths), "inducing_inputs": inducing}
            values |= {"mean_weights": weights, "shift": shift, "offset": shift * 1e3 * weights.sum()}
            for name, value in values.items():
                getattr(layer, name).assign(value)
            found[dtype, shift] = np.asarray(layer(x)[0], "float64")
    np.testing.assert_allclose(found["float64", 0.0], found["float64", 1.0], atol=1e-8)
    off = {shift: np.abs(found["float32", shift] - found["float64", 0.0]).max() for shift in (0.0, 1.0)}
    assert off[1.0] < 0.2 * off[0.0], off


def test_it_begins_as_a_prior():
    mean, variance = SparseGaussianProcess(3)(np.zeros((2, 5)))
    np.testing.assert_array_equal(mean, [0.0, 0.0])
    np.testing.assert_array_equal(variance, [2.0, 2.0])


def test_rounding_leaves_at_least_the_noise():
    layer = made("squared_exponential")
    layer.factor.assign(100.0 * np.eye(4))
    assert np.min(layer(setting()["inducing_inputs"] * [0.5, 3.0] + [1.0, -2.0])[1]) == pytest.approx(16.0 * 0.3)


def test_gate():
    rows = np.random.default_rng(0).normal(size=(3, 2)).astype("float32")
    checks.check_layer(lambda: SparseGaussianProcess(4, "matern32", name="layer"), rows)


def test_none_of_its_weights_is_trained_and_all_are_saved(tmp_path):
    rows = keras.Input((2,), dtype="float64")
    model = keras.Model(rows, made("matern52", dtype="float64")(rows))
    assert model.trainable_weights == [] and len(model.weights) == 14
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(1).normal(size=(7, 2))
    for before, after in zip(model(x), keras.saving.load_model(tmp_path / "model.keras")(x), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"num_inducing": 0}, "num_inducing must be at least 1; got 0"),
        ({"num_inducing": 2, "kernel": "cubic"}, "matern52; got 'cubic'"),
    ],
)
def test_bad_arguments_are_told(how, told):
    with pytest.raises(ValueError, match=told):
        SparseGaussianProcess(**how)


def test_other_shapes_are_told():
    with pytest.raises(ValueError, match=r"rows of shape \(batch, columns\); got \(2, 3, 4\)"):
        SparseGaussianProcess(2)(np.zeros((2, 3, 4)))
