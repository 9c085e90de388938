"""What the papers of DeepLab say, at small size; the trainings are on generated scenes."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import AtrousConv2D

pytestmark = pytest.mark.claims
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("make", [keras.layers.Conv2D, AtrousConv2D], ids=["keras", "toolkit"])
@pytest.mark.parametrize("rate", [2, 3, 5])
def test_atrous_convolution_is_an_ordinary_one_on_each_of_the_interleaved_grids(rate, make):
    """Chen et al. 2016, section 3.1: "subsampled to rate^2 reduced resolution maps", convolved, and interlaced."""
    features = RANDOM.normal(size=(2, 23, 17, 4)).astype("float32")
    atrous, ordinary = make(5, 3, dilation_rate=rate, padding="same"), keras.layers.Conv2D(5, 3, padding="same")
    atrous.build(features.shape), ordinary.build(features.shape)
    ordinary.set_weights(atrous.get_weights())
    interlaced = np.empty((2, 23, 17, 5), "float32")
    for row in range(rate):
        for column in range(rate):
            interlaced[:, row::rate, column::rate] = ordinary(features[:, row::rate, column::rate])
    np.testing.assert_allclose(atrous(features), interlaced, atol=1e-6)


def field_of_view(model, side):
    """Height and width of what decides the middle place, by the gradient."""
    x = tf.constant(RANDOM.uniform(0.5, 1.5, (1, side, side, 3)), "float32")
    with tf.GradientTape() as tape:
        tape.watch(x)
        middle = tf.reduce_sum(model(x)[0, side // 2, side // 2])
    seen = np.abs(tape.gradient(middle, x)[0]).sum(-1) > 0
    return tuple(int(np.ptp(np.flatnonzero(seen.any(axis=axis)))) + 1 for axis in (1, 0))


def test_the_field_of_view_grows_and_the_number_of_weights_does_not():
    """Section 3.1: a kernel of k x k reaches over k + (k - 1)(r - 1) places with its k^2 weights.

    Three in a row with rates 1, 2 and 4 reach over 15: exponential growth, where ordinary ones reach over 7.
    """
    counts, fields = set(), []
    for rates in ((1, 1, 1), (1, 2, 4), (2, 4, 8)):
        layers = [AtrousConv2D(4, 3, rate, kernel_initializer=keras.initializers.Constant(0.1)) for rate in rates]
        model = keras.Sequential([keras.Input((61, 61, 3)), *layers])
        counts.add(model.count_params())
        fields.append(field_of_view(model, 61))
    assert counts == {3 * 9 * 4 + 4 + 2 * (4 * 9 * 4 + 4)}
    assert (
        fields
        == [(1 + 2 * sum(rates),) * 2 for rates in ((1, 1, 1), (1, 2, 4), (2, 4, 8))]
        == [(7, 7), (15, 15), (29, 29)]
    )
