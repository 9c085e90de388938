import numpy as np
import pytest

from toolkit.methods import gp_covariance, sparse_gp
from toolkit.models import sparse_gp as model


@pytest.fixture(scope="module")
def fitted():
    random = np.random.default_rng(0)
    x = random.normal(size=(80, 3))
    parameters = gp_covariance.GPParameters(1.3, np.array([0.7, 1.2, 2.0]), 0.1, x[:10])
    summary = sparse_gp.summarize(x, np.sin(x[:, 0]) + x[:, 2], parameters, "matern52")
    return parameters, sparse_gp.posterior(summary)


def test_a_filled_model_predicts_as_the_method_in_the_datas_units(fitted):
    parameters, posterior = fitted
    units = {"x_mean": [1.0, 2.0, 3.0], "x_scale": [2.0, 1.0, 0.5], "y_mean": 7.0, "y_scale": 3.0}
    made = model.filled(model.sparse_gp(3, 10, "matern52"), parameters, posterior, **units)
    x = np.random.default_rng(1).normal(size=(20, 3))
    for found, expected in zip(model.parameters(made), parameters, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    mean, variance = sparse_gp.predict(x, parameters, posterior, "matern52")
    found = made(x * units["x_scale"] + units["x_mean"])
    np.testing.assert_allclose(found[0], 7.0 + 3.0 * mean, rtol=1e-9)
    np.testing.assert_allclose(found[1], 9.0 * variance, rtol=1e-9)


def test_in_float32_it_predicts_nearly_the_same(fitted):
    made = model.filled(model.sparse_gp(3, 10, "matern52", dtype="float32"), *fitted)
    x = np.random.default_rng(1).normal(size=(20, 3))
    mean, variance = sparse_gp.predict(x, *fitted, "matern52")
    found = made(x.astype("float32"))
    assert found[0].dtype == "float32"
    np.testing.assert_allclose(found[0], mean, atol=1e-4)
    np.testing.assert_allclose(found[1], variance, atol=1e-4)


@pytest.mark.parametrize(("scale", "shifts"), [(1.0, False), (40.0, True)])
def test_long_length_scales_are_shifted_and_say_the_same(scale, shifts):
    random = np.random.default_rng(0)
    x, new = random.normal(size=(80, 2)), random.normal(size=(30, 2))
    parameters = gp_covariance.GPParameters(100.0, np.full(2, scale), 0.1, x[:15])
    posterior = sparse_gp.posterior(sparse_gp.summarize(x, x[:, 0] + 0.1 * x[:, 1], parameters))
    mean, variance = sparse_gp.predict(new, parameters, posterior)
    made = model.filled(model.sparse_gp(2, 15), parameters, posterior)
    assert float(made.get_layer("gp").shift) == shifts
    np.testing.assert_allclose(made(new)[0], mean, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(made(new)[1], variance, rtol=1e-6)
    small = model.filled(model.sparse_gp(2, 15, dtype="float32"), parameters, posterior)
    np.testing.assert_allclose(small(new.astype("float32"))[0], mean, atol=1e-3)
    np.testing.assert_allclose(small(new.astype("float32"))[1], variance, rtol=2e-2)


def test_other_shapes_and_scales_are_told(fitted):
    with pytest.raises(ValueError, match=r"inducing_inputs of the model has shape \(9, 3\); got \(10, 3\)"):
        model.filled(model.sparse_gp(3, 9), *fitted)
    with pytest.raises(ValueError, match="y_scale must be more than 0; got 0.0"):
        model.filled(model.sparse_gp(3, 10), *fitted, y_scale=0.0)
    with pytest.raises(ValueError, match="num_inputs must be at least 1; got 0"):
        model.sparse_gp(0, 3)
