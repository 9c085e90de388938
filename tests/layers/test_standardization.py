import numpy as np
import pytest

from tests import checks
from toolkit.layers import Standardization

VALUES = np.random.default_rng(0).normal(3.0, 5.0, (4, 6, 3)).astype("float32")


def test_gate():
    def make():
        layer = Standardization(name="standardize")
        layer.build((None, None, 3))
        layer.adapt([3.0, 3.0, 0.0], [5.0, 2.0, 1.0])
        return layer

    checks.check_layer(make, VALUES)


def test_standardizes_and_back():
    layer = Standardization()
    layer.build((None, None, 3))
    mean, scale = VALUES.mean(axis=(0, 1)), VALUES.std(axis=(0, 1))
    layer.adapt(mean, scale)
    output = np.asarray(layer(VALUES))
    np.testing.assert_allclose(output.mean(axis=(0, 1)), 0.0, atol=1e-5)
    np.testing.assert_allclose(output.std(axis=(0, 1)), 1.0, atol=1e-5)
    np.testing.assert_allclose(layer.inverse(output), VALUES, atol=1e-4)
    assert not layer.trainable_variables and len(layer.weights) == 2


@pytest.mark.parametrize("mean, scale", [([0.0], [1.0]), ([0.0] * 3, [1.0, 0.0, 1.0]), ([np.nan] * 3, [1.0] * 3)])
def test_bad_statistics(mean, scale):
    layer = Standardization()
    layer.build((None, 3))
    with pytest.raises(ValueError, match="standardization"):
        layer.adapt(mean, scale)
