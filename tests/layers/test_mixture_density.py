import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import MixtureDensity


@pytest.mark.parametrize("covariance", ["diagonal", "correlated", "full"])
def test_gate(covariance):
    def make():
        return MixtureDensity(3, event_size=2, covariance=covariance, bernoulli=True, name="density")

    features = np.random.default_rng(0).standard_normal((3, 4, 5)).astype("float32")
    checks.check_layer(make, features)


def test_is_a_linear_map_in_float32_under_every_policy():
    features = np.random.default_rng(0).standard_normal((2, 6)).astype("float32")
    keras.config.set_dtype_policy("mixed_float16")
    try:
        layer = MixtureDensity(4)
        output = layer(features)
    finally:
        keras.config.set_dtype_policy("float32")
    kernel, bias = layer.get_weights()
    assert keras.backend.standardize_dtype(output.dtype) == "float32"
    np.testing.assert_allclose(output, features @ kernel + bias, atol=1e-6)
    assert output.shape == (2, layer.distribution.num_params)


def test_unknown_features():
    with pytest.raises(ValueError, match="last axis of the input must be known"):
        MixtureDensity(4).build((None, None))
