"""What the shipped WaveNet of spoken digits is said to do."""

import itertools
import json

import keras
import numpy as np
import pytest

from toolkit.data.audio import tracks
from toolkit.generation import speaking
from toolkit.generation.audio import SoundGenerator
from toolkit.methods import speech_classification
from toolkit.serving.speech_file import SpeechFile
from toolkit.training.shipping import shipped

pytestmark = pytest.mark.claims


def test_size_and_figures():
    folder = shipped("wavenet")
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 6e6
    card = json.loads((folder / "card.json").read_text())
    assert all(file["builtin_ops_only"] for file in card["files"].values())
    measured = {name: found["bits_per_sample"] for name, found in card["measured"].items()}
    assert max(measured.values()) - min(measured.values()) < 0.02 and max(measured.values()) < 4.6
    assert card["metrics"]["bits_per_sample_of_another_speaker"] > card["metrics"]["bits_per_sample"] + 1


def test_each_speaker_says_each_digit():
    """As heard by the classifier that was trained on real takes; chance is 17 and 10 %."""
    model, judge = (keras.saving.load_model(shipped("wavenet") / f"{name}.keras") for name in ("model", "judge"))
    inventory = model.get_layer("inventory").get_config()
    pairs = itertools.product(range(len(inventory["speakers"])), inventory["units"][1:])
    asked = [speaking.Asked(speaker, tracks.track([digit], inventory)) for speaker, digit in pairs] * 2
    written = speaking.speak(SoundGenerator(model), asked, seed=1)
    sounds = [(sound, *each) for sound, each in zip(written, asked, strict=True)]
    heard = speech_classification.heard(judge, sounds, inventory["num_states"])
    print(heard)
    assert heard.speaker_percent > 85 and heard.units_percent > 55


def test_the_file_speaks():
    file = SpeechFile(shipped("wavenet"))
    sound = file.write("7 2", "theo", seed=3)
    assert 0.4 < len(sound) / file.sample_rate < 1.5 and 0.05 < np.abs(sound).max() <= 1
    np.testing.assert_array_equal(sound, file.write("7 2", "theo", seed=3))
