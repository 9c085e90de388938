import keras
import numpy as np
import pytest

from toolkit.models.deeplab import deeplab, useless_rates
from toolkit.models.image_classifier import image_classifier

IMAGES = np.random.default_rng(0).uniform(0, 255, (2, 49, 66, 3)).astype("float32")


@pytest.mark.parametrize(
    "variant, backbone, how",
    [
        ("large_fov", "vgg11", {}),
        ("v3+", "resnet20", {"output_stride": 4}),
        pytest.param("v2", "vgg16", {}, marks=pytest.mark.slow),
        pytest.param("v2", "resnet50", {}, marks=pytest.mark.slow),
        pytest.param("v3", "resnet50", {"output_stride": 8}, marks=pytest.mark.slow),
        pytest.param("v3+", "resnet18v2", {"output_stride": 8}, marks=pytest.mark.slow),
    ],
)
def test_a_class_for_each_pixel_of_images_of_any_size(variant, backbone, how):
    model = deeplab(variant, backbone, class_names=["road", "sky", "car"], width=4, **how)
    assert model.output_shape == (None, None, None, 3) and model.name.startswith("deeplab_")
    logits = model(IMAGES)
    assert logits.shape == (2, 49, 66, 3) and "float32" in str(logits.dtype) and np.isfinite(logits).all()
    assert model.get_layer("class_names").names == ["road", "sky", "car"]


def rates(model):
    """The dilation of each convolution of more than one place, by its layer's name."""
    return {
        layer.name: layer.dilation_rate[0]
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv2D) and layer.kernel_size != (1, 1)
    }


def test_multi_grid_multiplies_the_last_stages_rates(unfilled):
    """Section 3.2 of the paper: 1, 2, 4 times the 2 that stands for the stride of output stride 32."""
    found = rates(deeplab("v3", "resnet50", (65, 65, 3), width=2))
    assert [found[f"stage_4_block_{block}_conv_2"] for block in (1, 2, 3)] == [2, 4, 8]
    found = rates(deeplab("v3", "resnet50", (65, 65, 3), width=2, multi_grid=(1, 2, 1), output_stride=8))
    assert [found[f"stage_4_block_{block}_conv_2"] for block in (1, 2, 3)] == [4, 8, 4]
    assert found["stage_3_block_6_conv_2"] == 2 and found["stage_2_block_4_conv_2"] == 1


def test_rates_reach_as_far_in_the_image_at_any_output_stride():
    for stride, expected in ((16, (6, 12, 18)), (8, (12, 24, 36))):
        pyramid = deeplab("v3", "resnet18", (65, 65, 3), width=4, output_stride=stride).get_layer("pyramid")
        assert pyramid.rates == expected


@pytest.mark.parametrize("variant", ["v3", pytest.param("v3+", marks=pytest.mark.slow)])
def test_of_a_useless_rate_only_the_middle_tap_counts(variant):
    """Of 65 x 97 pixels 5 x 7 features are left; what is changed lies in the outer taps alone."""
    model = deeplab(variant, "resnet18", (65, 97, 3), 3, width=4, rates=(4, 6, 7, 8))
    images = IMAGES[:1].repeat(2, axis=2)[:, :, :97].repeat(2, axis=1)[:, :65]
    before, seen = np.asarray(model(images)), []
    for rate, (first, *_) in zip((4, 6, 7, 8), model.get_layer("pyramid").branches[1:], strict=True):
        kernel = np.array(first.kernel)
        changed = kernel + 1.0
        changed[1, 1] = kernel[1, 1]
        first.kernel.assign(changed)
        seen += [rate] if np.array_equal(model(images), before) else []
        first.kernel.assign(kernel)
    assert seen == useless_rates(model, 65, 97) == [7, 8]
    assert useless_rates(model, 129, 97) == []


VARIANTS = ["v3+", *(pytest.param(name, marks=pytest.mark.slow) for name in ("large_fov", "v2", "v3"))]


@pytest.mark.parametrize("precision", ["mixed_float16", pytest.param("mixed_bfloat16", marks=pytest.mark.slow)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_training_step_in_half_precision(variant, precision):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = deeplab(variant, "resnet8", (33, 33, 3), 3, width=4, output_stride=4, rates=(1, 3))
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(keras.optimizers.SGD(0.01), loss, run_eagerly=True)  # tracing takes longer than the steps
    finally:
        keras.config.set_dtype_policy(before)
    first = [np.array(each) for each in model.trainable_weights]
    losses = [model.train_on_batch(IMAGES[:, :33, :33], np.ones((2, 33, 33), "int32")) for _ in range(4)]
    assert str(model.compute_dtype) != "float32" and model.output.dtype == "float32"
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    assert all(np.any(old != new) for old, new in zip(first, model.trainable_weights, strict=True))


def test_dilation_costs_no_weights(unfilled):
    counts = {
        deeplab("v3", "resnet50", (65, 65, 3), output_stride=stride, multi_grid=grid).count_params()
        for stride, grid in ((32, (1,)), (16, (1, 2, 4)), (8, (1, 2, 4)))
    }
    assert len(counts) == 1


def test_the_weights_of_one_output_stride_serve_another(unfilled):
    """The decoder stands at a quarter of the image at each, as in section 4 of the third paper."""
    shapes = [
        [tuple(each.shape) for each in deeplab("v3+", "resnet50", (65, 65, 3), output_stride=stride).weights]
        for stride in (32, 16, 8)
    ]
    assert shapes[0] == shapes[1] == shapes[2]


def test_number_of_weights(unfilled):
    """The backbone's, and those of five branches, of the mix and of the scores."""
    trunk = image_classifier("resnet50", (65, 65, 3), include_top=False).count_params()
    one = 2048 * 256 + 4 * 256
    branches = one + 3 * (9 * 2048 * 256 + 4 * 256) + one
    head = branches + 5 * 256 * 256 + 4 * 256 + 256 * 21 + 21
    assert deeplab("v3", "resnet50", (65, 65, 3)).count_params() == trunk + head
    low, wide = 256 * 48 + 4 * 48, 48 + 256
    separable = one + 3 * (9 * 2048 + 4 * 2048 + one) + one
    decoder = 9 * wide + 4 * wide + wide * 256 + 4 * 256 + 9 * 256 + 4 * 256 + 256 * 256 + 4 * 256
    plus = separable + 5 * 256 * 256 + 4 * 256 + low + decoder + 256 * 21 + 21
    assert deeplab("v3+", "resnet50", (65, 65, 3)).count_params() == trunk + plus


@pytest.mark.parametrize(
    "how, why",
    [
        ({"variant": "v4"}, "There is no variant 'v4'; there are large_fov, v2"),
        ({"backbone": "alexnet"}, "expected a VGG or a ResNet"),
        ({"backbone": "vgg16", "multi_grid": (1, 2)}, "is for ResNets"),
        ({"output_stride": 3}, "output_stride must be None, 1, 2"),
    ],
)
def test_errors(how, why):
    with pytest.raises(ValueError, match=why):
        deeplab(**{"width": 4, **how})
