import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import MuLaw


def test_gate():
    audio = np.random.default_rng(0).uniform(-1.2, 1.2, (3, 50)).astype("float32")
    checks.check_layer(lambda: MuLaw(name="levels"), audio, precision_tolerance=0)  # exact under every policy


@pytest.mark.parametrize("num_levels, mu", [(256, None), (64, None), (256, 0), (65_536, 0), (256, 20.0)])
def test_exact_on_its_grid(num_levels, mu):
    layer, levels = MuLaw(num_levels, mu), np.arange(num_levels)
    audio = np.asarray(layer.inverse(levels))
    np.testing.assert_array_equal(layer(audio), levels)
    assert audio.min() == -1 and audio.max() == 1 and (np.diff(audio) > 0).all()


def test_is_the_formula():
    """In float64, by NumPy, where the rounding of float32 does not decide."""
    audio = np.random.default_rng(1).uniform(-1, 1, 5000).astype("float32")
    place = (np.sign(audio) * np.log1p(255 * np.abs(audio.astype("float64"))) / np.log(256) + 1) / 2 * 255 + 0.5
    clear = np.abs(place - np.round(place)) > 1e-3
    np.testing.assert_array_equal(np.asarray(MuLaw()(audio))[clear], np.floor(place)[clear].astype("int32"))


def test_beyond_the_range_and_no_number():
    layer = MuLaw()
    levels = np.asarray(layer(np.array([-9.0, 9.0, np.inf, -np.inf, np.nan, 0.0], "float32")))
    assert levels.tolist()[:4] == [0, 255, 255, 0] and 0 <= levels[4] <= 255 and levels[5] == layer.silence == 128


def test_on_the_grid_no_rounding_decides():
    layer, audio = MuLaw(), np.random.default_rng(2).uniform(-1, 1, (3, 400)).astype("float32")
    found = np.asarray(layer.on_grid(audio))
    np.testing.assert_array_equal(layer(found), layer(audio))
    for factor in (1 - 1e-5, 1 + 1e-5):
        np.testing.assert_array_equal(layer(found * np.float32(factor)), layer(found))


def test_errors():
    for how, told in (({"num_levels": 1}, "num_levels must be between 2"), ({"mu": -1}, "mu must be between 0")):
        with pytest.raises(ValueError, match=told):
            MuLaw(**how)
    assert keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(MuLaw(64, 9))).mu == 9
