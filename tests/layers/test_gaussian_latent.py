import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import checks
from toolkit.layers import GaussianLatent


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate():
    checks.check_layer(lambda: GaussianLatent(4, scale=0.1, name="latent"), numbers(0, 3, 2, 2, 5))


def built(scale=1.0, units=3):
    layer = GaussianLatent(units, scale, seed=0)
    layer(numbers(0, 1, 2, 2, 5))
    layer.posterior.bias.assign(numbers(1, 2 * units))
    return layer


def test_divergence_is_tfps():
    layer, inputs = built(scale=0.25), numbers(2, 6, 2, 2, 5)
    mean, log_variance = np.split(inputs @ layer.posterior.kernel + layer.posterior.bias, 2, axis=-1)
    normal = tfp.distributions.Normal
    expected = normal(mean, np.exp(log_variance / 2)).kl_divergence(normal(0.0, 1.0))
    expected = np.sum(expected, axis=(1, 2, 3))
    for training in (False, True):
        outputs = layer(inputs, training=training)
        np.testing.assert_allclose(layer.losses, [0.25 * expected.mean()], rtol=1e-5)
    np.testing.assert_allclose(layer.divergence(inputs), expected, rtol=1e-5)
    assert np.abs(outputs - mean).max() > 0.1
    np.testing.assert_allclose(layer(inputs), mean, atol=1e-5)


def test_draws_have_their_mean_and_deviation_and_each_its_own_noise():
    layer = built()
    inputs = np.repeat(numbers(3, 1, 1, 1, 5), 20_000, axis=0)
    mean, log_variance = np.split((inputs @ layer.posterior.kernel + layer.posterior.bias)[0, 0, 0], 2)
    draws = np.asarray(layer(inputs, training=True))[:, 0, 0]
    deviation = np.exp(log_variance / 2)
    np.testing.assert_allclose((draws.mean(0) - mean) / deviation, 0, atol=4 / np.sqrt(20_000))
    np.testing.assert_allclose(draws.std(0) / deviation, 1, atol=4 / np.sqrt(40_000))
    np.testing.assert_allclose(np.corrcoef(draws.T), np.eye(3), atol=4 / np.sqrt(20_000))
    assert np.abs(draws - np.asarray(layer(inputs, training=True))[:, 0, 0]).max() > 1


def test_gradient_passes_through_the_draw():
    """With L = sum sin(z): cos(z) towards the mean, cos(z) (z - m) / 2 towards log s²; no noise of its own."""
    layer, inputs = built(units=2), numbers(4, 3, 1, 1, 5)
    with tf.GradientTape() as tape:
        z = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(z))
    found, z = tape.gradient(loss, layer.posterior.bias.value), np.asarray(z)
    mean = np.asarray(layer(inputs))
    expected = [np.cos(z), np.cos(z) * (z - mean) / 2]
    np.testing.assert_allclose(found, np.concatenate([each.sum((0, 1, 2)) for each in expected]), rtol=1e-4, atol=1e-5)


def test_reaches_the_likelihood_of_a_linear_model():
    """x = z + 0.5 e has the exact posterior N(x / 1.25, 0.2): with it the bound is tight at -log N(x; 0, 1.25)."""
    x = numbers(5, 512, 1) * np.sqrt(1.25)
    layer = GaussianLatent(1, seed=1)
    network = keras.Sequential([keras.Input((1,)), layer])
    normal = tfp.distributions.Normal(0.0, 0.5)

    def nats(y_true, y_pred):
        return -normal.log_prob(y_true - y_pred)[:, 0]

    network.compile(keras.optimizers.Adam(0.05), nats, steps_per_execution=8)
    network.fit(x, x, batch_size=64, epochs=20, verbose=0)
    paid = [float(np.mean(nats(x, network(x, training=True))) + network.losses[0]) for _ in range(50)]
    exact = -np.mean(tfp.distributions.Normal(0.0, np.sqrt(1.25)).log_prob(x))
    assert exact - 0.02 < np.mean(paid) < exact + 0.03, (np.mean(paid), exact)
    assert abs(np.mean(layer.divergence(x)) - 0.5 * np.log(5)) < 0.1  # the information of x and z


def test_sizes_are_checked():
    for units, scale in ((0, 1.0), (3, -1.0), (3, np.nan)):
        with pytest.raises(ValueError, match="units must be at least 1 and scale at least 0"):
            GaussianLatent(units, scale)


def test_draws_always_where_it_is_told_to():
    layer, inputs = GaussianLatent(3, seed=0, always_draw=True), numbers(2, 6, 2, 2, 5)
    first, second = (np.asarray(layer(inputs)) for _ in range(2))
    mean, log_variance = (np.asarray(each) for each in layer.moments(inputs))
    assert np.abs(first - second).max() > 0.1
    assert 0.5 < np.std((first - mean) / np.exp(log_variance / 2)) < 1.5


def test_shows_its_divergence():
    layer, inputs = GaussianLatent(3, scale=0.1, metrics_name="kl_nats"), numbers(2, 6, 5)
    model = keras.Sequential([keras.Input((5,)), layer])
    model.compile("sgd", "mse", jit_compile=False)
    found = model.evaluate(inputs, np.zeros((6, 3)), verbose=0, return_dict=True)
    assert found["kl_nats"] == pytest.approx(float(np.mean(layer.divergence(inputs))), rel=1e-5)
