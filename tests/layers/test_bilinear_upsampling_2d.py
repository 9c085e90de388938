import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tests import checks
from toolkit.layers import BilinearUpsampling2D

IMAGES = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")


def stretched(images, size):
    """From the formula, pixel by pixel."""
    _, height, width, _ = images.shape

    def between(length, place):
        place = min(max((place + 0.5) / size - 0.5, 0), length - 1)
        low = min(int(place), max(length - 2, 0))
        return low, min(low + 1, length - 1), place - low

    result = np.zeros((len(images), height * size, width * size, images.shape[3]))
    for i in range(height * size):
        for j in range(width * size):
            top, bottom, down = between(height, i)
            left, right, across = between(width, j)
            upper = (1 - across) * images[:, top, left] + across * images[:, top, right]
            lower = (1 - across) * images[:, bottom, left] + across * images[:, bottom, right]
            result[:, i, j] = (1 - down) * upper + down * lower
    return result


def unknown_size(size, batch=None):
    model = keras.Sequential([keras.Input((None, None, 3)), BilinearUpsampling2D(size)])
    assert model.output_shape == (None, None, None, 3)
    return tf.function(lambda x: model(x), input_signature=[tf.TensorSpec([batch, None, None, 3])])


def test_gate():
    checks.check_layer(lambda: BilinearUpsampling2D(3, name="larger"), IMAGES)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
@pytest.mark.parametrize("images", [IMAGES, IMAGES[:, :1], IMAGES[:, :, :1]], ids=["image", "row", "column"])
def test_is_the_formula_where_the_size_is_known_and_where_it_is_not(size, images):
    expected = stretched(images, size)
    np.testing.assert_allclose(BilinearUpsampling2D(size)(images), expected, atol=1e-5)
    np.testing.assert_allclose(unknown_size(size)(images), expected, atol=1e-5)


def test_a_tflite_file_for_images_of_any_size():
    file = tf.lite.TFLiteConverter.from_concrete_functions([unknown_size(4, batch=1).get_concrete_function()]).convert()
    interpreter = Interpreter(model_content=file)
    given, made = (get()[0]["index"] for get in (interpreter.get_input_details, interpreter.get_output_details))
    for images in (IMAGES[:1], IMAGES[:1, :3]):
        interpreter.resize_tensor_input(given, images.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(given, images)
        interpreter.invoke()
        np.testing.assert_allclose(interpreter.get_tensor(made), stretched(images, 4), atol=1e-5)


@pytest.mark.parametrize("size", [0, 1.5, True])
def test_a_factor_that_is_none(size):
    with pytest.raises(ValueError, match=f"size must be an integer, at least 1; got {size}"):
        BilinearUpsampling2D(size)


def test_what_is_no_image():
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\); got shape \(2, 5, 4\)"):
        BilinearUpsampling2D(2)(IMAGES[..., 0])


def test_first_pixels_stay_where_they_are():
    """Pixel j of the input stands at j * size, and NumPy's interpolation between."""
    found = np.asarray(BilinearUpsampling2D(4, align="first")(IMAGES))
    np.testing.assert_allclose(found[:, ::4, ::4], IMAGES, atol=1e-6)
    row = np.interp(np.arange(16) / 4, np.arange(4), IMAGES[0, 2, :, 1])
    np.testing.assert_allclose(found[0, 8, :, 1], row, atol=1e-6)


@pytest.mark.slow
def test_gate_with_an_image_of_the_size_wanted():
    like = np.zeros((2, 13, 11, 2), "float32")
    checks.check_layer(lambda: BilinearUpsampling2D(3, "first", name="larger"), IMAGES, like)


def test_cut_to_the_size_of_an_image():
    layer = BilinearUpsampling2D(3)
    like = np.zeros((2, 13, 11, 1), "float32")
    np.testing.assert_array_equal(layer(IMAGES, like), np.asarray(layer(IMAGES))[:, :13, :11])
