import keras
import numpy as np
import pytest

from toolkit.models.dropout_classifier import dropout_classifier
from toolkit.models.image_classifier import image_classifier

NAMES = ["cat", "dog", "bird"]
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("float32")


def test_the_dense_one_is_what_numpy_computes():
    keras.utils.set_random_seed(0)
    model = dropout_classifier("dense", 8, NAMES, units=5, num_layers=2, dropout=0.5)
    model.get_layer("standardize").adapt(np.full(3, 100.0), np.full(3, 50.0))
    x = (IMAGES - 100) / 50
    x = x.reshape(4, -1)
    for name in ("hidden_0", "hidden_1", "logits"):
        kernel, bias = (np.asarray(each) for each in model.get_layer(name).weights)
        x = x @ kernel + bias
        x = np.maximum(x, 0) if name != "logits" else x
    np.testing.assert_allclose(model.predict(IMAGES, verbose=0), x, rtol=1e-4, atol=1e-4)
    assert [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)] == [0.5, 0.5]


@pytest.mark.parametrize("architecture", ["resnet8", pytest.param("vgg11", marks=pytest.mark.slow)])
def test_the_others_have_dropout_before_their_logits(architecture):
    model = dropout_classifier(architecture, 32, NAMES, dropout=0.4, width=4)
    plain = image_classifier(architecture, (32, 32, 3), 3, width=4, stem="auto")
    assert model.get_layer("logits").input.shape[1:] == plain.get_layer("logits").input.shape[1:]
    assert model.count_params() == plain.count_params() and model.get_layer("dropout").rate == 0.4
    assert model.get_layer("class_names").names == NAMES and model.output_shape == (None, 3)
    before = model.get_layer("logits").input._keras_history.operation
    assert before is model.get_layer("dropout")


def test_it_is_saved_and_loaded(tmp_path):
    model = dropout_classifier("dense", 8, NAMES, units=4)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0))


def test_there_is_no_such_architecture():
    with pytest.raises(ValueError, match="There is no architecture 'resnet9'"):
        dropout_classifier("resnet9", 8, NAMES)
