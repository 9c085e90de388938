import keras
import numpy as np
import pytest

from toolkit import data
from toolkit.generation.speaking import Asked
from toolkit.methods import speech_classification
from toolkit.models.speech_classifier import speech_classifier

INVENTORY = {"speakers": ["a", "b"], "units": ["_", "x", "y"], "unit_lengths": [80] * 3, "sample_rate": 8000}


def test_pairs_give_each_frame_what_is_said_in_its_middle():
    model = speech_classifier(INVENTORY, hop=20, num_layers=0)
    units = np.repeat([[2, 3, 4, 5]], 15, axis=1).reshape(1, 60).astype("int32")
    batch = {"audio": np.zeros((1, 60), "float32"), "mask": np.arange(60)[None] < 45, "speaker": np.array([1])}
    audio, targets, weights = speech_classification.pairs(model, num_states=2)({**batch, "units": units})
    assert np.asarray(targets["units"]).tolist() == [(units[0, [10, 30, 50]] // 2).tolist()]
    assert np.asarray(targets["speaker"]).tolist() == [[1, 1, 1]] and audio.shape == (1, 60)
    assert np.asarray(weights["units"]).tolist() == np.asarray(weights["speaker"]).tolist() == [[1, 1, 0]]


class Says:
    """A classifier that always says the same, by frames."""

    def __init__(self, speaker, units):
        self.logits = {
            name: np.log(np.eye(3)[list(each)] + 1e-3) for name, each in (("speaker", speaker), ("units", units))
        }

    def predict(self, audio, **_):
        return {name: np.stack([each[: audio.shape[1] // 10]] * len(audio)) for name, each in self.logits.items()}

    def get_layer(self, name):
        return type("Layer", (), {"hop": 10, "units": ["_", "x", "y"]})


def test_shares_are_counted_by_sounds_stretches_and_frames():
    says = Says(speaker=[1, 1, 0, 0, 0, 0], units=[1, 1, 2, 2, 2, 2])
    one = (np.zeros(60), 0, np.repeat([2, 2, 3, 4, 5, 4], 10))  # with 2 states: x x x y y y
    short = (np.zeros(30), 1, np.repeat([2, 3, 4], 10))  # x x y
    found = speech_classification.heard(says, [one, short], num_states=2)
    assert found.speaker_percent == 100 and found.speaker_chance_percent == 50
    # Heard are x x y y y y: of the first sound's three frames of x two, of the short one's all.
    assert found.frame_percent == pytest.approx(100 * (5 + 3) / 9)
    assert found.units_percent == 100 and found.units_chance_percent == 50
    late = (np.zeros(60), 0, np.repeat([2, 4, 4, 4, 5, 5], 10))  # x y y y y y: all frames decide, not the first
    assert speech_classification.heard(says, [late], num_states=2).units_percent == 100
    wrong = (np.zeros(30), 0, np.repeat([4, 4, 2], 10))  # y y x, of which x x y is heard
    found = speech_classification.heard(says, [short, wrong], num_states=2)
    assert found.units_percent == 50 and found.frame_percent == 50
    with pytest.raises(ValueError, match="sounds: expected one at least"):
        speech_classification.heard(says, [])


@pytest.mark.slow
def test_embedded_speakers_and_units_are_told_apart():
    keras.utils.set_random_seed(0)
    speech = data.audio.load("embedded:1.5:2", sample_rate=8000, window=4000, batch_size=8)
    model = speech_classifier(speech.inventory, filters=32, num_layers=2)
    speech_classification.compiled(model, keras.optimizers.Adam(5e-3))
    batches = speech.splits.train.map(speech_classification.pairs(model)).dataset(num_epochs=4)
    model.fit(batches, shuffle=False, verbose=0)
    found = speech_classification.heard(model, [each[:3] for each in speech.examples("test")])
    assert found.speaker_percent == 100 and found.units_percent > 60 > 3 * found.units_chance_percent


def test_kinds_of_sounds_are_heard_beside_chance():
    says = Says(speaker=[1, 1, 1], units=[1, 1, 2])
    asked = [Asked(1, np.repeat([1, 1, 2], 10)), Asked(0, np.repeat([2, 2, 2], 10))]
    sounds, others = [np.zeros(30)] * 2, [each._replace(speaker=1) for each in asked]
    kinds = {"real": (sounds, asked), "converted": (sounds, others)}
    assert speech_classification.heard_beside_chance(says, kinds) == {
        "speaker_heard_in_real_percent": 50,
        "units_heard_in_real_percent": pytest.approx(200 / 3),
        "speaker_heard_in_converted_percent": 100,
        "units_heard_in_converted_percent": pytest.approx(200 / 3),
        "speaker_chance_percent": 100,
        "units_chance_percent": pytest.approx(200 / 3),
    }


def test_of_units_that_are_not_known_nothing_is_said(monkeypatch):
    says = Says(speaker=[1, 1], units=[0, 0])
    monkeypatch.setattr(says, "get_layer", lambda name: type("Layer", (), {"hop": 10, "units": ["_"]}))
    found = speech_classification.heard_beside_chance(says, {"real": ([np.zeros(20)], [Asked(1, np.zeros(20, int))])})
    assert found == {"speaker_heard_in_real_percent": 100, "speaker_chance_percent": 100}


def test_frechet_distances_are_of_whole_frames_alone():
    model, random = speech_classifier(INVENTORY, hop=20, filters=4), np.random.default_rng(0)
    real = [random.uniform(-1, 1, length) for length in (400, 650)]
    quiet = [each / 50 for each in real]
    found = speech_classification.frechet_distances(model, real, {"same": real, "quiet": quiet})
    assert abs(found["frechet_distance_of_same"]) < 1e-6 < found["frechet_distance_of_quiet"]
    # Each by itself, from the last layer's own weights: no frame of padding counts.
    seen = keras.Model(model.input, model.get_layer("units").input)
    one, other = (
        np.concatenate([seen(np.pad(each, (0, 660 - len(each)))[None])[0, : len(each) // 20] for each in sounds])
        for sounds in (real, quiet)
    )
    assert len(one) == 20 + 32
    means, spreads = [each.mean(axis=0) for each in (one, other)], [np.cov(each.T) for each in (one, other)]
    roots = np.sqrt(np.maximum(np.real(np.linalg.eigvals(spreads[0] @ spreads[1])), 0))
    expected = np.square(means[0] - means[1]).sum() + np.trace(spreads[0] + spreads[1]) - 2 * roots.sum()
    np.testing.assert_allclose(found["frechet_distance_of_quiet"], expected, rtol=1e-3)
