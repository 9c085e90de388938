"""An untrained network, exported whole without any recipe."""

import json
import math

import numpy as np
import pytest

from toolkit import export, generation, models
from toolkit.data.audio.speech import Example
from toolkit.export.interpreter import tflite_caller
from toolkit.serving.wavenet import wavenet

# In `./run test` the recipe of such a network exports it.
pytestmark = pytest.mark.slow

RATE = 1000
INVENTORY = {"speakers": list("abc"), "units": list("vwxyz"), "unit_lengths": [30] * 5, "sample_rate": RATE}


def served(**how):
    model = models.wavenet.wavenet(
        [1, 2, 32],
        filters=6,
        skip_filters=8,
        num_levels=64,
        num_speakers=3,
        num_units=5,
        condition_size=4,
        hop=20,
        inventory=INVENTORY,
        **how,
    )
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) / (3 if w.ndim > 1 else 1) for w in model.get_weights()])
    sounds = [
        Example(random.uniform(-1, 1, time), random.integers(3), random.integers(0, 5, time // 20).repeat(20), "")
        for time in (80, 60, 200)
    ]
    how = {"max_seconds": 0.3, "passage": 80, "compared": 60}
    return model, sounds, wavenet(model, measured=sounds, typical=sounds, **how)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model, sounds, offered = served()
    folder = tmp_path_factory.mktemp("wavenet") / "export"
    export.write(folder, **offered.arguments(), quantize="int8")
    return folder, model, sounds, offered


def test_card_and_measure(exported):
    folder, model, sounds, _ = exported
    card = json.loads((folder / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score", "read_units"}
    assert (card["units"], card["receptive_field"]) == (list("vwxyz"), 36)
    generator, nats = generation.audio.SoundGenerator(model), 0.0
    for sound in sounds:
        audio = sound.waveform[None, :80].astype("float32")
        conditions = {"speaker": [sound.speaker], "units": sound.units[None, ::20]}
        nats += float(generator.score(audio, [audio.shape[1]], **conditions)["nats"][0])
    bits = nats / math.log(2) / 220
    np.testing.assert_allclose(card["measured"]["model.tflite"]["bits_per_sample"], bits, rtol=1e-4)
    assert 0 < abs(card["measured"]["model_int8.tflite"]["bits_per_sample"] - bits) < 0.5


def test_what_is_compared_lies_on_the_grid_of_levels(exported):
    _, model, _, offered = exported
    levels, audio = model.get_layer("levels"), offered.examples["score"]["audio"]
    np.testing.assert_array_equal(levels.inverse(levels(audio)), audio)


def test_step_by_step_is_the_whole(exported):
    folder, _, _, offered = exported
    call, asked = tflite_caller(folder / "model.tflite"), offered.examples["generate_from_noise"]
    whole = call("generate_from_noise", **asked)
    assert whole["length"].tolist() == [60] and not whole["audio"][0, 60:].any()
    step = dict(offered.examples["step"])
    np.testing.assert_allclose(step["frames"], call("read_units", units=asked["units"])["frames"], atol=1e-5)
    for t in range(60):
        now = call("step", **{**step, "noise": asked["noise"][:, t]})
        np.testing.assert_allclose(now["audio"][0], whole["audio"][0, t], atol=1e-5)
        step |= {"level": now["next_level"], "queues": now["next_queues"], "position": now["next_position"]}


WRONG = [
    {"seconds": 1e9},
    {"seconds": math.nan},
    {"seconds": -1.0},
    {"temperature": math.inf},
    {"speaker": -7},
    {"units": 2**31 - 1},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_whatever_is_asked_the_answer_is_sound(exported, wrong):
    folder, _, _, offered = exported
    asked = offered.examples["generate"]
    asked = asked | {name: np.full_like(asked[name], value) for name, value in wrong.items()}
    written = tflite_caller(folder / "model.tflite")("generate", **asked)
    expected = {"seconds": 300 if wrong.get("seconds") == 1e9 else 0}
    assert written["length"][0] == expected.get(next(iter(wrong)), 60)
    assert np.isfinite(written["audio"]).all() and np.abs(written["audio"]).max() <= 1


def test_errors():
    model = models.wavenet.wavenet([1], 4, 4, num_speakers=2)
    with pytest.raises(ValueError, match="does not know what its speech is made of"):
        wavenet(model, max_seconds=1)
    model = models.wavenet.wavenet([1], 4, 4, num_speakers=2, inventory=INVENTORY)
    with pytest.raises(ValueError, match="The network reads 2 speakers, and its inventory has 3"):
        wavenet(model, max_seconds=1)
    model = models.wavenet.wavenet([1], 4, 4, num_speakers=3, inventory=INVENTORY)
    with pytest.raises(ValueError, match="must be at least 1; got 0, 4000 and 200"):
        wavenet(model, max_seconds=0)


def test_logistics(tmp_path):
    offered = served(output="logistic_mixture", num_mixtures=2)[2]
    report = export.write(tmp_path / "export", **offered.arguments())
    assert report.card["measured"]["model.tflite"]["bits_per_sample"] > 0
