import keras
import numpy as np
import pytest

from toolkit.models.speech_classifier import speech_classifier

INVENTORY = {"speakers": ["ann", "bob"], "units": ["_", "a", "m"], "unit_lengths": [8] * 3, "sample_rate": 8000}


@pytest.mark.parametrize("num_layers", [0, 2])
def test_a_frame_for_each_hop_and_kept_names(num_layers, tmp_path):
    model = speech_classifier(INVENTORY, filters=4, num_layers=num_layers, kernel_size=3)
    audio = np.random.default_rng(0).uniform(-1, 1, (2, 330)).astype("float32")
    found = model.predict(audio, verbose=0)
    assert {name: each.shape for name, each in found.items()} == {"speaker": (2, 5, 2), "units": (2, 5, 3)}
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.get_layer("inventory").units == INVENTORY["units"]
    np.testing.assert_allclose(again.predict(audio, verbose=0)["units"], found["units"], atol=1e-5)


def test_without_layers_it_is_linear_in_the_mel_spectrogram():
    model = speech_classifier(INVENTORY, num_layers=0, kernel_size=3)
    head = keras.Model(model.get_layer("mels").output, model.output)
    random = np.random.default_rng(0)
    a, b = (random.normal(size=(1, 6, 40)).astype("float32") for _ in range(2))
    between = head((a + b) / 2)["units"]
    np.testing.assert_allclose(between, (head(a)["units"] + head(b)["units"]) / 2, atol=1e-4)


def test_errors():
    with pytest.raises(ValueError, match="num_layers must be at least 0"):
        speech_classifier(INVENTORY, num_layers=-1)
