import keras
import numpy as np
import pytest

from toolkit.models import wavenet
from toolkit.models.wavenet_recognizer import wavenet_recognizer


def test_hears_frames():
    model = wavenet_recognizer(5, [1, 2, 4], filters=6, skip_filters=8, hop=20, frame_filters=7, num_frame_layers=2)
    audio = np.random.default_rng(1).uniform(-1, 1, (2, 110)).astype("float32")
    found = model(audio)
    assert found["units"].shape == (2, 5, 5) and found["samples"].shape == (2, 110, 256)
    other = audio.copy()
    other[:, 100:] = 0  # beyond the last whole frame
    np.testing.assert_allclose(model(other)["units"], found["units"], atol=1e-6)
    other[:, 60:80] = 0
    changed = np.any(np.asarray(model(other)["units"]) != np.asarray(found["units"]), axis=(0, 2))
    assert changed.tolist() == [False, True, True, True, True]  # two layers over three frames see two on each side


def test_foretells_samples_as_a_wavenet_of_the_same_weights_does(tmp_path):
    inventory = {"speakers": ["a"], "units": ["_"], "unit_lengths": [9.0], "sample_rate": 1000}
    model = wavenet_recognizer(5, [1, 2], filters=6, skip_filters=8, hop=20, frame_filters=7, inventory=inventory)
    plain = wavenet.wavenet([1, 2], 6, 8)
    for layer in plain.layers:
        if layer.weights:
            layer.set_weights(model.get_layer(layer.name).get_weights())
    audio = np.random.default_rng(1).uniform(-1, 1, (2, 50)).astype("float32")
    np.testing.assert_array_equal(model(audio)["samples"], plain({"audio": audio}))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(audio)["units"], model(audio)["units"])
    assert again.get_layer("inventory").speakers == ["a"]
    assert [block.dilation_rate for block in wavenet.blocks(again)] == [1, 2]


def test_errors():
    for how in ({"num_units": 0}, {"num_units": 3, "hop": 0}, {"num_units": 3, "num_frame_layers": -1}):
        with pytest.raises(ValueError, match="num_units and hop must be at least 1 and num_frame_layers at least 0"):
            wavenet_recognizer(**how)
