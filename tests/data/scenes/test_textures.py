import numpy as np
import pytest

from toolkit.data.scenes.textures import TEXTURES, clouds

AXIS = np.linspace(-1, 1, 101)
X, Y = np.meshgrid(AXIS, AXIS)


@pytest.mark.parametrize("name", TEXTURES)
def test_textures_are_light_and_dark(name):
    random = np.random.default_rng(0)
    for _ in range(20):
        found = TEXTURES[name](X, Y, random.random(3))
        assert found.shape == X.shape and 0 <= found.min() <= found.max() <= 1
        if name != "plain":
            assert found.min() < 0.2 and found.max() > 0.8
            assert 0.1 < found.mean() < 0.9


def test_clouds_are_smooth():
    found = clouds(64, np.random.default_rng(0))
    assert found.shape == (64, 64) and 0.5 < np.ptp(found) <= 2.1
    assert np.abs(np.diff(found, axis=0)).max() < 0.2 and np.abs(np.diff(found, axis=1)).max() < 0.2
