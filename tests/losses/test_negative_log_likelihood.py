import keras
import numpy as np
import tensorflow_probability as tfp

from toolkit.distributions import GaussianMixture
from toolkit.losses import NegativeLogLikelihood

FAMILY = GaussianMixture(3, 2, "correlated", bernoulli=True)


def example():
    random = np.random.default_rng(0)
    params = random.standard_normal((2, 5, FAMILY.num_params)).astype("float32")
    values = random.standard_normal((2, 5, 3)).astype("float32")
    values[..., 2] = values[..., 2] > 0
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)
    nats = -np.asarray(FAMILY.to_tfp(params, tfp.distributions).log_prob(values))
    return params, values, mask, nats


def test_nats_a_point_without_the_padding():
    params, values, mask, nats = example()
    result = NegativeLogLikelihood(FAMILY)(values, params, sample_weight=mask)
    np.testing.assert_allclose(result, nats[mask].mean(), rtol=1e-5)


def test_sum():
    params, values, mask, nats = example()
    result = NegativeLogLikelihood(FAMILY, reduction="sum")(values, params, sample_weight=mask)
    np.testing.assert_allclose(result, nats[mask].sum(), rtol=1e-5)


def test_float32_whatever_the_policy():
    params, values, _, nats = example()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        result = NegativeLogLikelihood(FAMILY)(values, params)
    finally:
        keras.config.set_dtype_policy("float32")
    assert result.dtype == "float32"
    np.testing.assert_allclose(result, nats.mean(), rtol=1e-5)


def test_saved_with_a_compiled_model(tmp_path):
    inputs = keras.Input((5, FAMILY.num_params))
    model = keras.Model(inputs, keras.layers.Identity()(inputs))
    model.compile(loss=NegativeLogLikelihood(FAMILY))
    model.save(tmp_path / "model.keras")
    params, values, _, nats = example()
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.loss.distribution == FAMILY
    np.testing.assert_allclose(loaded.evaluate(params, values, verbose=0), nats.mean(), rtol=1e-5)
