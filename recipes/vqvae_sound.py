"""Sound as discrete codes, and one voice as another: VQ-VAE, van den Oord et al. 2017 (1711.00937, section 4.3).

Encodes 64 samples at a time as one of some hundred codes; a WaveNet speaks them in the voice that is asked for, and
another one, the prior, learns what codes follow one another, and so invents speech.

  python -m recipes.vqvae_sound                                         all phases on embedded speakers who babble
  python -m recipes.vqvae_sound --mode=sample --recording=mine.wav --speaker="speaker 1" --seconds=3
  python -m recipes.vqvae_sound --workdir=runs/vctk --data=vctk:FOLDER --sample_rate=16000 --window=16384 --trim=0.05 \
      --num_layers=30 --num_stacks=3 --skip_filters=512 --encoder_filters=768

Here: digits of six speakers (the Free Spoken Digit Dataset), 30 minutes on two busy cores: of 200 test recordings that
another speaker says anew a classifier, trained on real ones, names that speaker in 79.5 % (real: 100, chance: 20) and
the digit in 28.5 % (real: 99, chance: 10).

Paper: VCTK, 109 speakers: 128 codes, 25 a second, tell 49.3 % of 41 phonemes, chance 7.2 %.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), a codebook of moving
averages (its appendix A.1), and vectors normalized over the batch before it.
"""

import functools
import itertools

import numpy as np

from toolkit import data, generation, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Speech,
    settings.SpeakingNetwork,
    settings.Codebook,
    settings.AveragedAdam,
    settings.PriorTraining,
    settings.Devices,
    settings.SoundSampling,
    settings.SoundExport,
):
    num_downsamplings: int = setting(
        6, "convolutions of stride 2 in the encoder: a code for each 2^n samples", paper="6", minimum=1, maximum=16
    )
    encoder_filters: int = setting(128, "channels of these", paper="768", minimum=1, maximum=4096)
    prior_layers: int = setting(6, "blocks of the prior, of dilation 1, 2, 4 and so on", minimum=1, maximum=20)
    prior_filters: int = setting(64, "channels of the prior's blocks", minimum=1, maximum=4096)
    prior_window: int = setting(128, "codes of a recording in a training step of the prior", minimum=2, maximum=100_000)
    recording: str = setting("", "file that --mode=sample converts; empty: test recordings", changeable=True, path=True)
    judge_hop: int = setting(80, "samples of a frame that the judge hears", minimum=1, maximum=100_000)
    condition_size: int = 32
    window: int = 4096
    data: str = "embedded:10:4"
    num_embeddings: int = 512
    embedding_dim: int = other(64, paper="512")
    learning_rate: float = other(0.002, paper="0.0002")
    batch_size: int = 4
    epochs: int = 3


def load(s):
    """`data.audio.speech.Speech`, windows of samples with speaker and units."""
    return data.audio.load(**s.reading(), **s.only("batch_size", "context"))


def network(s, inventory):
    names = ("filters", "skip_filters", "kernel_size", "num_levels", "embedding_dim")
    names += ("num_downsamplings", "encoder_filters", "condition_size", "num_context_layers")
    return models.vqvae_sound.vqvae_sound(
        s.dilations,
        num_speakers=len(inventory["speakers"]),
        inventory=inventory,
        **s.quantizer(),
        **s.only(*names),
    )


