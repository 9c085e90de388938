import keras
import numpy as np
import pytest
import tensorflow_probability as tfp

from toolkit.distributions import Bernoulli


def test_is_tfps_and_of_shades_the_cross_entropy():
    random = np.random.default_rng(0)
    logits, bits = random.normal(size=(3, 4, 5, 1)).astype("float32") * 5, random.integers(0, 2, (3, 4, 5))
    bernoulli = tfp.distributions.Bernoulli(logits[..., 0])
    for event_ndims in (0, 2):
        expected = tfp.distributions.Independent(bernoulli, event_ndims).log_prob(bits)
        np.testing.assert_allclose(Bernoulli(event_ndims).log_prob(logits, bits), expected, rtol=1e-5, atol=1e-5)
    share = 1 / (1 + np.exp(-logits[..., 0].astype("float64")))
    np.testing.assert_allclose(Bernoulli().mean(logits), share, rtol=1e-5)
    shades = random.uniform(size=(3, 4, 5))
    expected = shades * np.log(share) + (1 - shades) * np.log(1 - share)
    np.testing.assert_allclose(Bernoulli().log_prob(logits, shades), expected, rtol=1e-4, atol=1e-5)


def test_draws():
    logits = np.broadcast_to(np.array([[-1.0], [2.0]], "float32"), (20_000, 2, 1))
    draws = np.asarray(Bernoulli().sample(logits, seed=0))
    assert set(np.unique(draws)) == {0.0, 1.0}
    np.testing.assert_allclose(draws.mean(0), [0.2689, 0.8808], atol=0.015)
    np.testing.assert_allclose(Bernoulli().sample(logits[:1], noise=np.array([[0.26, 0.89]])), [[1, 0]])


def test_far_logits_config_and_error():
    found = Bernoulli().log_prob(keras.ops.cast([[6e4], [-6e4]], "float16"), np.array([0.0, 0.0]))
    np.testing.assert_allclose(found, [-6e4, 0.0], rtol=1e-3)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(Bernoulli(2)))
    assert again.event_ndims == 2
    with pytest.raises(ValueError, match="event_ndims must be at least 0; got -2"):
        Bernoulli(-2)
