import keras
import numpy as np
import pytest

from toolkit.layers import Standardization
from toolkit.models import pretrained
from toolkit.models.image_classifier import image_classifier

APPLICATIONS = keras.applications
# Ours, and the module with what they do to an image first.
NETWORKS = {
    "VGG16": ("vgg16", APPLICATIONS.vgg16),
    "VGG19": ("vgg19", APPLICATIONS.vgg19),
    "ResNet50": ("resnet50", APPLICATIONS.resnet),
    "ResNet101": ("resnet101", APPLICATIONS.resnet),
    "ResNet152": ("resnet152", APPLICATIONS.resnet),
    "ResNet50V2": ("resnet50v2", APPLICATIONS.resnet_v2),
    "ResNet101V2": ("resnet101v2", APPLICATIONS.resnet_v2),
    "ResNet152V2": ("resnet152v2", APPLICATIONS.resnet_v2),
    "InceptionV3": ("inception_v3", APPLICATIONS.inception_v3),
    "InceptionResNetV2": ("inception_resnet_v2", APPLICATIONS.inception_resnet_v2),
}
IMAGES = np.random.default_rng(1).uniform(0.0, 255.0, (1, 80, 75, 3)).astype("float32")


def reference(application, **how):
    """A network of `keras.applications`, all weights random: statistics and factors too."""
    model = getattr(keras.applications, application)(weights=None, **how)
    rng = np.random.default_rng(0)
    for variable in model.weights:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.name in ("beta", "bias", "moving_mean"):
            variable.assign(rng.normal(0.0, 0.3, variable.shape))
    return model


def assert_same(ours, theirs, application):
    expected = np.asarray(theirs(NETWORKS[application][1].preprocess_input(IMAGES.copy())))
    results = ours(IMAGES)
    found = np.asarray(results[max(results)] if isinstance(results, dict) else results)
    difference = np.abs(found - expected).max() / np.abs(expected).max()
    assert np.std(expected) > 0 and difference < 2e-5, difference


def test_all_applications_are_tested():
    assert pretrained.APPLICATIONS.keys() == NETWORKS.keys()


LONG = [pytest.param(name, marks=pytest.mark.slow) for name in ("VGG19", "ResNet50", "ResNet50V2", "InceptionResNetV2")]


@pytest.mark.parametrize("application", ["VGG16", *LONG])
def test_logits_are_those_of_keras(application):
    """The weights are random, biases and statistics too; the image goes to ours as it is, to theirs preprocessed."""
    theirs = reference(application, input_shape=IMAGES.shape[1:], classes=7, classifier_activation=None)
    ours = image_classifier(NETWORKS[application][0], IMAGES.shape[1:], 7)
    pretrained.copy_weights(ours, theirs, *pretrained.APPLICATIONS[application])
    assert_same(ours, theirs, application)


def test_features_are_those_of_keras_with_its_weights(monkeypatch):
    """The way of weights="imagenet", without the download."""
    theirs = reference("ResNet50", input_shape=IMAGES.shape[1:], include_top=False)
    asked = []
    monkeypatch.setattr(APPLICATIONS, "ResNet50", lambda **how: asked.append(how) or theirs)
    ours = image_classifier("resnet50", (None, None, 3), include_top=False, weights="imagenet")
    assert asked == [{"include_top": False}]
    assert_same(ours, theirs, "ResNet50")


def test_other_classes_have_random_logits():
    image, dense = keras.Input((4,)), keras.layers.Dense(10)
    theirs = keras.Model(image, dense(keras.layers.Dense(3)(image)))
    image = keras.Input((4,))
    features = keras.layers.Dense(3)(Standardization(name="standardize")(image))
    ours = keras.Model(image, keras.layers.Dense(5, name="logits")(features))
    before = ours.get_layer("logits").get_weights()
    pretrained.copy_weights(ours, theirs, [0.0] * 4, [1.0] * 4, False)
    np.testing.assert_array_equal(ours.layers[2].kernel, theirs.layers[1].kernel)
    np.testing.assert_array_equal(ours.get_layer("logits").get_weights()[0], before[0])


def test_dense_layers_after_another_image_size_stay_random():
    """As VGG's first one, whose inputs are all places of its last features."""

    def network(size):
        image = keras.Input((size, size, 3))
        x = Standardization(name="standardize")(image) if size == 5 else image
        x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, name="conv")(x))
        return keras.Model(image, keras.layers.Dense(7, name="logits")(keras.layers.Dense(6, name="dense")(x)))

    theirs, ours = network(8), network(5)
    before = ours.get_layer("dense").get_weights()[0]
    pretrained.copy_weights(ours, theirs, [0.0] * 3, [1.0] * 3, False)
    np.testing.assert_array_equal(ours.get_layer("dense").get_weights()[0], before)
    for name in ("conv", "logits"):
        np.testing.assert_array_equal(ours.get_layer(name).kernel, theirs.get_layer(name).kernel)


