import keras
import numpy as np
import pytest

from tests import checks
from toolkit.layers import SpeechInventory

HOW = {"speakers": ["théo", "ann"], "units": ["_", "a", "犬"], "unit_lengths": [80, 90.5, 100], "sample_rate": 8000}
AUDIO = np.random.default_rng(0).uniform(-1, 1, (4, 30)).astype("float32")


def test_gate():
    checks.check_layer(lambda: SpeechInventory(**HOW, num_states=2, name="inventory"), AUDIO)


def test_a_saved_network_says_what_it_speaks(tmp_path):
    inputs = keras.Input((None,))
    keras.Model(inputs, SpeechInventory(**HOW, name="inventory")(inputs)).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    config = model.get_layer("inventory").get_config()
    assert {name: config[name] for name in HOW} == HOW and config["num_states"] == 1
    np.testing.assert_array_equal(model(AUDIO), AUDIO)


@pytest.mark.parametrize(
    "how, told",
    [
        ({"speakers": ["a", "b", "a", "c", "c", "c"]}, "speakers: expected each once, .* got a, c more than once"),
        ({"units": []}, "units: expected each once, and one at least; got none"),
        ({"unit_lengths": [1.0]}, "1 unit_lengths for 3 units"),
    ],
)
def test_errors(how, told):
    with pytest.raises(ValueError, match=told):
        SpeechInventory(**(HOW | how))
