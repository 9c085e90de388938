import keras
import numpy as np
import pytest

from toolkit.models import small_classifiers


def examples(*shape):
    return np.random.default_rng(0).uniform(0, 255, shape)


def test_logistic_regression_is_a_product():
    model = small_classifiers.logistic_regression((4, 4, 1), ["a", "b", "c"], scale=1 / 255)
    kernel = np.random.default_rng(1).standard_normal((16, 3))
    assert not model.predict(examples(2, 4, 4, 1), verbose=0).any()
    model.get_layer("logits").set_weights([kernel])
    x = examples(5, 4, 4, 1)
    np.testing.assert_allclose(
        np.asarray(model(x)), x.reshape(5, 16) / 255 @ kernel, rtol=1e-6
    )  # Keras rounds the scale
    assert model.output.dtype == "float64" and model.get_layer("class_names").names == ["a", "b", "c"]


def test_svm_is_one_score_without_a_bias():
    model = small_classifiers.linear_svm((3,))
    model.set_weights([np.array([[1.0], [2.0], [-1.0]])])
    assert model.predict(np.array([[1.0, 1.0, 1.0]]), verbose=0).tolist() == [[2.0]]
    assert not model.predict(np.zeros((1, 3)), verbose=0).any()


def test_all_convolutional_has_the_papers_layers():
    model = small_classifiers.all_convolutional((28, 28, 1), list("0123456789"), scale=1 / 255)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [(layer.filters, layer.kernel_size[0], layer.strides[0]) for layer in layers] == [
        (8, 3, 1), (8, 3, 2), (8, 3, 1), (8, 3, 2), (8, 3, 1), (8, 1, 1), (8, 1, 1),
    ]  # fmt: skip
    assert all(layer.activation is keras.activations.tanh for layer in layers)
    assert model.count_params() == 80 + 4 * 584 + 2 * 72 + 80  # the paper has 2,616
    assert model.predict(examples(2, 28, 28, 1), verbose=0).shape == (2, 10)
    with pytest.raises(ValueError, match=r"takes images \(height, width, channels\); got \(5,\)"):
        small_classifiers.all_convolutional((5,), ["a", "b"])


@pytest.mark.parametrize("build", ["logistic_regression", "all_convolutional", "linear_svm"])
def test_last_layer_and_float32(build):
    keras.utils.set_random_seed(1)
    classes = [] if build == "linear_svm" else [["a", "b"]]
    model = getattr(small_classifiers, build)((8, 8, 1), *classes, scale=1 / 255)
    model.get_layer("logits").set_weights([np.random.default_rng(2).standard_normal(model.weights[-1].shape)])
    x = examples(3, 8, 8, 1)
    features, last = small_classifiers.last_layer(model)
    expected = np.asarray(model(x))
    np.testing.assert_allclose(np.asarray(features(x)) @ last.get_weights()[0], expected, rtol=1e-9)
    small = small_classifiers.in_float32(model)
    assert small.output.dtype == "float32" and {weight.dtype for weight in small.weights} == {"float32"}
    np.testing.assert_allclose(small.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_what_is_no_classifier():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="codes")], name="encoder")
    with pytest.raises(ValueError, match="encoder has no dense layer `logits`"):
        small_classifiers.last_layer(model)
    inner = small_classifiers.logistic_regression((3,), ["a", "b"])
    model = keras.Model(inner.input, keras.layers.Dense(2, name="codes")(inner.output), name="more")
    with pytest.raises(ValueError, match="more has no dense layer `logits` .* at its end"):
        small_classifiers.last_layer(model)
