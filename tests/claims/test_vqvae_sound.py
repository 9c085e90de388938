"""What van den Oord et al. 2017 say of the codes of speech, on synthesised speakers, as far as it needs no recipe."""

import keras
import pytest

from toolkit import data
from toolkit.generation.voice_conversion import VoiceConverter
from toolkit.methods import sound_codes, sound_likelihood, speech_classification
from toolkit.metrics.many_to_one_accuracy import many_to_one_accuracy
from toolkit.models.speech_classifier import speech_classifier
from toolkit.models.vqvae_sound import vqvae_sound

pytestmark = pytest.mark.claims


@pytest.fixture(scope="module")
def speech():
    return data.audio.load("embedded:3:2", sample_rate=4000, window=2048, batch_size=8)


@pytest.fixture(scope="module")
def converter(speech):
    """Trained for two hundred steps, told who speaks and not what."""
    keras.utils.set_random_seed(0)
    how = {"num_embeddings": 64, "embedding_dim": 32, "num_downsamplings": 5, "encoder_filters": 48, "num_speakers": 2}
    model = vqvae_sound([2**n for n in range(8)], 24, 48, **how, inventory=speech.inventory)
    splits, epochs = speech.splits.map(sound_likelihood.pairs(model)), 6
    num_steps = splits.train.steps_per_epoch
    schedule = keras.optimizers.schedules.CosineDecay(4e-3, epochs * num_steps, 0.05)
    sound_likelihood.compiled(model, keras.optimizers.Adam(schedule, global_clipnorm=1.0))
    model.fit(
        splits.train.dataset(num_epochs=epochs), steps_per_epoch=num_steps, epochs=epochs, shuffle=False, verbose=0
    )
    return VoiceConverter(model)


def test_codes_tell_phonemes_far_above_chance(speech, converter):
    pairs = [
        sound_codes.codes_and_units(converter.encode, converter.hop, speech.examples(split))
        for split in ("train", "test")
    ]
    told = many_to_one_accuracy(*pairs[0], *pairs[1])
    print(told)
    assert told["accuracy_percent"] > 2 * told["chance_percent"]


def test_another_speakers_label_changes_the_voice_and_keeps_what_is_said(speech, converter):
    """As heard by a classifier of real sounds alone."""
    keras.utils.set_random_seed(0)
    judge = speech_classification.compiled(speech_classifier(speech.inventory), keras.optimizers.Adam(2e-3))
    heard = speech.splits.map(speech_classification.pairs(judge))
    judge.fit(
        heard.train.dataset(num_epochs=8),
        steps_per_epoch=heard.train.steps_per_epoch,
        epochs=8,
        shuffle=False,
        verbose=0,
    )
    real = [each.cut(4000) for each in speech.examples("test", 12)]
    others = [1 - each.speaker for each in real]
    sounds = converter.convert([each.waveform for each in real], others, seed=0)
    kinds = {
        "real": ([each.waveform for each in real], real),
        "converted": (sounds, [each._replace(speaker=who) for each, who in zip(real, others, strict=True)]),
    }
    found = speech_classification.heard_beside_chance(judge, kinds)
    print(found)
    assert found["speaker_heard_in_converted_percent"] > 75
    assert found["units_heard_in_converted_percent"] > 2 * found["units_chance_percent"]
