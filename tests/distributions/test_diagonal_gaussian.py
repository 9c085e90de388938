import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from toolkit.distributions import DiagonalGaussian


def drawn(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_is_tfps():
    params, value = drawn(3, 4, 5, 2), drawn(3, 4, 5) * 2
    normal = tfp.distributions.Normal(params[..., 0], np.exp(params[..., 1]))
    for event_ndims in (0, 1, 2):
        family = DiagonalGaussian(event_ndims, min_log_scale=None)
        expected = tfp.distributions.Independent(normal, event_ndims).log_prob(value)
        np.testing.assert_allclose(family.log_prob(params, value), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(family.mean(params), params[..., 0])
    np.testing.assert_allclose(family.scale(params), np.exp(params[..., 1]), rtol=1e-6)


def test_the_scale_has_a_soft_lower_bound():
    family = DiagonalGaussian(min_log_scale=-6.0)
    raw = np.array([-1e4, -20.0, -7.0, -6.0, -5.0, 0.0, 2.0], "float32")
    params = np.stack([np.zeros_like(raw), raw], axis=-1)
    found = np.log(family.scale(params))
    np.testing.assert_allclose(found, np.logaddexp(-6.0, raw), atol=1e-5)  # b + log(1 + exp(r - b))
    with tf.GradientTape() as tape:
        tensor = tf.constant(params)
        tape.watch(tensor)
        paid = -family.log_prob(tensor, tf.zeros(len(raw)))
    gradient = np.asarray(tape.gradient(paid, tensor))
    assert np.isfinite(gradient).all() and abs(gradient[0, 1]) < 1e-6 < 0.9 < gradient[-1, 1]


def test_draws_have_their_mean_and_scale():
    params = np.broadcast_to(np.array([[1.0, -1.0], [-2.0, 0.5]], "float32"), (20_000, 2, 2))
    family = DiagonalGaussian(event_ndims=1, min_log_scale=None)
    draws = np.asarray(family.sample(params, seed=0))
    np.testing.assert_allclose(draws.mean(0), [1, -2], atol=0.05)
    np.testing.assert_allclose(draws.std(0), np.exp([-1, 0.5]), rtol=0.03)
    np.testing.assert_allclose(family.sample(params, temperature=0.0, seed=0), params[..., 0])
    np.testing.assert_allclose(
        family.sample(params[:1], noise=np.ones((1, 2))), [[1 + np.exp(-1), -2 + np.exp(0.5)]], rtol=1e-5
    )


def test_half_precision_and_config():
    params = keras.ops.cast([[300.0, -5.0]], "float16")
    found = DiagonalGaussian().log_prob(params, np.array([301.0]))
    assert keras.backend.standardize_dtype(found.dtype) == "float32" and np.isfinite(found).all()
    family = DiagonalGaussian(3, min_log_scale=-4.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(family))
    assert again.get_config() == family.get_config() == {"event_ndims": 3, "min_log_scale": -4.0}
    with pytest.raises(ValueError, match="event_ndims must be at least 0; got -1"):
        DiagonalGaussian(-1)
    with pytest.raises(ValueError, match="min_log_scale must be a finite number or None; got nan"):
        DiagonalGaussian(min_log_scale=float("nan"))
