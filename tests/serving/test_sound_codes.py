"""An untrained network, exported whole without any recipe."""

import json
import math

import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.audio.speech import Example
from toolkit.export.interpreter import tflite_caller
from toolkit.generation.audio import SoundGenerator
from toolkit.methods import sound_likelihood
from toolkit.models import vqvae_sound
from toolkit.serving.sound_codes import sound_codes

# In `./run test` the recipe of such a network exports it.
pytestmark = pytest.mark.slow

RATE, HOP = 1000, 8
INVENTORY = {"speakers": list("abc"), "units": list("vwxyz"), "unit_lengths": [30] * 5, "sample_rate": RATE}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    model = vqvae_sound.vqvae_sound(
        [1, 2, 32],
        filters=6,
        skip_filters=8,
        num_embeddings=12,
        embedding_dim=5,
        num_downsamplings=3,
        encoder_filters=6,
        num_levels=64,
        num_speakers=3,
        condition_size=4,
        inventory=INVENTORY,
    )
    random = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name not in ("quantizer", "encoded"):
            layer.set_weights([random.normal(size=w.shape) / (3 if w.ndim > 1 else 1) for w in layer.get_weights()])
    sounds = [
        Example(random.uniform(-1, 1, time).astype("float32"), random.integers(3), None, "") for time in (80, 60, 400)
    ]
    sound_likelihood.compiled(model).fit(*pairs(model, sounds[2], 320), verbose=0)  # of k-means a step
    offered = sound_codes(model, max_seconds=0.32, measured=sounds, typical=sounds, compared=60)
    folder = tmp_path_factory.mktemp("sound_codes") / "export"
    export.write(folder, **offered.arguments(), quantize="int8")
    return folder, model, sounds, offered


def pairs(model, sound, time):
    audio = sound.waveform[None, :time]
    batch = {"audio": audio, "mask": np.ones(audio.shape, bool), "speaker": np.array([sound.speaker], "int32")}
    inputs, levels, _ = sound_likelihood.pairs(model)(batch)
    return {name: np.asarray(value) for name, value in inputs.items()}, np.asarray(levels)


def test_card_and_measure(exported):
    folder, model, sounds, _ = exported
    card = json.loads((folder / "card.json").read_text())
    names = {"encode", "decode", "decode_from_noise", "convert", "read_codes", "step", "score"}
    assert set(card["signatures"]) == names
    assert (card["codes"], card["samples_per_code"], card["inventory"]["units"]) == (12, HOP, list("vwxyz"))
    np.testing.assert_allclose(card["bits_per_second"], math.log2(12) * RATE / HOP, rtol=1e-6)
    nats = 0.0
    for sound in sounds:
        inputs, levels = pairs(model, sound._replace(waveform=np.pad(sound.waveform, (0, 320))), 320)
        each = SoundGenerator(vqvae_sound.decoder(model)).nats(model(inputs), levels).numpy()
        nats += each[:, : len(sound.waveform)].sum()
    bits = nats / math.log(2) / (80 + 60 + 320)
    np.testing.assert_allclose(card["measured"]["model.tflite"]["bits_per_sample"], bits, rtol=1e-4)
    assert 0 < abs(card["measured"]["model_int8.tflite"]["bits_per_sample"] - bits) < 1


def test_a_voice_becomes_another_in_one_call(exported):
    folder, model, sounds, offered = exported
    call, asked = tflite_caller(folder / "model.tflite"), offered.examples["convert"]
    codes = call("encode", audio=asked["audio"])["codes"]
    assert codes.shape == (1, 40) and len(np.unique(codes)) > 3
    np.testing.assert_array_equal(codes, vqvae_sound.encoder(model)(asked["audio"]))
    written = call("convert", **{**asked, "speaker": np.array([2], "int32")})
    # What comes after the sound is not heard.
    heard = np.where(np.arange(320) < asked["length"], asked["audio"], 0)
    np.testing.assert_array_equal(written["codes"], call("encode", audio=heard.astype("float32"))["codes"])
    assert written["length"].tolist() == [80] and not written["audio"][0, 80:].any() and written["audio"][0, :80].any()


def test_what_is_decoded_has_the_speaker_and_the_codes(exported):
    folder, model, _, offered = exported
    call, asked = tflite_caller(folder / "model.tflite"), dict(offered.examples["decode_from_noise"])
    asked["seconds"] = np.array([0.1], "float32")
    for changed in ({}, {"speaker": np.array([2], "int32")}, {"codes": (asked["codes"] + 3) % 12}):
        given = asked | changed
        written = call("decode_from_noise", **given)["audio"][:, :100]
        writer = SoundGenerator(vqvae_sound.decoder(model))
        expected = writer.write(100, speaker=given["speaker"], units=given["codes"], noise=given["noise"][:, :100])
        assert (np.abs(written - expected) < 1e-5).mean() > 0.98


WRONG = [
    {"audio": math.nan},
    {"audio": 1e9},
    {"length": -5},
    {"length": 2**31 - 1},
    {"speaker": -7},
    {"temperature": math.inf},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_whatever_is_asked_the_answer_is_sound(exported, wrong):
    folder, _, _, offered = exported
    asked = offered.examples["convert"]
    asked = asked | {name: np.full_like(asked[name], value) for name, value in wrong.items()}
    written = tflite_caller(folder / "model.tflite")("convert", **asked)
    assert written["length"][0] == {-5: 0, 2**31 - 1: 320}.get(wrong.get("length"), 80)
    assert np.isfinite(written["audio"]).all() and np.abs(written["audio"]).max() <= 1


def test_without_sounds_and_speakers():
    inventory = INVENTORY | {"speakers": ["a"]}
    model = vqvae_sound.vqvae_sound([1, 2], 4, 4, num_embeddings=8, encoder_filters=4, inventory=inventory)
    served = sound_codes(model, max_seconds=0.2)
    assert served.measure is None and "speaker" not in served.signatures["convert"].inputs
    for name, each in served.examples.items():
        found = served.signatures[name].call(**served.signatures[name].check_inputs(each, name))
        assert all(np.isfinite(value).all() for value in found.values())


def test_errors():
    model = models.vqvae_sound.vqvae_sound([1], 4, 4, num_embeddings=8, encoder_filters=4)
    with pytest.raises(ValueError, match="does not know what its speech is made of"):
        sound_codes(model, max_seconds=1)