def train(run):
    s, speech = run.settings, run.data
    methods.speech_classification.train_judge(run, speech, hop=s.judge_hop, epochs=s.judge_epochs)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(speech.splits.train))
    s.warn_of_few_vectors(s.batch_size * -(-s.window // 2**s.num_downsamplings))
    with run.scope():
        model = network(s, speech.inventory)
        methods.sound_likelihood.compiled(model, keras.optimizers.Adam(falling, global_clipnorm=1.0, **s.averaging()))
    shown = [each.cut(s.sample_rate) for each in speech.examples("validation", 2)]

    def pictures():
        converter = generation.voice_conversion.VoiceConverter(model)
        sounds = converter.speak_kinds(versions(converter, shown, speech), temperature=s.temperature, seed=s.seed)
        rows = rows_of(shown, sounds, speech)
        whole = np.concatenate([sound for row in rows for _, sound in row])
        return {"training/converted": drawn(rows, s), "training/real_rebuilt_converted": (whole, s.sample_rate)}

    splits = speech.splits.map(methods.sound_likelihood.pairs(model))
    run.fit(model, splits.train, splits.validation, monitor="bits_per_sample", pictures=pictures)


def prior(run):
    """Trains the prior of a recording's codes given those before and the speaker, on codes that are made once."""
    s, codes = run.settings, encoded(run)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(codes.splits.train, s.prior_epochs))
    with run.scope("prior"):
        model = models.wavenet.wavenet(
            [2**number for number in range(s.prior_layers)],
            s.prior_filters,
            2 * s.prior_filters,
            num_levels=codes.num_codes,
            codes=True,
            num_speakers=len(codes.label_names),
            condition_size=s.condition_size,
        )
        optimizer = keras.optimizers.Adam(falling, global_clipnorm=1.0)
        methods.sound_likelihood.compiled(model, optimizer, bits="bits_per_code")
    splits = codes.splits.map(methods.sound_codes.pairs(model))
    run.fit(model, splits.train, splits.validation, stage="prior", epochs=s.prior_epochs, monitor="bits_per_code")


def encoded(run):
    """The codes of all recordings, `data.codes.Codes`, made once."""
    s, model, speech = run.settings, run.load(), run.data
    encode = generation.voice_conversion.VoiceConverter(model).encode
    return data.codes.load_or_write(
        run.path("codes"),
        lambda split: methods.sound_codes.pieces(encode, speech.examples(split), s.prior_window),
        shape=(s.prior_window,),
        embeddings=np.asarray(model.get_layer("quantizer").embeddings),
        label_names=speech.speakers,
        num_codes=s.num_embeddings,
        **s.only("batch_size", "seed"),
    )


def next_speaker(speaker, speech):
    return (speaker + 1) % len(speech.speakers)


def by_another(each, speech):
    """A recording, or an utterance, as if somebody else spoke it."""
    return each._replace(speaker=next_speaker(each.speaker, speech))


def versions(converter, real, speech):
    """The utterances of recordings: rebuilt, and in another's voice."""
    own = converter.utterances(real)
    return {"rebuilt": own, "converted": [by_another(each, speech) for each in own]}


def rows_of(real, sounds, speech):
    """(title, sound) of each recording: as it is, and its versions."""
    names, rows = speech.speakers, []
    for each, rebuilt, converted in zip(real, sounds["rebuilt"], sounds["converted"], strict=True):
        other = f"as {names[next_speaker(each.speaker, speech)]}"
        rows.append([(f"{names[each.speaker]}, real", each.waveform), ("rebuilt", rebuilt), (other, converted)])
    return rows


def drawn(rows, s):
    """A line for each recording."""
    titles, sounds = zip(*(each for row in rows for each in row), strict=True)
    return visualize.audio.recordings(sounds, s.sample_rate, titles, columns=len(rows[0]))


def trained(run):
    """The network, and what it keeps of the speech that it was trained on."""
    model = run.load()
    return model, model.get_layer("inventory").get_config()


def evaluate(run):
    s, (model, inventory) = run.settings, trained(run)
    speech = run.data.for_names(inventory["speakers"], inventory["units"], str(run.workdir))
    found, test = methods.sound_likelihood.measured(model, speech.splits.test), speech.splits.test
    found["codebook_usage_percent"] = 100 * found.pop("codebook_usage")
    if len(speech.speakers) > 1:
        test = test.map(lambda batch: {**batch, "speaker": next_speaker(batch["speaker"], speech)})
        swapped = methods.sound_likelihood.measured(model, test)
        found["bits_per_sample_of_another_speaker"] = swapped["bits_per_sample"]
    converter = generation.voice_conversion.VoiceConverter(model)
    each_second = s.sample_rate / converter.hop
    found["code_bits_per_second"] = each_second * np.log2(s.num_embeddings)
    found["code_entropy_bits_per_second"] = each_second * np.log2(found["codebook_perplexity"])
    if speech.has_units:
        beside = functools.partial(methods.sound_codes.codes_and_units, converter.encode, converter.hop)
        pairs = [beside(speech.examples(split, 10 * s.num_judged)) for split in ("train", "test")]
        told = metrics.many_to_one_accuracy.many_to_one_accuracy(*pairs[0], *pairs[1])
        found |= {f"units_from_codes_{name}": value for name, value in told.items()}
    found["bits_per_code"] = methods.sound_codes.measured(run.load("prior"), encoded(run).splits.test)
    found["bits_per_code_of_uniform_codes"] = np.log2(s.num_embeddings)
    found |= judged(run, converter, speech)
    run.report(found, paper={"vctk_phonemes_from_codes_accuracy_percent": 49.3})


def judged(run, converter, speech):
    """What the judge hears in test recordings, rebuilt and converted ones, and how far all that is spoken is from real.

    Beside these are invented sounds, and such of uniform codes, as long as the recordings and by the same speakers.
    """
    s, real, judge = run.settings, list(speech.examples("test", run.settings.num_judged)), run.load("judge")
    asked = versions(converter, real, speech)
    inventor = generation.invented_speech.SpeechInventor(run.load("prior"), converter)
    num_codes = -(-max(each.length for each in asked["rebuilt"]) // converter.hop)
    how = {"temperature": s.temperature, "seed": s.seed}
    new = inventor.draw([each.speaker for each in real], num_codes, **how)
    uniform = np.random.default_rng(s.seed).integers(0, s.num_embeddings, new.shape)
    for kind, codes in (("invented", new), ("uniform_codes", uniform)):
        asked[kind] = [each._replace(codes=own) for each, own in zip(asked["rebuilt"], codes, strict=True)]
    sounds, waveforms = converter.speak_kinds(asked, **how), [each.waveform for each in real]
    heard = {
        "real": (waveforms, real),
        "rebuilt": (sounds["rebuilt"], real),
        "converted": (sounds["converted"], [by_another(each, speech) for each in real]),
    }
    found = methods.speech_classification.heard_beside_chance(judge, heard, speech.num_states)
    rows = rows_of(real, sounds, speech)[:: -(-len(real) // 4)]
    run.picture("converted", drawn(rows, s))
    titles, voices = zip(*rows[0], strict=True)
    run.picture("codes", coded(s, converter, voices, map(converter.encode, voices), titles))
    for number, row in enumerate(rows):
        for kind, (_, sound) in zip(heard, row, strict=True):
            run.sound(f"test_{number}_{kind}", sound, s.sample_rate)
    return found | methods.speech_classification.frechet_distances(judge, waveforms, sounds)


def coded(s, converter, sounds, codes, titles):
    """Sounds above their codes."""
    how = {"num_codes": s.num_embeddings}
    return visualize.audio.codes(sounds, list(codes), converter.hop, s.sample_rate, titles, **how)


def to_convert(run, rate):
    """The recording that is named, or else test recordings."""
    s = run.settings
    if s.recording:
        return [data.audio.clips.read(s.recording, rate, s.peak)]
    speech = run.data_if_there("test recordings; --recording=FILE names another") if run.has("model") else None
    if speech is None:
        raise ValueError("--recording=FILE: what is to be converted?")
    return [each.waveform for each in speech.examples("test", s.num_samples)]


def sample(run):
    """Says recordings in the voice that is asked for, or in each in turn, and invents speech by the same speakers."""
    s, (model, inventory) = run.settings, trained(run)
    rate, names, how = inventory["sample_rate"], inventory["speakers"], {"temperature": s.temperature}
    voices = [data.audio.tracks.number(s.speaker, tuple(names), "--speaker")] if s.speaker else range(len(names))
    waveforms, speakers = (
        list(itertools.islice(itertools.cycle(each), s.num_samples)) for each in (to_convert(run, rate), voices)
    )
    converter = generation.voice_conversion.VoiceConverter(model)
    sounds = converter.convert(waveforms, speakers, seed=s.sample_seed, **how)
    inventor = generation.invented_speech.SpeechInventor(run.load("prior"), converter)
    num_samples = max(1, round((s.seconds or 2) * rate))
    codes, new = inventor.invent(speakers, num_samples, seed=s.sample_seed, **how)
    for number, speaker in enumerate(speakers):
        run.sound(f"sample_{number}_given", waveforms[number], rate)
        run.sound(f"sample_{number}", sounds[number], rate)
        run.sound(f"invented_{number}", new[number], rate)
        print(f"  sounds/sample_{number}.wav, invented_{number}.wav: as {names[speaker]}", flush=True)
    titles = [names[speaker] for speaker in speakers[:6]]
    rows = zip(waveforms, sounds, titles, strict=False)
    run.picture("sample", drawn([[("given", given), (f"as {name}", sound)] for given, sound, name in rows], s))
    run.picture("invented", coded(s, converter, new[:4], codes[:4], titles[:4]))


def export(run):
    s, speech = run.settings, run.data_to_measure()
    served = serving.invented_speech.invented_speech(
        run.load(),
        run.load("prior"),
        max_seconds=s.max_seconds,
        measured=speech.examples("test", s.max_measured) if speech else (),
        typical=speech.examples("train", 20) if speech else (),
        seed=s.seed,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.audio.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: visualize.speech_report.pictures(found))


if __name__ == "__main__":
    training.main(Settings, load, train, prior, evaluate, sample, export, untrained=(check_data,), trains=2)
