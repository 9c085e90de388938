"""Untrained networks, exported whole without any recipe."""

import numpy as np
import pytest

from toolkit import export
from toolkit.data.audio.speech import Example
from toolkit.export.interpreter import tflite_caller
from toolkit.generation.invented_speech import SpeechInventor
from toolkit.generation.voice_conversion import VoiceConverter
from toolkit.models import vqvae_sound, wavenet
from toolkit.serving.invented_speech import invented_speech

# In `./run test` the recipe of such networks exports them.
pytestmark = pytest.mark.slow

HOP, RATE = 8, 1000
INVENTORY = {"speakers": list("abc"), "units": ["_"], "unit_lengths": [30], "sample_rate": RATE}


def networks(output="categorical", **how):
    sizes = {"num_embeddings": 12, "embedding_dim": 5, "num_downsamplings": 3, "encoder_filters": 6, "num_levels": 64}
    model = vqvae_sound.vqvae_sound([1, 2], 6, 8, **sizes, num_speakers=3, output=output, inventory=INVENTORY)
    prior = wavenet.wavenet([1, 2], 6, 8, num_levels=12, codes=True, **how)
    random = np.random.default_rng(0)
    for layer in model.layers + prior.layers:
        if layer.name not in ("quantizer", "encoded"):
            layer.set_weights([random.normal(size=w.shape) / (3 if w.ndim > 1 else 1) for w in layer.get_weights()])
    return model, prior


def test_speech_is_invented_in_one_call_as_in_keras(tmp_path):
    model, prior = networks(num_speakers=3)
    sounds = [Example(np.random.default_rng(1).uniform(-1, 1, 200).astype("float32"), 1, None, "")]
    offered = invented_speech(model, prior, max_seconds=0.2, measured=sounds, compared=90)
    export.write(tmp_path / "export", **offered.arguments())
    call = tflite_caller(tmp_path / "export" / "model.tflite")
    asked = dict(offered.examples["sample_from_noise"])
    inventor = SpeechInventor(prior, VoiceConverter(model))
    for speaker in (0, 2):
        given = asked | {"speaker": np.array([speaker], "int32")}
        found = call("sample_from_noise", **given)
        assert found["length"].tolist() == [90] and not found["audio"][0, 90:].any()
        codes = inventor.writer.write(25, speaker=[speaker], noise=given["code_noise"]).astype("int32")
        np.testing.assert_array_equal(found["codes"][0, :12], codes[0, :12])
        sound = inventor.converter.writer.write(200, speaker=[speaker], units=found["codes"], noise=given["noise"])
        assert (np.abs(found["audio"] - sound)[0, :90] < 1e-5).mean() > 0.95
    free = [call("sample", **{name: asked[name] for name in ("seconds", "temperature", "speaker")}) for _ in range(2)]
    assert (free[0]["codes"] != free[1]["codes"]).any()


def test_a_prior_that_is_told_no_speaker_and_a_mixture_of_logistics():
    offered = invented_speech(*networks("logistic_mixture"), max_seconds=0.1, compared=20)
    for name in ("sample", "sample_from_noise"):
        signature = offered.signatures[name]
        found = signature.call(**signature.check_inputs(offered.examples[name], name))
        assert np.isfinite(found["audio"]).all() and np.abs(found["audio"]).max() <= 1


def test_a_prior_of_other_codes():
    model, _ = networks()
    with pytest.raises(ValueError, match="writes 9 codes, and the decoder speaks 12"):
        invented_speech(model, wavenet.wavenet([1], 4, 4, num_levels=9, codes=True), max_seconds=0.1)
