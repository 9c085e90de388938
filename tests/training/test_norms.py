"""Norms against gradients written out, and a training that they do not change."""

import keras
import numpy as np
import pytest

from toolkit.training.norms import GradientNorms, weight_norms

INPUTS = np.random.default_rng(0).standard_normal((8, 3)).astype("float32")
TARGETS = INPUTS.sum(axis=1, keepdims=True)


def network(**how):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(2, name="first"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(1, name="last"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, **how), loss="mse", jit_compile=False)
    return model


def test_weights():
    model = network()
    kernel, bias = model.get_layer("first").get_weights()
    norms = weight_norms(model)
    assert norms.keys() == {"weight_norm/first", "weight_norm/last"}
    assert norms["weight_norm/first"] == pytest.approx(np.sqrt((kernel**2).sum() + (bias**2).sum()), rel=1e-6)


@pytest.mark.parametrize("how", [{}, {"clipnorm": 0.01}])
def test_gradients_are_those_of_the_step_before_clipping(how):
    """d mse / d kernel = 2 / n x' (x k + b - y), for one layer."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="only")])
    model.compile(keras.optimizers.SGD(0.1, **how), loss="mse", jit_compile=False)
    kernel, bias = model.get_weights()
    norms = GradientNorms.of(model)
    assert GradientNorms.of(model) is norms
    norms.wanted.assign(True)
    model.train_on_batch(INPUTS, TARGETS)
    wrong = INPUTS @ kernel + bias - TARGETS
    gradients = np.concatenate([2 / 8 * INPUTS.T @ wrong, 2 / 8 * wrong.sum(axis=0, keepdims=True)])
    expected = pytest.approx(np.sqrt((gradients**2).sum()), rel=1e-5)
    assert norms.read() == {"gradient_norm/only": expected, "gradient_norm/all": expected}
    norms.wanted.assign(False)
    model.train_on_batch(INPUTS, 100 * TARGETS)
    assert norms.read()["gradient_norm/only"] == expected, "a step that was not asked for"


def test_the_training_is_what_it_is_without():
    plain, measured = network(), network()
    plain.fit(INPUTS, TARGETS, epochs=3, shuffle=False, verbose=0)
    GradientNorms.of(measured).wanted.assign(True)
    measured.fit(INPUTS, TARGETS, epochs=3, shuffle=False, verbose=0)
    for one, other in zip(plain.variables, measured.variables, strict=True):
        np.testing.assert_array_equal(one, other)
