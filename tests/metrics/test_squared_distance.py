import keras
import numpy as np

from toolkit.distributions import GaussianMixture
from toolkit.metrics import SquaredDistance

FAMILY = GaussianMixture(2, 2, "correlated", bernoulli=True)


def test_against_numpy_with_and_without_scale():
    random = np.random.default_rng(0)
    params = random.standard_normal((3, 5, FAMILY.num_params)).astype("float32")
    values = random.standard_normal((3, 5, 3)).astype("float32")
    mask = np.broadcast_to(np.arange(5) < 3, (3, 5))
    weights = np.exp(params[..., :2]) / np.exp(params[..., :2]).sum(-1, keepdims=True)
    mean = (weights[..., None] * params[..., 2:6].reshape(3, 5, 2, 2)).sum(-2)
    for scale in (None, [3.0, 0.5]):
        metric = SquaredDistance(FAMILY, scale)
        metric.update_state(values, params, sample_weight=mask)
        error = (values[..., :2] - mean) * (1.0 if scale is None else np.array(scale))
        np.testing.assert_allclose(metric.result(), (error**2).sum(-1)[mask].mean(), rtol=1e-5)


def test_perfect_is_zero():
    family = GaussianMixture(1, 2)
    metric = SquaredDistance(family)
    values = np.random.default_rng(0).standard_normal((2, 4, 2)).astype("float32")
    params = np.concatenate([np.zeros((2, 4, 1)), values, np.zeros((2, 4, 2))], -1).astype("float32")
    metric.update_state(values, params)
    assert float(metric.result()) < 1e-10


def test_config():
    metric = SquaredDistance(FAMILY, [2.0, 1.0], name="pen")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert (again.distribution, again.name) == (FAMILY, "pen")
    np.testing.assert_array_equal(again.scale, [2.0, 1.0])
