import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.methods.grad_cam import grad_cam

IMAGES = np.random.default_rng(0).normal(size=(5, 12, 10, 3)).astype("float32")


def pooled(strides=1, outputs=lambda logits, features: logits):
    """A network for which the class activation map is defined."""
    inputs = keras.Input((12, 10, 3))
    features = keras.layers.Conv2D(6, 3, strides, padding="same", activation="relu", name="features")(inputs)
    mean = keras.layers.GlobalAveragePooling2D(name="mean")(features)
    logits = keras.layers.Dense(4, name="logits")(mean)
    return keras.Model(inputs, outputs(logits, features))


def class_activation(model, images, classes):
    """Zhou et al. 2016: the dense layer's weights of the class, times the features."""
    features = keras.Model(model.input, model.get_layer("features").output)(images).numpy()
    weights = model.get_layer("logits").get_weights()[0][:, classes]
    return np.maximum(np.einsum("nhwk,kn->nhw", features, weights), 0)


def test_is_the_class_activation_map():
    model, classes = pooled(), np.array([0, 3, 1, 2, 0])
    expected = class_activation(model, IMAGES, classes)
    assert (expected.max(axis=(1, 2)) > 0).all()
    found = grad_cam(model, IMAGES, "features", classes)
    assert found.shape == (5, 12, 10) and found.dtype == "float32"
    np.testing.assert_allclose(found, expected / expected.max(axis=(1, 2), keepdims=True), atol=1e-5)


def test_weights_are_means_over_space():
    """A dense layer on all places: its weights are the gradients, and differ from place to place."""
    inputs = keras.Input((12, 10, 3))
    features = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="features")(inputs)
    logits = keras.layers.Dense(4, name="logits")(keras.layers.Flatten()(features))
    model = keras.Model(inputs, logits)
    gradients = model.get_layer("logits").get_weights()[0].reshape(12, 10, 6, 4)
    alpha = gradients.mean(axis=(0, 1))[:, 2]
    maps = np.maximum(keras.Model(inputs, features)(IMAGES).numpy() @ alpha, 0)
    found = grad_cam(model, IMAGES, "features", np.full(5, 2))
    np.testing.assert_allclose(found, maps / maps.max(axis=(1, 2), keepdims=True), atol=1e-4)


def test_is_resized_to_the_image():
    model, classes = pooled(strides=2), np.zeros(5, "int64")
    small = class_activation(model, IMAGES, classes)[..., None]
    assert small.shape == (5, 6, 5, 1)
    expected = tf.image.resize(small, (12, 10))[..., 0].numpy()
    found = grad_cam(model, IMAGES, "features", classes)
    np.testing.assert_allclose(found, expected / expected.max(axis=(1, 2), keepdims=True), atol=1e-5)


def test_explains_what_is_predicted():
    model = pooled()
    predicted = np.argmax(model(IMAGES), axis=-1)
    np.testing.assert_array_equal(grad_cam(model, IMAGES, "features"), grad_cam(model, IMAGES, "features", predicted))
    assert np.abs(grad_cam(model, IMAGES, "features", (predicted + 1) % 4) - grad_cam(model, IMAGES, "features")).max()


@pytest.mark.parametrize(
    "outputs",
    [
        lambda logits, features: {"logits": logits, "features": features},
        lambda logits, features: [features, logits],
    ],
)
def test_logits_among_other_outputs(outputs):
    model = pooled()
    other = pooled(outputs=outputs)
    other.set_weights(model.get_weights())
    np.testing.assert_array_equal(grad_cam(other, IMAGES, "features"), grad_cam(model, IMAGES, "features"))


def corner_model():
    """Class 1 speaks for light in the upper left corner, class 0 against it; nothing is learned."""
    inputs = keras.Input((12, 12, 1))
    features = keras.layers.AveragePooling2D(2, name="features")(inputs)
    mask = np.zeros((6, 6, 1), "float32")
    mask[:2, :2] = 1
    seen = keras.layers.Lambda(lambda x: keras.ops.sum(x * mask, axis=(1, 2)))(features)
    return keras.Model(inputs, keras.layers.Concatenate()([-seen, seen]))


def test_lights_what_the_model_looks_at():
    image = np.zeros((1, 12, 12, 1), "float32")
    image[:, :4, :4] = 1.0
    (lit,) = grad_cam(corner_model(), image, "features", [1])
    assert lit[:3, :3].min() > 0.9 and lit[6:, :].max() == lit[:, 6:].max() == 0.0
    assert grad_cam(corner_model(), image, "features", [0]).max() == 0.0  # nothing speaks for it


def test_a_model_inside_the_model_is_a_layer():
    model = pooled()
    inner = keras.Model(model.input, model.get_layer("features").output, name="inner")
    inputs = keras.Input((12, 10, 3))
    outer = keras.Model(inputs, model.get_layer("logits")(model.get_layer("mean")(inner(inputs))))
    np.testing.assert_array_equal(grad_cam(outer, IMAGES, "inner"), grad_cam(model, IMAGES, "features"))


def test_frozen_weights_and_half_precision():
    model = pooled()
    expected = grad_cam(model, IMAGES, "features")
    model.trainable = False
    np.testing.assert_array_equal(grad_cam(model, IMAGES, "features"), expected)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = pooled()
    finally:
        keras.config.set_dtype_policy("float32")
    half.set_weights(model.get_weights())
    found = grad_cam(half, IMAGES, "features", np.argmax(model(IMAGES), axis=-1))
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, expected, atol=0.02)


def aside(logits, features):
    return {"logits": logits, "aside": keras.layers.MaxPooling2D(name="aside")(features)}


@pytest.mark.parametrize(
    ("make", "layer", "classes", "message"),
    [
        (pooled, "featurs", None, "no layer 'featurs'. Did you mean 'features'"),
        (pooled, "mean", None, r"'mean' has no output \(batch, rows, columns, channels\); its shape is \(None, 6\)"),
        (pooled, "features", [0], "for each of 5 images"),
        (pooled, "features", [0, 1, 2, 3, 4], "class from 0 to 3"),
        (lambda: pooled(outputs=aside), "aside", None, "do not depend on layer 'aside'"),
        (lambda: pooled(outputs=lambda logits, features: {"a": logits}), "features", None, "no output 'logits'"),
        (lambda: pooled(outputs=lambda logits, features: features), "features", None, "Expected logits"),
    ],
)
def test_errors(make, layer, classes, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(make(), IMAGES, layer, classes)
