"""What van den Oord et al. 2017 say of the codes of speech, of two voices that can say four tones."""

import keras
import numpy as np
import pytest

from toolkit.generation.voice_conversion import VoiceConverter
from toolkit.methods import sound_likelihood
from toolkit.metrics.many_to_one_accuracy import many_to_one_accuracy
from toolkit.models.vqvae_sound import vqvae_sound

pytestmark = pytest.mark.claims

PERIODS, TONE, TONES = (6, 9, 14, 22), 96, 6  # samples of a period and of a tone, tones of a sound
HOP = 16


def voices(seed, number):
    """Sounds of tones in a row by a soft voice, 0, and a harsh one, 1: sound, speaker, the tone of each sample."""
    random = np.random.default_rng(seed)
    speaker = random.integers(0, 2, number)
    tones = random.integers(0, len(PERIODS), (number, TONES)).repeat(TONE, axis=1)
    phase = random.uniform(0, 2 * np.pi, (number, 1)) + np.cumsum(2 * np.pi / np.array(PERIODS)[tones], axis=1)
    wave = np.where(speaker[:, None], 0.4 * np.tanh(8 * np.sin(phase)), 0.5 * np.sin(phase))
    return (wave + random.normal(0, 0.01, wave.shape)).astype("float32"), speaker, tones


def heard(sounds):
    """By spectrum and shape of each tone's middle, no network: the nearest tone, and whether the voice is harsh."""
    parts = np.reshape(sounds, (len(sounds), TONES, TONE))[..., TONE // 4 :]
    power = np.square(np.abs(np.fft.rfft(parts * np.hanning(parts.shape[-1]), 1024)))
    period = 1024 / np.maximum(power[..., 8:].argmax(axis=-1) + 8, 1)
    tone = np.abs(np.log(period[..., None] / np.array(PERIODS))).argmin(axis=-1)
    crest = np.quantile(np.abs(parts), 0.95, axis=-1) / np.sqrt(np.square(parts).mean(axis=-1))
    return tone, crest < 1.22


@pytest.fixture(scope="module")
def converter():
    """Trained for 256 steps, told who speaks and not what."""
    keras.utils.set_random_seed(0)
    how = {"num_embeddings": 32, "embedding_dim": 16, "num_downsamplings": 4, "encoder_filters": 32, "num_levels": 64}
    model = vqvae_sound([1, 2, 4, 8, 16], 24, 64, **how, num_speakers=2)
    sound, speaker, tones = voices(0, 2048)
    batch = {"audio": sound, "mask": np.ones(sound.shape, bool), "speaker": speaker.astype("int32")}
    inputs, levels, _ = sound_likelihood.pairs(model)(batch)
    inputs = {name: np.asarray(value) for name, value in inputs.items()}
    schedule = keras.optimizers.schedules.CosineDecay(5e-3, 2 * 128, 0.05)
    sound_likelihood.compiled(model, keras.optimizers.Adam(schedule, global_clipnorm=1.0))
    model.fit(inputs, np.asarray(levels), batch_size=16, epochs=2, verbose=0)
    return VoiceConverter(model)


def test_the_ear_hears_real_sounds_right():
    sound, speaker, tones = voices(7, 100)
    tone, harsh = heard(sound)
    assert (tone == tones[:, ::TONE]).mean() > 0.99 and (harsh == speaker[:, None]).mean() > 0.97


def test_codes_tell_what_is_said_far_above_chance(converter):
    pairs = []
    for seed in (1, 2):
        sound, _, tones = voices(seed, 100)
        codes = np.stack([converter.encode(each) for each in sound])
        pairs.append((np.ravel(codes), np.ravel(tones[:, HOP // 2 :: HOP])))
    told = many_to_one_accuracy(*pairs[0], *pairs[1])
    print(told)
    assert told["accuracy_percent"] > 2 * told["chance_percent"]


def test_another_speakers_label_changes_the_voice_and_keeps_what_is_said(converter):
    sound, speaker, tones = voices(3, 60)
    for who in (speaker, 1 - speaker):
        tone, harsh = heard(np.stack(converter.convert(list(sound), who, seed=0)))
        shares = (tone == tones[:, ::TONE]).mean(), (harsh == who[:, None]).mean()
        print(shares)
        assert min(shares) > 0.75, shares
