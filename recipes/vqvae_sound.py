"""Sound as discrete codes, and one voice as another: VQ-VAE, van den Oord et al. 2017 (1711.00937, section 4.3).

Encodes 64 samples at a time as one of some hundred codes; a WaveNet speaks them in the voice that is asked for.

  python -m recipes.vqvae_sound                                         all phases on embedded speakers who babble
  python -m recipes.vqvae_sound --mode=sample --recording=mine.wav --speaker="speaker 1"
  python -m recipes.vqvae_sound --workdir=runs/vctk --data=vctk:FOLDER --sample_rate=16000 --window=16384 --trim=0.05 \
      --num_layers=30 --num_stacks=3 --skip_filters=512 --encoder_filters=768

Here: not measured yet.

Paper: VCTK, 109 speakers: 128 codes, 25 a second, tell 49.3 % of 41 phonemes, chance 7.2 %.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), a codebook of moving
averages (its appendix A.1), and vectors normalized over the batch before it.
"""

import itertools

import numpy as np

from toolkit import data, generation, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Speech,
    settings.CausalNetwork,
    settings.Codebook,
    settings.FallingRate,
    settings.Devices,
    settings.Sampling,
    settings.SoundExport,
):
    num_downsamplings: int = setting(
        6, "convolutions of stride 2: a code for each 2^n samples", paper="6", minimum=1, maximum=16
    )
    encoder_filters: int = setting(128, "channels of each", paper="768", minimum=1, maximum=4096)
    condition_size: int = setting(32, "numbers that a speaker is looked up as", minimum=1, maximum=4096)
    num_context_layers: int = setting(1, "convolutions over codes and their neighbours", minimum=0, maximum=100)
    num_judged: int = setting(
        40,
        "test recordings that are written anew and judged in evaluation",
        minimum=1,
        maximum=100_000,
        changeable=True,
    )
    judge_epochs: int = setting(8, "of the classifier that judges", minimum=1, maximum=100_000)
    recording: str = setting("", "what --mode=sample converts; empty: test recordings", changeable=True, path=True)
    speaker: str = setting("", "whose voice --mode=sample gives it; empty: each in turn", maximum=1000, changeable=True)
    temperature: float = setting(
        1.0, "1: as the model expects; less: less noise", minimum=0.0, maximum=100.0, changeable=True
    )
    hop: int = other(80, help="samples of a frame that the judge hears")
    window: int = 4096
    data: str = "embedded:10:4"
    num_embeddings: int = 512
    embedding_dim: int = other(64, paper="512")
    optimizer: str = other("adam", choices=("adam",))
    learning_rate: float | None = other(0.002, paper="0.0002")
    batch_size: int = 8
    epochs: int = 4


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
    methods.speech_classification.train_judge(run, speech, hop=s.hop, epochs=s.judge_epochs)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(speech.splits.train))
    with run.scope():
        model = network(s, speech.inventory)
        methods.sound_likelihood.compiled(model, keras.optimizers.Adam(falling, global_clipnorm=1.0))
    shown = [each.cut(s.sample_rate) for each in speech.examples("validation", 2)]

    def pictures():
        rows = versions(run, generation.voice_conversion.VoiceConverter(model), speech, shown)
        whole = np.concatenate([sound for row in rows for _, sound in row])
        return {"training/converted": drawn(rows, s), "training/real_rebuilt_converted": (whole, s.sample_rate)}

    splits = speech.splits.map(methods.sound_likelihood.pairs(model))
    run.fit(model, splits.train, splits.validation, monitor="bits_per_sample", pictures=pictures)


def another(speaker, speech):
    return (speaker + 1) % len(speech.speakers)


