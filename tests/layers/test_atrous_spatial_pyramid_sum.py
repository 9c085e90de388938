import keras
import numpy as np
import pytest

from tests import checks
from tests.layers.atrous import atrous
from toolkit.layers import AtrousSpatialPyramidSum

FEATURES = np.random.default_rng(0).normal(size=(2, 9, 7, 3)).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("filters", [0, 5])
def test_gate(filters):
    checks.check_layer(
        lambda: AtrousSpatialPyramidSum(4, (1, 3), filters, name="pyramid"), FEATURES, precision_tolerance=2.0
    )


def test_formula():
    layer = AtrousSpatialPyramidSum(4, (2, 5), filters=6)
    layer.build(FEATURES.shape)
    for weight in layer.weights:  # biases too
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    expected = 0.0
    for branch, rate in zip(layer.branches, (2, 5), strict=True):
        first, second, scores = (
            [np.asarray(each) for each in part.weights] for part in branch if isinstance(part, keras.layers.Conv2D)
        )
        x = np.maximum(atrous(FEATURES, first[0], rate) + first[1], 0)
        x = np.maximum(x @ second[0][0, 0] + second[1], 0)
        expected = expected + x @ scores[0][0, 0] + scores[1]
    np.testing.assert_allclose(layer(FEATURES), expected, atol=1e-4)


def test_large_field_of_view_is_one_branch():
    layer = AtrousSpatialPyramidSum(21, (12,), filters=1024)
    layer.build((1, 41, 41, 512))
    fc6, fc7, scores = 512 * 9 * 1024 + 1024, 1024 * 1024 + 1024, 1024 * 21 + 21
    assert layer.count_params() == fc6 + fc7 + scores


def test_errors():
    with pytest.raises(ValueError, match="outputs and rates must be at least 1"):
        AtrousSpatialPyramidSum(0)
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\)"):
        AtrousSpatialPyramidSum(4)(keras.ops.ones((2, 3)))
