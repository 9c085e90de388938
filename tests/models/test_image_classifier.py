import functools
import inspect
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.models.image_classifier import (
    ARCHITECTURES,
    check_size,
    classifier,
    image_classifier,
    published_shape,
    trainee,
    with_dense_end,
)

IMAGES = np.random.default_rng(0).uniform(0.0, 255.0, (4, 96, 96, 3)).astype("float32")
ONE_OF_EACH = [
    *("alexnet", "zfnet", "vgg11", "googlenet", "resnet18", "resnet18v2", "plain20"),
    *("inception_v2", "inception_v3", "inception_v4", "inception_resnet_v2"),
]

# All weights that are trained, 1000 classes. AlexNet: with the groups of its two GPUs. ResNet: no bias in version 1,
# where `keras.applications` has one before each normalization. Inception v3 and Inception-ResNet: normalization
# without a factor. Inception v2: BN-Inception. The narrow ones: with shortcuts of 1 x 1.
COUNTS = {
    "alexnet": 60_965_224,
    "zfnet": 62_357_608,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg19": 143_667_240,
    "googlenet": 6_998_552,
    "inception_v2": 11_285_224,
    "inception_v3": 23_817_352,
    "inception_v4": 42_679_816,
    "inception_resnet_v2": 55_813_192,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
# With the moving statistics, as `keras.applications` counts.
TOTALS = {
    "inception_v3": 23_851_784,
    "inception_resnet_v2": 55_873_736,
    "resnet50v2": 25_613_800,
}
MORE_COUNTS = [
    ("alexnet", {"num_groups": 1}, 62_378_344),
    ("googlenet", {"auxiliary": True}, 13_378_280),
]


def shapes(model):
    return {name: tensor.shape for name, tensor in model.output.items()}


def count(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


def quick(names):
    """The others of each family are slow, and the deepest."""
    few = set(ONE_OF_EACH) - {"inception_v4", "inception_resnet_v2"}
    return [name if name in few else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.mark.parametrize("architecture", quick(COUNTS))
def test_number_of_the_papers_weights(architecture, unfilled):
    check_number(architecture, {}, COUNTS[architecture])


@pytest.mark.parametrize("architecture, options, expected", MORE_COUNTS)
def test_number_of_weights(architecture, options, expected, unfilled):
    check_number(architecture, options, expected)


def check_number(architecture, options, expected):
    model = image_classifier(architecture, **options)
    assert count(model.trainable_variables) == expected
    if architecture in TOTALS:
        check_total(architecture, model)


@pytest.mark.parametrize("architecture", [name for name in TOTALS if name not in COUNTS])
def test_number_of_all_weights(architecture, unfilled):
    check_total(architecture, image_classifier(architecture))


def check_total(architecture, model):
    assert count(model.weights) - count(model.get_layer("standardize").weights) == TOTALS[architecture]


@functools.cache
def small(architecture):
    """One network for several tests, narrow; for images of any size where it can be."""
    size = 32 if architecture.startswith(("alexnet", "zfnet", "vgg")) else None
    model = image_classifier(architecture, (size, size, 3), 10, width=8, stem="small")
    model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
    return model


@pytest.mark.parametrize("architecture", quick(ONE_OF_EACH))
@pytest.mark.parametrize(
    "how, match",
    [
        ({"stem": "none"}, "stem must be one of"),
        ({"width": 0}, "width must be at least 1"),
        ({"output_stride": 5}, "output_stride must be"),
        ({"num_classes": 1}, "num_classes must be at least 2"),
    ],
)
def test_what_no_network_can_be(architecture, how, match):
    with pytest.raises(ValueError, match=match):
        image_classifier(architecture, **{"input_shape": (96, 96, 3), "width": 4, **how})


# The deeper ones have more of the same blocks.
@pytest.mark.parametrize(
    "architecture", quick(name for name in ARCHITECTURES if not re.search("34|44|56|101|110|152", name))
)
def test_small_images(architecture):
    model = small(architecture)
    assert model.name == architecture and len(model.get_layer("features").output.shape) == 2
    outputs = np.asarray(model(IMAGES[:, :32, :32]))
    assert outputs.shape == (4, 10) and np.isfinite(outputs).all() and outputs.std() > 0
    # As the 8 x 8 images of handwritten digits.
    if model.input_shape[1]:
        model = image_classifier(architecture, (8, 8, 3), 10, width=2, stem="small")
    assert np.isfinite(model(IMAGES[:, :8, :8])).all()


@pytest.mark.parametrize("architecture", quick(name for name in ONE_OF_EACH if name != "plain20"))
def test_no_convolution_or_pooling_of_one_place_is_strided(architecture):
    """TensorFlow's gradient of the former writes outside its memory: see `layers.Subsampling2D`."""
    for layer in small(architecture).layers:
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", (0,)))
        assert set(size) != {1} or set(layer.strides) == {1}, layer.name


def test_grey_images():
    model = image_classifier("resnet8", (8, 8, 1), 10)
    assert model(IMAGES[:, :8, :8, :1]).shape == (4, 10)


@pytest.mark.parametrize("architecture", quick(ONE_OF_EACH))
def test_a_gradient_reaches_every_weight(architecture):
    model = small(architecture)
    with tf.GradientTape() as tape:
        # As in evaluation: in training, normalization takes away the gradient of a bias before it.
        loss = tf.reduce_sum(tf.sin(model(IMAGES[:, :32, :32]) + tf.range(10.0)))
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    lost = [v.path for v, g in zip(model.trainable_variables, gradients, strict=True) if g is None or not np.any(g)]
    assert not lost and all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("architecture", ["googlenet", "resnet18"])
def test_images_of_any_size(architecture):
    """One network for all sizes, with the logits of the network for one size."""
    anything = image_classifier(architecture, (None, None, 3), 5, width=4)
    fixed = image_classifier(architecture, (96, 80, 3), 5, width=4)
    fixed.set_weights(anything.get_weights())
    images = IMAGES[:1, :, :80]
    np.testing.assert_allclose(anything(images), fixed(images), rtol=1e-5, atol=1e-4)
    assert anything(IMAGES[:1]).shape == (1, 5)


def test_vgg_is_for_images_of_one_size():
    with pytest.raises(ValueError, match="height and width must be known"):
        image_classifier("vgg11", (None, None, 3), width=4)
    assert image_classifier("vgg11", (None, None, 3), width=4, include_top=False)(IMAGES[:1])["level_5"].shape[1] == 3


@pytest.mark.parametrize("architecture", ["alexnet", "vgg11", "googlenet", "resnet18", "resnet18v2"])
def test_saved_whole(architecture, tmp_path):
    model = small(architecture)
    model.save(tmp_path / "model.keras")
    images = IMAGES[:1, :32, :32]
    np.testing.assert_array_equal(keras.saving.load_model(tmp_path / "model.keras")(images), model(images))


@pytest.mark.parametrize("architecture", ["alexnet", "vgg11", "googlenet", "resnet18", "resnet18v2"])
def test_mixed_precision_has_float32_logits(architecture):
    options = {"auxiliary": True} if architecture == "googlenet" else {}
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = image_classifier(architecture, (32, 32, 3), 5, width=4, stem="small", **options)
    finally:
        keras.config.set_dtype_policy("float32")
    model.get_layer("standardize").adapt([127.5] * 3, [64.0] * 3)
    assert model.get_layer("features").compute_dtype == "float16"
    for logits in keras.tree.flatten(model(IMAGES[:1, :32, :32])):
        assert logits.dtype == "float32" and np.isfinite(logits).all()


def test_as_published():
    sizes = {"inception_v3": 299, "inception_v4": 299, "inception_resnet_v2": 299}
    for architecture, builder in ARCHITECTURES.items():
        published = inspect.signature(builder).parameters
        narrow = architecture in {f"{kind}{n}" for kind in ("resnet", "plain") for n in (8, 14, 20, 32, 44, 56, 110)}
        size = 32 if narrow else sizes.get(architecture, 224)
        assert published["input_shape"].default == (size, size, 3), architecture
        assert published["stem"].default == ("small" if narrow else "imagenet"), architecture
    model = image_classifier("resnet20", num_classes=10)
    assert model.input_shape == (None, 32, 32, 3) and model.get_layer("stem").filters == 16


def test_what_is_given_goes_first():
    model = image_classifier("resnet20", (24, 20, 1), 10, width=4, stem="imagenet", version=2)
    assert model.input_shape == (None, 24, 20, 1) and model.name == "resnet20v2"
    assert model.get_layer("stem").kernel_size == (7, 7) and model.get_layer("stem").filters == 4
    levels = shapes(image_classifier("plain18", (64, 64, 3), width=4, include_top=False, output_stride=4))
    assert [shape[1] for shape in levels.values()] == [32, 16, 16, 16, 16]


@pytest.mark.parametrize(
    "name, nearest",
    [
        ("resnet151", "resnet152"),
        ("ResNet18", "resnet18"),
        ("inception-v3", "inception_v3"),
        ("alex", "alexnet"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name, nearest):
    with pytest.raises(ValueError, match="There are alexnet, zfnet, vgg11") as error:
        image_classifier(name)
    assert nearest in str(error.value).partition("There are")[0]


def test_a_name_like_none_gets_the_list():
    with pytest.raises(ValueError, match=r"no architecture '17'\. There are alexnet"):
        image_classifier("17")


def test_an_option_of_another_family():
    with pytest.raises(ValueError, match="vgg16 has no option auxiliary, version"):
        image_classifier("vgg16", auxiliary=True, version=2)


def test_a_network_keeps_its_classes(tmp_path):
    names = ["cat", "dog", "bird"]
    model = image_classifier("resnet8", (8, 8, 3), width=4, class_names=names)
    plain = image_classifier("resnet8", (8, 8, 3), 3, width=4)
    plain.set_weights(model.get_weights())
    np.testing.assert_array_equal(model(IMAGES[:, :8, :8]), plain(IMAGES[:, :8, :8]))
    assert model.name == "resnet8" and model.output_shape == (None, 3)
    model.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").get_layer("class_names").names == names
    # One and the other begin with the same file.
    for kept in ({"num_classes": 3}, {"class_names": names}):
        again = image_classifier("resnet8", (8, 8, 3), width=4, weights=str(tmp_path / "model.keras"), **kept)
        np.testing.assert_array_equal(again(IMAGES[:, :8, :8]), plain(IMAGES[:, :8, :8]))


def test_trained_with_auxiliary_heads_where_there_are_such():
    model = trainee("googlenet", 32, ["a", "b"], width=4)
    assert shapes(model) == dict.fromkeys(("logits", "auxiliary_1", "auxiliary_2"), (None, 2))
    assert model.get_layer("class_names").names == ["a", "b"]
    whole, alone = model(IMAGES[:, :32, :32]), classifier(model)
    np.testing.assert_array_equal(alone(IMAGES[:, :32, :32]), whole["logits"])
    np.testing.assert_array_equal(classifier(alone)(IMAGES[:, :32, :32]), whole["logits"])
    assert alone.get_layer("class_names").names == ["a", "b"]
    assert list(trainee("googlenet", 32, ["a", "b"], width=4, auxiliary=False).output) == ["logits"]
    assert list(trainee("resnet8", 8, ["a", "b"], width=4).output) == ["logits"]


@pytest.mark.parametrize("together", [True, False])
def test_normalization_over_devices(together):
    model = trainee("resnet8", 8, ["a", "b"], width=4, synchronized=together)
    found = [layer.synchronized for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert found and all(each == together for each in found)


def test_small_images_get_a_small_stem():
    sizes = {side: trainee("resnet18", side, ["a", "b"], width=4).get_layer("stem").kernel_size for side in (63, 64)}
    assert sizes == {63: (3, 3), 64: (7, 7)}
    assert image_classifier("resnet18", width=4, stem="auto").get_layer("stem").kernel_size == (7, 7)
    assert image_classifier("resnet18", (None, None, 3), width=4, stem="auto").get_layer("stem").kernel_size == (7, 7)
    assert published_shape("inception_v3") == (299, 299, 3)


def test_images_that_are_too_small():
    check_size("inception_v3", 75, "imagenet"), check_size("resnet20", 8)
    with pytest.raises(ValueError, match="--image_size=20 is too small: inception_v3 with --stem=imagenet leaves"):
        check_size("inception_v3", 20, "imagenet")
    with pytest.raises(ValueError, match="no architecture 'resnet_50'; did you mean 'resnet50'"):
        check_size("resnet_50", 32)


def test_what_is_a_classifier_of_images_with_a_dense_end():
    made = trainee("resnet8", 8, ["cat", "dog"], width=4, stem="small")
    found = with_dense_end(made)
    assert found.get_layer("class_names").names == ["cat", "dog"] and found.output_shape == (None, 2)
    features = keras.Model(made.input, made.get_layer("logits").input)
    for other in (
        features,
        {"encoder": made, "decoder": made},
        keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]),
    ):
        with pytest.raises(ValueError, match="no classifier of images whose last layer is dense"):
            with_dense_end(other)
