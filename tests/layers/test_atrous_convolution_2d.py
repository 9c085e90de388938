import keras
import numpy as np
import pytest

from tests import checks
from tests.layers.atrous import atrous
from toolkit.layers import AtrousConv2D, AtrousDepthwiseConv2D

FEATURES = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype("float32")
RATES = [1, 2, 3, 4, 6, 7, 8, 9, 20]  # at 9 x 7 places: all taps of all places, some of some, the middle one alone


@pytest.mark.parametrize("rate", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_gate(rate):
    checks.check_layer(lambda: AtrousConv2D(4, 3, rate, name="atrous"), FEATURES)


@pytest.mark.slow
def test_gate_of_the_depthwise_one():
    checks.check_layer(lambda: AtrousDepthwiseConv2D(3, 8, name="atrous"), FEATURES)


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("rate", RATES)
def test_formula(rate, size):
    layer = AtrousConv2D(4, size, rate, activation="relu", bias_initializer="random_normal")
    found = layer(FEATURES)
    expected = np.maximum(atrous(FEATURES, np.asarray(layer.kernel), rate) + np.asarray(layer.bias), 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_formula_of_the_depthwise_one(rate):
    layer = AtrousDepthwiseConv2D(5, rate)
    found = layer(FEATURES)
    kernel = np.asarray(layer.kernel)[..., 0, None] * np.eye(3, dtype="float32")
    np.testing.assert_allclose(found, atrous(FEATURES, kernel, rate), atol=1e-5)


def test_is_keras_layer_where_the_size_is_not_known():
    for layer in (AtrousConv2D(4, 3, 8), AtrousDepthwiseConv2D(3, 8)):
        model = keras.Sequential([keras.Input((None, None, 3)), layer])
        model.compile(run_eagerly=False)
        np.testing.assert_allclose(model.predict(FEATURES, verbose=0), layer(FEATURES), atol=1e-5)


def test_strides_and_groups_are_refused():
    for strides in (2, (1, 2)):
        with pytest.raises(ValueError, match=r"strides must be 1; got \(\d, 2\)"):
            AtrousConv2D(4, 3, strides=strides)
    with pytest.raises(ValueError, match="groups must be 1; got 2"):
        AtrousConv2D(4, 3, groups=2)
    with pytest.raises(ValueError, match=r"strides must be 1; got \(2, 2\)"):
        AtrousDepthwiseConv2D(3, strides=2)
    AtrousConv2D.from_config(AtrousConv2D(4, 3, strides=1, groups=1).get_config())


@pytest.mark.parametrize("make", [lambda: AtrousConv2D(4, 2), lambda: AtrousDepthwiseConv2D(2)])
def test_even_kernels(make):
    with pytest.raises(ValueError, match=r"kernel_size must be odd; got \(2, 2\)"):
        make()
