from types import SimpleNamespace

import numpy as np
import pytest

from toolkit.generation.voice_conversion import Utterance, VoiceConverter
from toolkit.models import vqvae_sound


@pytest.fixture(scope="module")
def model():
    how = {"num_embeddings": 16, "num_downsamplings": 2, "encoder_filters": 6, "num_speakers": 2, "num_levels": 32}
    model = vqvae_sound.vqvae_sound([1, 2], 6, 8, **how)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if layer.name not in ("quantizer", "encoded"):
            layer.set_weights([random.normal(size=w.shape) / (2 if w.ndim > 1 else 4) for w in layer.get_weights()])
    return model


def test_each_sound_is_spoken_through_its_own_codes(model):
    converter, random = VoiceConverter(model), np.random.default_rng(1)
    sounds = [random.uniform(-1, 1, length) for length in (50, 31, 50)]
    codes = [converter.encode(each) for each in sounds]
    assert [len(each) for each in codes] == [13, 8, 13] and converter.hop == 4
    np.testing.assert_array_equal(codes[1], vqvae_sound.encoder(model)(sounds[1][None].astype("float32"))[0])
    found = converter.convert([sounds[0], sounds[1], sounds[0]], [0, 1, 1], seed=3)
    # As the decoder writes, of the same codes and noise; the last code of the shorter one stays.
    units = np.stack([codes[0], np.pad(codes[1], (0, 5), "edge"), codes[0]])
    expected = converter.writer.write(50, num_sounds=3, speaker=[0, 1, 1], units=units, seed=3)
    assert [len(each) for each in found] == [50, 31, 50]
    for sound, whole in zip(found, expected, strict=True):
        np.testing.assert_array_equal(sound, whole[: len(sound)])
    noise = np.random.default_rng(3).uniform(size=(1, 50))
    voices = [converter.writer.write(50, speaker=[who], units=codes[0], noise=noise) for who in (0, 1)]
    assert (voices[0] != voices[1]).any()


def test_kinds_are_spoken_together_each_by_its_own_speaker(model):
    converter, random = VoiceConverter(model), np.random.default_rng(2)
    recordings = [SimpleNamespace(waveform=random.uniform(-1, 1, n), speaker=who) for n, who in ((40, 0), (21, 1))]
    mine = converter.utterances(recordings)
    asked = {"rebuilt": mine, "converted": [each._replace(speaker=1 - each.speaker) for each in mine]}
    assert [each.speaker for each in mine] == [0, 1]
    assert [each.length for each in asked["converted"]] == [40, 21]
    asked["short"] = [Utterance(np.array([3, 3]), 1, 7)]
    found = converter.speak_kinds(asked, temperature=0.5, seed=4)
    codes = [converter.encode(each.waveform) for each in recordings]
    every = [*codes, *codes, [3, 3]]
    expected = converter.decode(every, [0, 1, 1, 0, 1], [40, 21, 40, 21, 7], temperature=0.5, seed=4)
    assert list(found) == ["rebuilt", "converted", "short"]
    for sound, own in zip([each for its in found.values() for each in its], expected, strict=True):
        np.testing.assert_array_equal(sound, own)


def test_errors(model):
    with pytest.raises(ValueError, match="a speaker and a length for each of 1 sounds; got 2 and 1"):
        VoiceConverter(model).convert([np.zeros(9)], [0, 1])
    with pytest.raises(ValueError, match="for each of 1 sounds; got 1 and 2"):
        VoiceConverter(model).decode([[1, 2]], [0], [8, 3])
