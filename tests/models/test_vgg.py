import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.models import image_blocks
from toolkit.models.vgg import vgg

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (1, 64, 64, 3)).astype("float32")


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_layers_with_weights(depth):
    model = vgg(depth, (32, 32, 3), width=4)
    layers = [layer for layer in model.layers if layer.weights and layer.name != "standardize"]
    assert len(layers) == depth and model.name == f"vgg{depth}"
    assert all(layer.kernel_size == (3, 3) for layer in layers[:-3])


def test_levels():
    levels = shapes(vgg(16, width=8, include_top=False))
    assert [(shape[1], shape[3]) for shape in levels.values()] == [
        (224, 8), (112, 16), (56, 32), (28, 64), (14, 64), (7, 64)]  # fmt: skip
    assert list(levels) == [f"level_{number}" for number in range(6)]


def test_small_stem_leaves_out_the_first_pooling():
    levels = shapes(vgg(16, (32, 32, 3), width=8, stem="small", include_top=False))
    assert [shape[1] for shape in levels.values()] == [32, 16, 8, 4, 2]


@pytest.mark.parametrize("output_stride, level, step", [(8, "level_3", 1), (8, "level_4", 2), (16, "level_5", 2)])
def test_dilation_gives_the_strided_features_and_those_between(output_stride, level, step):
    """Until the second pooling that became dense, whose windows are not dilated."""
    how = {"depth": 11, "input_shape": IMAGES.shape[1:], "width": 8, "include_top": False}
    strided, dense = vgg(**how), vgg(**how, output_stride=output_stride)
    dense.set_weights(strided.get_weights())
    coarse, fine = np.asarray(strided(IMAGES)[level]), np.asarray(dense(IMAGES)[level])
    assert fine.shape[1] == 64 // min(output_stride, 2 ** int(level[-1]))
    np.testing.assert_allclose(fine[:, ::step, ::step], coarse, atol=1e-5 * coarse.max())


def test_two_convolutions_of_3_see_5():
    """And have 18 instead of 25 weights a pair of channels (section 2.3)."""
    conv, inputs = image_blocks.Convolution(normalized=False), keras.Input((11, 11, 4))
    two = keras.Model(inputs, conv(conv(inputs, 4, 3, "a", activation=None), 4, 3, "b", activation=None))
    for layer in ("a", "b"):
        two.get_layer(layer).kernel.assign(np.ones((3, 3, 4, 4)))
    image = tf.random.normal((1, 11, 11, 4))
    with tf.GradientTape() as tape:
        tape.watch(image)
        center = two(image)[:, 5, 5]
    seen = np.abs(tape.gradient(center, image)).max(axis=(0, 3)) > 0
    expected = np.zeros((11, 11), bool)
    expected[3:8, 3:8] = True
    np.testing.assert_array_equal(seen, expected)
    assert sum(np.prod(two.get_layer(name).kernel.shape) for name in ("a", "b")) == 18 * 4 * 4
    assert np.prod(keras.Model(inputs, conv(inputs, 4, 5, "c")).get_layer("c").kernel.shape) == 25 * 4 * 4


def test_width_takes_all_along():
    model = vgg(16, (32, 32, 3), width=16)
    assert model.get_layer("conv_5_3").filters == 128 and model.get_layer("features").units == 1024


@pytest.mark.parametrize(
    "how, match",
    [
        ({"depth": 12}, "depth must be one of 11, 13, 16, 19; got 12"),
        ({"input_shape": (None, 32, 3)}, "height and width must be known"),
    ],
)
def test_errors(how, match):
    with pytest.raises(ValueError, match=match):
        vgg(**{"input_shape": (32, 32, 3), "width": 4, **how})