def test_blue_first_and_bias_before_normalization():
    """By hand: a convolution of 1 x 1 with a bias on BGR, as ours on RGB without one."""
    image, conv = keras.Input((4, 4, 3)), keras.layers.Conv2D(5, 1)
    theirs = keras.Model(image, keras.layers.BatchNormalization()(conv(image)))
    image = keras.Input((4, 4, 3))
    conv_of_ours, standardize = keras.layers.Conv2D(5, 1, use_bias=False), Standardization(name="standardize")
    ours = keras.Model(image, keras.layers.BatchNormalization()(conv_of_ours(standardize(image))))
    rng = np.random.default_rng(0)
    for variable in theirs.weights:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape))
    mean, scale = np.array([100.0, 110.0, 120.0]), np.array([50.0, 60.0, 70.0])
    pretrained.copy_weights(ours, theirs, mean, scale, blue_first=True)
    images = rng.uniform(0.0, 255.0, (2, 4, 4, 3))
    expected = theirs(((images - mean) / scale)[..., ::-1])
    np.testing.assert_allclose(ours(images), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(conv_of_ours.kernel)[0, 0], np.asarray(conv.kernel)[0, 0, ::-1])


def test_order_follows_the_graph():
    """Whatever layers were made first."""
    first, second, third = (keras.layers.Dense(2, name=name) for name in "abc")
    x = keras.Input((2,))
    late = third(x)
    model = keras.Model(x, keras.layers.Add()([first(second(x)), late]))
    assert [layer.name for layer in pretrained.in_order(model)] == ["b", "a", "c"]


def test_another_network_is_refused():
    ours = image_classifier("resnet18", (32, 32, 3), 5, width=4)
    image = keras.Input((32, 32, 3))
    theirs = keras.Model(image, keras.layers.Conv2D(4, 7)(image), name="other")
    with pytest.raises(ValueError, match="resnet18 and other are not the same network"):
        pretrained.copy_weights(ours, theirs, [0.0] * 3, [1.0] * 3, False)


@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])
def test_weights_of_a_file(file, tmp_path):
    how = {"architecture": "resnet8", "input_shape": (16, 16, 3), "num_classes": 3, "width": 4}
    first = image_classifier(**how)
    (first.save_weights if file.endswith("h5") else first.save)(tmp_path / file)
    again = image_classifier(**how, weights=str(tmp_path / file))
    images = IMAGES[:, :16, :16]
    np.testing.assert_array_equal(again(images), first(images))


@pytest.mark.parametrize(
    "how, match",
    [
        ({"architecture": "resnet18", "width": 4}, "no ImageNet weights for it"),
        ({"architecture": "vgg16", "width": 4}, "no ImageNet weights for it"),
        ({"architecture": "alexnet", "width": 4}, "alexnet: keras.applications has no ImageNet weights"),
        ({"architecture": "resnet50", "stem": "small", "width": 4}, "no ImageNet weights for it"),
        ({"architecture": "inception_v3", "auxiliary": True, "width": 4}, "no ImageNet weights for it"),
        ({"architecture": "resnet8", "width": 4, "weights": "missing.keras"}, "weights='missing.keras': expected None"),
    ],
)
def test_errors(how, match):
    with pytest.raises(ValueError, match=match):
        image_classifier(**{"weights": "imagenet", **how})


@pytest.mark.slow
def test_an_auxiliary_head_stays_random(monkeypatch):
    theirs = reference("InceptionV3", input_shape=IMAGES.shape[1:], classes=7, classifier_activation=None)
    monkeypatch.setattr(APPLICATIONS, "InceptionV3", lambda **how: theirs)
    ours = image_classifier("inception_v3", IMAGES.shape[1:], 7, auxiliary=True, weights="imagenet")
    assert_same(keras.Model(ours.input, ours.output["logits"]), theirs, "InceptionV3")


def test_no_network_is_said(monkeypatch):
    def fetch(**how):
        raise Exception("URL fetch failure on somewhere: None")

    monkeypatch.setattr(APPLICATIONS, "ResNet50", fetch)
    with pytest.raises(ValueError, match="resnet50: Keras could not download ImageNet weights to ~/.keras/models: URL"):
        image_classifier("resnet50", (64, 64, 3), weights="imagenet")


def test_channels():
    model = image_classifier("resnet8", (16, 16, 1), width=4)
    with pytest.raises(ValueError, match="ImageNet weights are for 3 channels; got 1"):
        pretrained.load(model, "imagenet", "ResNet50")


def test_layers_of_the_same_name_and_shape_take_anothers_weights():
    ours = image_classifier("resnet8", (16, 16, 3), 3, width=4, include_top=False)
    theirs = image_classifier("resnet8", (32, 32, 3), 5, width=4)
    pretrained.transfer(theirs, ours)
    for layer in ours.layers:
        for weight, expected in zip(layer.get_weights(), theirs.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(weight, expected, err_msg=layer.name)
    wider = image_classifier("resnet8", (16, 16, 3), 5, width=8)
    assert pretrained.transfer(theirs, wider) == 1, "what no width changes: the image's mean and scale"
    with pytest.raises(ValueError, match="has no layer that lone has too"):
        pretrained.transfer(theirs, keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)], name="lone"))
