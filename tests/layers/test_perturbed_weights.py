import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers.perturbed_weights import PerturbedWeights


class Doubled(PerturbedWeights):
    """The kernel is twice itself while it trains. What is made of this base passes the gate in tests of its own."""

    def perturbed(self):
        return [(self.layer.kernel, 2.0 * self.layer.kernel)]


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_other_values_in_training_alone_and_their_gradient():
    """With y = 2 x W + b, L = sum sin(y) has the derivative 2 x' cos(y) towards W."""
    layer, inputs = Doubled(keras.layers.Dense(3, bias_initializer="normal")), tf.constant(numbers(1, 5, 4))
    plain = layer(inputs)
    kernel, bias = layer.layer.get_weights()
    np.testing.assert_allclose(plain, inputs @ kernel + bias, atol=1e-5)
    with tf.GradientTape() as tape:
        outputs = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(outputs))
    np.testing.assert_allclose(outputs, 2 * inputs @ kernel + bias, atol=1e-5)
    gradient = tape.gradient(loss, layer.layer.kernel.value)
    np.testing.assert_allclose(gradient, 2 * np.transpose(inputs) @ np.cos(outputs), atol=1e-5)
    np.testing.assert_array_equal(layer.layer.get_weights()[0], kernel)


def test_one_within_another_sees_its_values():
    layer, inputs = Doubled(keras.layers.Dense(3, use_bias=False)), numbers(2, 5, 4)
    model = keras.Sequential([keras.Input((4,)), layer])

    class Raised(PerturbedWeights):
        def perturbed(self):
            return [(variable, variable + 1.0) for variable in self.layer.trainable_variables]

    outputs = Raised(model)(inputs, training=True)
    np.testing.assert_allclose(outputs, inputs @ (2 * (layer.layer.get_weights()[0] + 1)), atol=1e-5)


def test_what_is_perturbed_must_be_said():
    layer = PerturbedWeights(keras.layers.Dense(3))
    layer(numbers(3, 5, 4))
    with pytest.raises(NotImplementedError, match="expected a method perturbed"):
        layer(numbers(3, 5, 4), training=True)
