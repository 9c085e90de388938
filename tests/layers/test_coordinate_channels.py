import numpy as np
import pytest

from tests import checks
from toolkit.layers import CoordinateChannels


def test_gate():
    checks.check_layer(lambda: CoordinateChannels(name="coordinates"), np.ones((2, 3, 4, 5), "float32"))


def test_is_numpys_grid():
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 2)).astype("float32")
    found = np.asarray(CoordinateChannels()(x))
    grid = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 3), np.linspace(-0.5, 0.5, 5), indexing="ij"), axis=-1)
    np.testing.assert_allclose(found, np.concatenate([x, [grid] * 2], axis=-1), atol=1e-6)
    np.testing.assert_array_equal(CoordinateChannels()(x[:, :1, :1])[..., 2:], np.full((2, 1, 1, 2), -0.5))


def test_errors():
    with pytest.raises(ValueError, match=r"expected \(batch, height, width, channels\); got shape \(2, 3, 4\)"):
        CoordinateChannels()(np.ones((2, 3, 4)))