def versions(run, converter, speech, real):
    """(title, sound) of each recording: as it is, rebuilt, and in another's voice."""
    s, names, others = run.settings, speech.speakers, [another(each.speaker, speech) for each in real]
    waveforms, speakers = [each.waveform for each in real], [each.speaker for each in real]
    sounds = converter.convert(2 * waveforms, speakers + others, temperature=s.temperature, seed=s.seed)
    titles = [
        (f"{names[one]}, real", "rebuilt", f"as {names[other]}") for one, other in zip(speakers, others, strict=True)
    ]
    rows = zip(waveforms, sounds[: len(real)], sounds[len(real) :], strict=True)
    return [list(zip(*pair, strict=True)) for pair in zip(titles, rows, strict=True)]


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
    methods.sound_likelihood.compiled(model)

    def measured(whose):
        test = speech.splits.test.map(lambda batch: {**batch, "speaker": whose(batch["speaker"])})
        test = test.map(methods.sound_likelihood.pairs(model)).dataset(num_epochs=1)
        return model.evaluate(test, verbose=0, return_dict=True)

    found = {name: value for name, value in measured(lambda speaker: speaker).items() if name != "loss"}
    if len(speech.speakers) > 1:
        swapped = measured(lambda speaker: another(speaker, speech))
        found["bits_per_sample_of_another_speaker"] = swapped["bits_per_sample"]
    converter = generation.voice_conversion.VoiceConverter(model)
    each_second = s.sample_rate / converter.hop
    found["code_bits_per_second"] = each_second * np.log2(s.num_embeddings)
    found["code_entropy_bits_per_second"] = each_second * np.log2(found["codebook_perplexity"])
    if speech.has_units:
        pairs = [codes_and_units(converter, speech.examples(split, 10 * s.num_judged)) for split in ("train", "test")]
        told = metrics.many_to_one_accuracy.many_to_one_accuracy(*pairs[0], *pairs[1])
        found |= {f"units_from_codes_{name}": value for name, value in told.items()}
    run.report(found | judged(run, converter, speech), paper={"vctk_phonemes_from_codes_accuracy_percent": 49.3})


def codes_and_units(converter, examples):
    """The codes of whole recordings, and the unit in the middle of each."""
    pairs = [(converter.encode(each.waveform), each.units) for each in examples]
    middles = [
        units[np.minimum(np.arange(len(codes)) * converter.hop + converter.hop // 2, len(units) - 1)]
        for codes, units in pairs
    ]
    return np.concatenate([codes for codes, _ in pairs]), np.concatenate(middles)


def judged(run, converter, speech):
    """What the judge hears in test recordings, rebuilt, and in another's voice."""
    s, real = run.settings, list(speech.examples("test", run.settings.num_judged))
    rows = versions(run, converter, speech, real)
    asked = {"real": real, "rebuilt": real}
    asked["converted"] = [each._replace(speaker=another(each.speaker, speech)) for each in real]
    kinds = {kind: ([row[place][1] for row in rows], asked[kind]) for place, kind in enumerate(asked)}
    found = methods.speech_classification.heard_beside_chance(run.load("judge"), kinds, speech.num_states)
    shown = rows[:: -(-len(rows) // 4)]
    run.picture("converted", drawn(shown, s))
    titles, sounds = zip(*shown[0], strict=True)
    codes = [converter.encode(sound) for sound in sounds]
    how = {"num_codes": s.num_embeddings}
    run.picture("codes", visualize.audio.codes(sounds, codes, converter.hop, s.sample_rate, titles, **how))
    for number, row in enumerate(shown):
        for kind, (_, sound) in zip(asked, row, strict=True):
            run.sound(f"test_{number}_{kind}", sound, s.sample_rate)
    return {name: value for name, value in found.items() if speech.has_units or not name.startswith("units")}


def sample(run):
    """Converts a recording, or test recordings, to the voice of who is asked for, or of each in turn."""
    s, (model, inventory) = run.settings, trained(run)
    rate, names = inventory["sample_rate"], inventory["speakers"]
    if s.recording:
        waveforms = [data.audio.clips.read(s.recording, rate, s.peak)]
    else:
        speech = run.data_if_there("test recordings; --recording=FILE names another") if run.has("model") else None
        if speech is None:
            raise ValueError("--recording=FILE: what is to be converted?")
        waveforms = [each.waveform for each in speech.examples("test", s.num_samples)]
    voices = [data.audio.tracks.number(s.speaker, tuple(names), "--speaker")] if s.speaker else range(len(names))
    waveforms, speakers = (list(itertools.islice(itertools.cycle(each), s.num_samples)) for each in (waveforms, voices))
    converter = generation.voice_conversion.VoiceConverter(model)
    sounds = converter.convert(waveforms, speakers, temperature=s.temperature, seed=s.sample_seed)
    rows = []
    for number, (waveform, sound, speaker) in enumerate(zip(waveforms, sounds, speakers, strict=True)):
        run.sound(f"sample_{number}_given", waveform, rate)
        run.sound(f"sample_{number}", sound, rate)
        rows.append([("given", waveform), (f"as {names[speaker]}", sound)])
        print(f"  sounds/sample_{number}.wav: as {names[speaker]}", flush=True)
    run.picture("sample", drawn(rows[:6], s))


def export(run):
    s, speech = run.settings, run.data_to_measure()
    served = serving.sound_codes.sound_codes(
        run.load(),
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
    training.main(Settings, load, train, evaluate, sample, export, checks=(check_data,))
