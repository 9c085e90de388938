import keras
import numpy as np
import pytest

from tests import checks
from tests.layers.atrous import atrous
from toolkit.layers import AtrousSpatialPyramidPooling

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.normal(size=(2, 9, 7, 3)).astype("float32")


def relu_of_normalized(x, epsilon):
    """Moving statistics that were never updated: mean 0, variance 1, factor 1, offset 0."""
    return np.maximum(x / np.sqrt(1 + epsilon), 0)


@pytest.mark.parametrize("how", [{}, pytest.param({"separable": True}, marks=pytest.mark.slow)])
def test_gate(how):
    # Half precision: a sum of some seventy products, of a mix of sums.
    layer = lambda: AtrousSpatialPyramidPooling(4, (1, 3), name="pyramid", **how)  # noqa: E731
    checks.check_layer(layer, FEATURES, precision_tolerance=2.0)


def test_formula():
    layer = AtrousSpatialPyramidPooling(4, (2, 5), epsilon=0.1)
    layer.build(FEATURES.shape)
    weights = {each.path.split("/", 1)[1]: np.asarray(each) for each in layer.trainable_weights}
    kernels = {name.partition("/")[0]: value for name, value in weights.items() if name.endswith("kernel")}
    branches = [
        atrous(FEATURES, kernels[name], rate) for name, rate in (("branch_0", 1), ("branch_1", 2), ("branch_2", 5))
    ]
    mean = FEATURES.mean(axis=(1, 2), keepdims=True) @ kernels["pooled"][0, 0]
    branches.append(np.broadcast_to(mean, branches[0].shape))
    joined = np.concatenate([relu_of_normalized(each, 0.1) for each in branches], axis=-1)
    expected = relu_of_normalized(joined @ kernels["mix"][0, 0], 0.1)
    np.testing.assert_allclose(layer(FEATURES), expected, atol=1e-5)


def test_separable_formula():
    layer = AtrousSpatialPyramidPooling(4, (2,), separable=True, image_pooling=False)
    layer.build(FEATURES.shape)
    kernels = {each.path.split("/")[-2]: np.asarray(each) for each in layer.trainable_weights if "kernel" in each.path}
    depthwise = kernels["branch_1_depthwise"][..., 0]
    x = atrous(FEATURES, np.stack([np.diag(row) for row in depthwise.reshape(9, 3)]).reshape(3, 3, 3, 3), 2)
    x = relu_of_normalized(relu_of_normalized(x, 1e-5) @ kernels["branch_1_pointwise"][0, 0], 1e-5)
    first = relu_of_normalized(FEATURES @ kernels["branch_0"][0, 0], 1e-5)
    expected = relu_of_normalized(np.concatenate([first, x], axis=-1) @ kernels["mix"][0, 0], 1e-5)
    np.testing.assert_allclose(layer(FEATURES), expected, atol=1e-5)


def test_rates_cost_no_weights():
    counts = []
    for rates in ((1, 1, 1), (6, 12, 18)):
        layer = AtrousSpatialPyramidPooling(8, rates)
        layer.build((1, 33, 33, 16))
        counts.append(layer.count_params())
    assert counts[0] == counts[1]


def test_a_rate_beyond_the_features_is_a_1x1_convolution():
    """Section 3.3 of the paper: why there is image pooling."""
    layer = AtrousSpatialPyramidPooling(4, (20,), image_pooling=False)
    layer.build(FEATURES.shape)
    kernel = layer.branches[1][0].kernel
    changed = np.array(kernel)
    middle = changed[1, 1].copy()
    changed[:] = RANDOM.normal(size=changed.shape)
    changed[1, 1] = middle
    before = np.asarray(layer(FEATURES))
    kernel.assign(changed)
    np.testing.assert_array_equal(layer(FEATURES), before)


@pytest.mark.parametrize("how", [{"filters": 0}, {"rates": ()}, {"rates": (6, 0)}])
def test_errors(how):
    with pytest.raises(ValueError, match="filters and rates must be at least 1"):
        AtrousSpatialPyramidPooling(**how)


def test_wrong_input():
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\)"):
        AtrousSpatialPyramidPooling(4)(keras.ops.ones((2, 3)))
