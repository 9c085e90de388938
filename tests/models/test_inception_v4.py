import keras
import numpy as np
import pytest

from toolkit.models import image_blocks
from toolkit.models.inception_v4 import inception_resnet_v2, inception_v4, residual_block


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


@pytest.mark.slow
def test_levels_of_v4():
    """The sizes of Szegedy et al., figures 3 to 9."""
    levels = shapes(inception_v4(include_top=False, width=8))
    sizes = {"level_1": (147, 16), "level_2": (71, 48), "level_3": (35, 96), "level_4": (17, 256), "level_5": (8, 384)}
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


@pytest.mark.slow
def test_levels_of_inception_resnet():
    model = inception_resnet_v2(include_top=False, width=8)
    levels = shapes(model)
    sizes = {"level_1": (147, 16), "level_2": (71, 48), "level_3": (35, 80), "level_4": (17, 272), "level_5": (8, 384)}
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}
    # The last block's sum is neither scaled nor cut off at zero.
    scales = [layer.scale for layer in model.layers if isinstance(layer, keras.layers.Rescaling)]
    assert scales == [0.17] * 10 + [0.1] * 20 + [0.2] * 9 + [1.0]
    assert not any(layer.name == "block_c_10_relu" for layer in model.layers)


@pytest.mark.slow
def test_output_stride():
    levels = shapes(inception_v4((64, 64, 3), width=4, include_top=False, output_stride=16))
    assert [shape[1] for shape in levels.values()] == [32, 16, 8, 4, 4]


@pytest.mark.parametrize("activation", ["relu", None])
def test_residual_block(activation, tmp_path):
    """x + factor * F(x), F by the layers that were made; saved whole."""
    inputs, conv = keras.Input((5, 5, 6)), image_blocks.Convolution(scale=False)
    paths = [[(2, 1)], [(2, 1), (3, 3)]]
    y = residual_block(inputs, paths, "block", conv, lambda size: size, factor=0.17, activation=activation)
    model = keras.Model(inputs, y)
    residual = keras.Model(model.input, model.get_layer("block_conv").output)
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 6)).astype("float32")
    expected = x + 0.17 * np.asarray(residual(x))
    np.testing.assert_allclose(model(x), np.maximum(expected, 0.0) if activation else expected, atol=1e-5)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(x), model(x))
