import numpy as np
import pytest

from toolkit.generation.audio import SoundGenerator
from toolkit.generation.invented_speech import SpeechInventor
from toolkit.generation.voice_conversion import VoiceConverter
from toolkit.models import vqvae_sound, wavenet


@pytest.fixture(scope="module")
def networks():
    how = {"num_embeddings": 16, "num_downsamplings": 2, "encoder_filters": 6, "num_speakers": 2, "num_levels": 32}
    model = vqvae_sound.vqvae_sound([1, 2], 6, 8, **how)
    prior = wavenet.wavenet([1, 2], 6, 8, num_levels=16, codes=True, num_speakers=2)
    random = np.random.default_rng(0)
    for layer in model.layers + prior.layers:
        if layer.name not in ("quantizer", "encoded"):
            layer.set_weights([random.normal(size=w.shape) / (2 if w.ndim > 1 else 4) for w in layer.get_weights()])
    return prior, VoiceConverter(model)


def test_drawn_codes_are_what_is_spoken(networks):
    prior, converter = networks
    codes, sounds = SpeechInventor(prior, converter).invent([0, 1, 1], 30, seed=4)
    assert codes.shape == (3, 8) and codes.dtype == np.int32 and len(np.unique(codes)) > 4
    np.testing.assert_array_equal(codes, SoundGenerator(prior).write(8, num_sounds=3, speaker=[0, 1, 1], seed=4))
    expected = converter.writer.write(30, num_sounds=3, speaker=[0, 1, 1], units=codes, seed=4)
    np.testing.assert_array_equal(sounds, expected)


def test_codes_follow_the_speaker_and_a_low_temperature_the_likeliest(networks):
    inventor = SpeechInventor(*networks)
    codes = inventor.draw([0] * 200 + [1] * 200, 6)
    shares = [np.bincount(half[:, 0], minlength=16) / 200 for half in np.split(codes, 2)]
    for who, share in enumerate(shares):
        logits = networks[0]({"audio": np.zeros((1, 1)), "speaker": np.array([who])})[0, 0]
        np.testing.assert_allclose(share, np.exp(logits) / np.exp(logits).sum(), atol=0.12)
    assert len(np.unique(inventor.draw([1] * 9, 6, temperature=0.0), axis=0)) == 1


def test_a_temperature_of_0_invents_the_same_whatever_the_seed(networks):
    inventor = SpeechInventor(*networks)
    (codes, sounds), (others, again) = (inventor.invent([0, 1], 20, temperature=0.0, seed=seed) for seed in (1, 2))
    np.testing.assert_array_equal(codes, others)
    np.testing.assert_array_equal(sounds, again)
    (_, sounds), (_, again) = (inventor.invent([0, 1], 20, seed=seed) for seed in (1, 2))
    assert np.abs(np.subtract(sounds, again)).max() > 0


def test_errors(networks):
    other = wavenet.wavenet([1], 4, 4, num_levels=8, codes=True)
    with pytest.raises(ValueError, match="writes 8 codes, and the decoder speaks 16"):
        SpeechInventor(other, networks[1])
    with pytest.raises(ValueError, match="num_sounds must be at least 1"):
        SpeechInventor(*networks).draw([], 3)
