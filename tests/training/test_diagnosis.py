import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import WeightNoise
from toolkit.training.diagnosis import first_not_finite

INPUTS = np.linspace(-1, 1, 8, dtype="float32").reshape(4, 2)
TARGETS = np.zeros((4, 1), "float32")


@keras.saving.register_keras_serializable(package="tests")
class Logarithm(keras.layers.Layer):
    def call(self, x):
        return keras.ops.log(x)


def network(*layers, loss="mse"):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="first"), *layers], name="net")
    model.compile("sgd", loss, weighted_metrics=[])
    return model


def explain(model, inputs=INPUTS, targets=TARGETS):
    return first_not_finite(model, (tf.constant(inputs), tf.constant(targets)))


def last(**how):
    return keras.layers.Dense(1, name="last", **how)


def test_all_is_finite():
    assert explain(network(last())) == ""


@pytest.mark.parametrize("name", ["inputs", "targets"])
def test_data(name):
    broken = {"inputs": INPUTS.copy(), "targets": TARGETS.copy()}
    broken[name][2, -1] = np.inf
    assert explain(network(last()), **broken) == f"Example 2 of that batch is not finite in its {name}."


def test_weights():
    model = network(last())
    model.get_layer("last").kernel.assign(np.full((3, 1), np.nan))
    assert explain(model).startswith("The weight net/last/kernel was not finite")


def test_a_layer():
    model = network(Logarithm(name="logarithm"), keras.layers.Dense(2), last())
    assert explain(model) == "The layer 'logarithm' is the first whose output is not finite."


def test_a_layer_inside_a_wrapped_model():
    model = network(Logarithm(name="logarithm"), last())
    wrapped = keras.Model(model.inputs, WeightNoise(model)(model.inputs[0]))
    wrapped.compile("sgd", "mse")
    assert "'logarithm' is the first" in explain(wrapped)


def test_the_loss():
    def divide(y_true, y_pred):
        return keras.ops.mean(1.0 / y_true)

    assert "outputs of all layers are finite; the loss is not" in explain(network(last(), loss=divide))


def test_a_gradient():
    def root(y_true, y_pred):
        return keras.ops.mean(keras.ops.sqrt(y_pred * 0.0))

    assert "the gradient of net/last/bias is not" in explain(network(last(), loss=root))
