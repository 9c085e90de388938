import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import checks
from toolkit.layers import AdaptiveWeightNoise

normal = tfp.distributions.Normal


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate():
    def make():
        return AdaptiveWeightNoise(keras.layers.Dense(4, "tanh", name="dense"), scale=0.01, name="noise")

    checks.check_layer(make, numbers(0, 3, 2))


def excited():
    """A layer whose weights and deviations are all unlike."""
    layer = AdaptiveWeightNoise(keras.Sequential([keras.layers.Dense(3, "tanh"), keras.layers.Dense(2)]), scale=0.25)
    layer(numbers(1, 5, 4))
    for seed, variable in enumerate(layer.trainable_variables):
        variable.assign(variable + 0.7 * numbers(seed, *variable.shape))
    return layer


def flat(values):
    return np.concatenate([np.ravel(value) for value in values]).astype("float64")


def test_starts_as_weight_noise_on_the_layers_own_weights():
    inner = keras.layers.Dense(3)
    inner.build((None, 4))
    expected = inner.get_weights()
    layer = AdaptiveWeightNoise(inner, initial_stddev=0.075)
    layer(numbers(0, 5, 4))
    np.testing.assert_array_equal(flat(inner.get_weights()), flat(expected))
    assert [tuple(v.shape) for v in layer.log_stddevs] == [w.shape for w in expected]
    np.testing.assert_allclose(np.exp(flat(layer.log_stddevs)), 0.075, rtol=1e-6)


def test_divergence_and_its_gradients_are_tfps():
    """The prior is the best one, so the gradients are also those with the prior held where it is."""
    layer = excited()
    means = flat(layer.layer.get_weights())
    stddevs = np.exp(flat(layer.log_stddevs))
    location, scale = means.mean(), np.sqrt(np.mean(stddevs**2 + (means - means.mean()) ** 2))
    np.testing.assert_allclose(layer.prior(), [location, scale], rtol=1e-5)

    def paid(mean, stddev, location, scale):
        return tf.reduce_sum(normal(mean, stddev).kl_divergence(normal(location, scale)))

    least = paid(means, stddevs, location, scale)
    np.testing.assert_allclose(layer.divergence(), least, rtol=1e-5)
    for move, stretch in ((0.1, 1.0), (-0.1, 1.0), (0.0, 1.1), (0.0, 0.9)):
        assert paid(means, stddevs, location + move, scale * stretch) > least

    weights, log_stddevs = tf.constant(means), tf.constant(np.log(stddevs))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([weights, log_stddevs])
        reference = paid(weights, tf.exp(log_stddevs), location, scale)
        divergence = layer.divergence()
    mine = [
        flat(tape.gradient(divergence, [v.value for v in variables]))
        for variables in (layer.layer.trainable_variables, layer.log_stddevs)
    ]
    for left, right in zip(mine, tape.gradient(reference, [weights, log_stddevs]), strict=True):
        np.testing.assert_allclose(left, right, atol=1e-5, rtol=1e-4)


def test_derivatives_through_the_draw():
    """With y = x W + N and L = sum sin(y), towards log s of a weight: x' cos(y) times that weight's noise."""
    layer = AdaptiveWeightNoise(keras.layers.Dense(3, use_bias=False), initial_stddev=0.5, scale=0.0)
    inputs = np.eye(4, dtype="float32")
    layer(inputs)
    layer.log_stddevs[0].assign(numbers(0, 4, 3))
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    d_kernel, d_log = tape.gradient(loss, [layer.layer.kernel.value, layer.log_stddevs[0].value])
    noise = np.asarray(outputs) - layer.layer.get_weights()[0]
    np.testing.assert_allclose(d_kernel, np.cos(outputs), atol=1e-6)
    np.testing.assert_allclose(d_log, np.cos(outputs) * noise, atol=1e-5)
    draws = np.stack([np.asarray(layer(inputs, training=True)) for _ in range(100)])
    np.testing.assert_allclose(draws.std(0), np.exp(layer.log_stddevs[0]), rtol=0.3)


def test_the_loss_is_scaled_and_added_in_training_only():
    layer = excited()
    model = keras.Sequential([keras.Input((4,)), layer])
    model(numbers(2, 5, 4), training=True)
    np.testing.assert_allclose(model.losses, [0.25 * layer.divergence()], rtol=1e-6)
    model(numbers(2, 5, 4), training=False)
    assert model.losses == []


def test_frozen_weights_are_certain():
    layer = excited()
    layer.layer.layers[0].trainable = False
    inputs = numbers(3, 5, 4)
    means = flat(layer.layer.layers[1].get_weights())
    np.testing.assert_allclose(layer.prior()[0], means.mean(), rtol=1e-5)
    hidden = [np.asarray(layer.layer.layers[0](inputs))]
    noisy = layer(inputs, training=True)
    assert np.abs(noisy - layer(inputs)).max() > 0.01
    np.testing.assert_array_equal(layer.layer.layers[0](inputs), hidden[0])


def test_finds_the_posterior_of_a_linear_model():
    """y = x w + N(0, 1) with orthogonal columns of x: the true posterior given the prior is a diagonal Gaussian, of
    precision |x_i|^2 + 1 / s^2 and mean (x_i' y + m / s^2) / precision."""
    random = np.random.default_rng(0)
    num_examples, truth = 256, np.array([2.0, -1.0, 0.5, 1.5, -0.5, 0.0])
    columns, _ = np.linalg.qr(random.standard_normal((num_examples, 6)))
    inputs = columns * np.array([3.0, 4.0, 6.0, 8.0, 12.0, 16.0])
    targets = inputs @ truth + random.standard_normal(num_examples)
    inputs, targets = inputs.astype("float32"), targets.astype("float32")[:, None]

    layer = AdaptiveWeightNoise(keras.layers.Dense(1, use_bias=False), scale=1 / num_examples)
    model = keras.Sequential([keras.Input((6,)), layer])
    falling = keras.optimizers.schedules.CosineDecay(0.03, 2000)
    model.compile(
        keras.optimizers.Adam(falling),
        loss=lambda y, p: 0.5 * keras.ops.square(y - p),
        jit_compile=False,
        steps_per_execution=100,
    )
    data = tf.data.Dataset.from_tensors((inputs, targets)).repeat(2000)
    model.fit(data, steps_per_epoch=2000, shuffle=False, verbose=0)

    location, scale = map(float, layer.prior())
    precisions = (inputs.astype("float64") ** 2).sum(0) + 1 / scale**2
    means = (inputs.T.astype("float64") @ targets[:, 0] + location / scale**2) / precisions
    deviations = 1 / np.sqrt(precisions)
    np.testing.assert_allclose(np.exp(flat(layer.log_stddevs)), deviations, rtol=0.1)
    assert (np.abs(flat(layer.layer.get_weights()) - means) < 0.2 * deviations).all()


def test_bad_arguments():
    for stddev in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match=f"initial_stddev must be positive; got {stddev}"):
            AdaptiveWeightNoise(keras.layers.Dense(3), initial_stddev=stddev)
    with pytest.raises(ValueError, match="scale must be at least 0"):
        AdaptiveWeightNoise(keras.layers.Dense(3), scale=-1.0)
