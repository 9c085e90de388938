import keras
import numpy as np
import pytest

from toolkit.models.inception import inception_v2, inception_v3

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (2, 80, 80, 3)).astype("float32")


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


def test_levels_of_v2():
    """The sizes of Ioffe and Szegedy, figure 5, with 4c and 4d as their filters have it."""
    levels = shapes(inception_v2(include_top=False))
    sizes = {
        "level_1": (112, 64),
        "level_2": (56, 192),
        "level_3": (28, 320),
        "level_4": (14, 608),
        "level_5": (7, 1024),
    }
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


def test_levels_of_v3():
    levels = shapes(inception_v3(include_top=False, width=8))
    sizes = {"level_1": (147, 16), "level_2": (71, 48), "level_3": (35, 72), "level_4": (17, 192), "level_5": (8, 512)}
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


@pytest.mark.parametrize("network", [inception_v2, inception_v3])
def test_output_stride(network):
    levels = shapes(network((64, 64, 3), width=4, include_top=False, output_stride=8))
    assert [shape[1] for shape in levels.values()] == [32, 16, 8, 8, 8]


def test_blocks_of_v2():
    """5a and 5b differ in their pooling; no pooling is projected where a block is strided."""
    model = inception_v2((64, 64, 3), width=8)
    assert isinstance(model.get_layer("inception_5a_4_1"), keras.layers.AveragePooling2D)
    assert isinstance(model.get_layer("inception_5b_4_1"), keras.layers.MaxPooling2D)
    assert model.get_layer("inception_3c_3_1").strides == (2, 2)
    assert not any(layer.name == "inception_3c_3_2" for layer in model.layers)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 3 + 8 * 7 + 2 * 5 and not any(layer.use_bias for layer in convolutions)


def test_auxiliary_head_of_v3():
    """As torchvision counts it, 27,161,264 with and 23,834,568 without, less the factors of the normalization."""
    with_it = inception_v3(auxiliary=True)
    number = sum(np.prod(v.shape) for v in with_it.trainable_variables)
    assert number - 23_817_352 == 27_161_264 - 23_834_568 - (128 + 768)
    assert shapes(with_it) == {"logits": (None, 1000), "auxiliary": (None, 1000)}
    assert with_it.get_layer("auxiliary_conv_2").output.shape[1:3] == (1, 1)


@pytest.mark.parametrize("size", [8, pytest.param(None, marks=pytest.mark.slow)])
def test_auxiliary_head_of_v3_on_small_images(size):
    stem = "small" if size else "imagenet"
    model = inception_v3((size, size, 3), num_classes=5, width=4, stem=stem, auxiliary=True)
    outputs = model(IMAGES[:, :size, :size] if size else np.tile(IMAGES, (1, 4, 4, 1)))
    assert all(y.shape == (2, 5) and np.isfinite(y).all() for y in outputs.values())
