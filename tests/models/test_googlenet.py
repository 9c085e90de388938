import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import LocalResponseNormalization
from toolkit.models.googlenet import googlenet

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (2, 64, 64, 3)).astype("float32")


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


def test_levels():
    """The output sizes of table 1."""
    levels = shapes(googlenet(include_top=False, width=64))
    sizes = {
        "level_1": (112, 64),
        "level_2": (56, 192),
        "level_3": (28, 480),
        "level_4": (14, 832),
        "level_5": (7, 1024),
    }
    assert levels == {name: (None, size, size, channels) for name, (size, channels) in sizes.items()}


def test_depth_and_layers():
    """22 layers with weights in a row, and the normalization around the second convolution."""
    model = googlenet((64, 64, 3), width=8)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in model.layers) == 3 + 9 * 6
    assert [layer.name for layer in model.layers if isinstance(layer, LocalResponseNormalization)] == ["lrn_1", "lrn_2"]
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.4]


def test_auxiliary_heads():
    model = googlenet(num_classes=11, width=8, auxiliary=True)
    assert shapes(model) == {name: (None, 11) for name in ("logits", "auxiliary_1", "auxiliary_2")}
    for name in ("auxiliary_1", "auxiliary_2"):
        assert model.get_layer(f"{name}_pool").output.shape[1:3] == (4, 4)
        assert model.get_layer(f"{name}_dropout").rate == 0.7
        assert model.get_layer(f"{name}_hidden").units == 128
    assert model.get_layer("auxiliary_1_pool").input.shape[-1] == 64  # 512 channels of 4a
    assert model.get_layer("auxiliary_2_pool").input.shape[-1] == 66  # 528 of 4d


def test_auxiliary_heads_train_the_layers_below_them():
    model = googlenet(IMAGES.shape[1:], num_classes=5, width=8, auxiliary=True)
    variables = [v for v in model.trainable_variables if v.name == "kernel"]
    values = [v.value for v in variables]
    with tf.GradientTape(persistent=True) as tape:
        results = {name: tf.reduce_sum(y**2) for name, y in model(IMAGES).items()}
    reached = {}
    for name, result in results.items():
        gradients = zip(variables, tape.gradient(result, values), strict=True)
        reached[name] = {variable.path.split("/")[0] for variable, gradient in gradients if gradient is not None}
    assert {"conv_1", "inception_4a_1_1"} <= reached["auxiliary_1"] and "inception_4b_1_1" not in reached["auxiliary_1"]
    assert "inception_4d_1_1" in reached["auxiliary_2"] and "inception_4e_1_1" not in reached["auxiliary_2"]
    assert not any("auxiliary" in name for name in reached["logits"])


def test_logits_are_the_same_with_and_without_heads():
    one = googlenet(IMAGES.shape[1:], num_classes=5, width=8)
    two = googlenet(IMAGES.shape[1:], num_classes=5, width=8, auxiliary=True)
    for layer in one.layers:
        two.get_layer(layer.name).set_weights(layer.get_weights())
    np.testing.assert_allclose(two(IMAGES)["logits"], one(IMAGES), rtol=1e-5)


@pytest.mark.parametrize("size", [8, 32])
def test_auxiliary_heads_on_small_images(size):
    model = googlenet((size, size, 3), num_classes=5, width=4, stem="small", auxiliary=True)
    outputs = model(IMAGES[:, :size, :size])
    assert all(y.shape == (2, 5) and np.isfinite(y).all() for y in outputs.values())


def test_auxiliary_heads_need_the_size():
    with pytest.raises(ValueError, match="height and width must be known for auxiliary heads"):
        googlenet((None, None, 3), width=4, auxiliary=True)
