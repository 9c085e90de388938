import keras
import numpy as np
import pytest

from toolkit.models import image_blocks

IMAGES = np.random.default_rng(0).uniform(0.0, 1.0, (2, 9, 8, 4)).astype("float32")
PLAIN = image_blocks.Convolution(normalized=False)


def of(function, images=IMAGES):
    """What a function of Keras tensors gives, as a model and as values."""
    inputs = keras.Input(images.shape[1:])
    model = keras.Model(inputs, function(inputs))
    return model, np.asarray(model(images))


def convolved(images, kernel, strides, padding, dilation=1):
    """One window at a time."""
    images = np.pad(images, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    size = (kernel.shape[0] - 1) * dilation + 1
    rows, columns = (range(0, extent - size + 1, strides) for extent in images.shape[1:3])
    windows = [
        [np.tensordot(images[:, i : i + size : dilation, j : j + size : dilation], kernel, 3) for j in columns]
        for i in rows
    ]
    return np.moveaxis(np.array(windows), 2, 0)


@pytest.mark.parametrize("size, strides", [(3, 1), (3, 2), (7, 2), (1, 2)])
def test_convolution_pads_as_much_on_each_side(size, strides):
    model, found = of(lambda x: PLAIN(x, 5, size, "conv", strides=strides, activation=None))
    kernel = np.asarray(model.get_layer("conv").kernel)
    np.testing.assert_allclose(found, convolved(IMAGES, kernel, strides, (size - 1) // 2), atol=1e-5)


def test_convolution_with_dilation():
    model, found = of(lambda x: PLAIN(x, 5, 3, "conv", dilation_rate=2, activation=None))
    np.testing.assert_allclose(found, convolved(IMAGES, np.asarray(model.get_layer("conv").kernel), 1, 2, 2), atol=1e-5)


def test_groups_are_those_of_keras():
    model, found = of(lambda x: PLAIN(x, 6, 3, "conv", strides=2, groups=2))
    grouped = keras.layers.Conv2D(6, 3, strides=2, groups=2, activation="relu")
    grouped.build((None, 11, 10, 4))
    kernels = [np.asarray(model.get_layer(f"conv_group_{number}").kernel) for number in (1, 2)]
    grouped.kernel.assign(np.concatenate(kernels, axis=-1))
    np.testing.assert_allclose(found, grouped(np.pad(IMAGES, ((0, 0), (1, 1), (1, 1), (0, 0)))), atol=1e-5)


@pytest.mark.parametrize("scale", [True, False])
def test_a_normalized_convolution_has_no_bias(scale):
    conv = image_blocks.Convolution(scale=scale, epsilon=0.1)
    model, found = of(lambda x: conv(x, 5, 3, "conv"))
    assert [layer.name for layer in model.layers[1:]] == ["conv", "conv_bn", "conv_relu"]
    assert model.count_params() == 9 * 4 * 5 + (4 if scale else 3) * 5 and model.get_layer("conv").bias is None
    kernel = np.asarray(model.get_layer("conv").kernel)
    np.testing.assert_allclose(found, np.maximum(convolved(IMAGES, kernel, 1, 1) / np.sqrt(1.1), 0.0), atol=1e-5)


def test_pooling():
    _, largest = of(lambda x: image_blocks.pool(x, 2, "pool", strides=2, padding="valid"))
    _, mean = of(lambda x: image_blocks.pool(x, 2, "pool", strides=2, padding="valid", average=True))
    windows = IMAGES[:, :8].reshape(2, 4, 2, 4, 2, 4)
    np.testing.assert_array_equal(largest, windows.max(axis=(2, 4)))
    np.testing.assert_allclose(mean, windows.mean(axis=(2, 4)), rtol=1e-6)


def test_a_step_of_resolution_is_a_stride_or_dilation():
    image = keras.Input((64, 64, 3))
    resolution = image_blocks.Resolution(image, output_stride=4)
    steps, x = [], image
    for _ in range(4):
        x, where = resolution.reduce(x)
        x = keras.layers.Conv2D(2, 3, padding="same", **where)(x)
        steps.append((where["strides"], where["dilation_rate"], resolution.dilation_rate))
    resolution.end(x)
    # The convolution in place of a stride is dilated by what came before it, those after it by twice as much.
    assert steps == [(2, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4)]
    assert {name: level.shape[1] for name, level in resolution.levels.items()} == {
        "level_1": 32, "level_2": 16, "level_3": 16, "level_4": 16}  # fmt: skip


def test_paths_side_by_side():
    """Order, the strided last steps, and a path that parts."""
    paths = [[(2, 1)], ["max", (3, 1)], [(2, 1), [[(4, (1, 3))], [(5, (3, 1))]]]]
    model, found = of(lambda x: image_blocks.concatenated(x, paths, "block", PLAIN, lambda size: size))
    assert found.shape == (2, 9, 8, 2 + 3 + 4 + 5)
    parts = [("block_1_1", 2), ("block_2_2", 3), ("block_3_2_1_1", 4), ("block_3_2_2_1", 5)]
    layers = [model.get_layer(f"{name}_relu").output for name, _ in parts]
    results = keras.Model(model.input, layers)(IMAGES)
    np.testing.assert_array_equal(found, np.concatenate(results, axis=-1))
    paths = [[(4, 3)], [(4, 1), (6, 3)], ["max"]]
    _, strided = of(lambda x: image_blocks.concatenated(
        x, paths, "block", PLAIN, lambda size: size // 2, strides=2, padding="valid"))  # fmt: skip
    assert strided.shape == (2, 4, 3, 2 + 3 + 4)


def test_scaling():
    scaled = image_blocks.scaling(48, 96, multiple=2)
    assert [scaled(size) for size in (256, 384, 2, 98)] == [128, 192, 2, 48]
    assert [image_blocks.scaling(64, 64)(size) for size in (1, 80, 4096)] == [1, 80, 4096]
    with pytest.raises(ValueError, match="width must be at least 1"):
        image_blocks.scaling(0, 64)


def test_image_is_standardized():
    inputs, standardized = image_blocks.image_input((None, None, 3), "small")
    model = keras.Model(inputs, standardized)
    model.get_layer("standardize").adapt([100.0] * 3, [50.0] * 3)
    assert inputs.name == "image"
    np.testing.assert_allclose(model(np.full((1, 2, 2, 3), 200.0)), np.full((1, 2, 2, 3), 2.0))


@pytest.mark.parametrize("shape", [(32, 32), (32, 32, None), (0, 32, 3), (1, 32, 32, 3)])
def test_what_is_no_image(shape):
    with pytest.raises(ValueError, match="input_shape must be"):
        image_blocks.image_input(shape, "small")


def test_other_errors():
    image = keras.Input((32, 32, 3))
    with pytest.raises(ValueError, match="stem must be one of imagenet, small; got 'tiny'"):
        image_blocks.image_input((32, 32, 3), "tiny")
    for stride in (0, 3, 64):
        with pytest.raises(ValueError, match="output_stride must be"):
            image_blocks.Resolution(image, stride)
    with pytest.raises(ValueError, match="num_classes must be at least 2"):
        image_blocks.logits(keras.Input((4,)), 1)
    with pytest.raises(ValueError, match="height and width must be known"):
        image_blocks.hidden_layers(keras.Input((None, None, 3)), 4)
