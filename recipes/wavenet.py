"""Raw sound, sample by sample: WaveNet, van den Oord et al. 2016 (1609.03499).

Speaks: each sample is drawn from what the samples before it, the speaker and the asked units make probable.

  python -m recipes.wavenet                                        all phases on embedded speakers who babble
  python -m recipes.wavenet --workdir=runs/digits --data=fsdd:FOLDER --trim=0.05 --peak=0.9 --num_states=8 \
      --num_layers=20 --num_stacks=2 --condition_size=32 --ema_momentum=0.999 --batch_size=4 --epochs=15
  python -m recipes.wavenet --mode=sample --units="7 2" --speaker=theo     the shipped digits
  python -m recipes.wavenet --workdir=runs/vctk --data=vctk:FOLDER --condition=speaker --sample_rate=16000 \
      --window=16000 --num_layers=30 --num_stacks=3 --skip_filters=512 --held_out_speakers=5

Here: digits of six speakers (the Free Spoken Digit Dataset), 55 minutes on two cores: 4.49 bits a sample. Of 300 sounds
that are written for the test recordings a classifier, trained on real ones, names the asked speaker in 96.3 % (real:
100, chance: 16.7) and the asked digit in 72.0 % (real: 99, chance: 10).

Paper: mean opinion scores of English, 1 to 5: WaveNet 4.21, the best before 3.86, real speech 4.46 at eight bits.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help); units with known ends
stand for linguistic features and pitch.
"""

import itertools

import numpy as np

from toolkit import data, generation, methods, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.serving.speech_file import SpeechFile
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Speech,
    settings.SpeakingNetwork,
    settings.Frames,
    settings.AveragedAdam,
    settings.Devices,
    settings.SoundSampling,
    settings.SoundExport,
):
    num_states: int = setting(
        1,
        "equal parts of each unit, each with a number of its own: the network is told how far a unit has come",
        maximum=100,
        minimum=1,
    )
    condition: str = setting("both", "what the network is told", choices=("none", "speaker", "units", "both"))
    output: str = setting(
        "categorical", "softmax of the levels, or a mixture of logistics", choices=("categorical", "logistic_mixture")
    )
    num_mixtures: int = setting(10, "logistics of the mixture", minimum=1, maximum=1000)
    units: str = setting(
        "",
        "what is said in --mode=sample, between spaces; empty: as in test recordings",
        maximum=10_000,
        changeable=True,
    )
    prime: str = setting("", "recording that --mode=sample carries on", changeable=True, path=True)
    prime_units: str = setting("", "what is said in --prime, between spaces", maximum=10_000, changeable=True)
    num_context_layers: int = 2
    num_judged: int = 60
    data: str = "embedded:10:4"
    learning_rate: float = other(0.002, paper="0.001")
    batch_size: int = 8
    epochs: int = 3

    @property
    def told(self) -> tuple[str, ...]:
        return {"both": ("speaker", "units"), "none": ()}.get(self.condition, (self.condition,))

    def check(self) -> None:
        for flag, given in (("units", self.units), ("speaker", self.speaker)):
            if given and flag not in self.told:
                raise ValueError(f"--{flag}={given} is nothing that a network of --condition={self.condition} reads.")
        if bool(self.prime) != bool(self.prime_units) and (self.prime_units or "units" in self.told):
            raise ValueError("--prime=FILE and --prime_units, what is said in it, go together.")


def load(s):
    """`data.audio.speech.Speech`, windows of samples with speaker and units."""
    speech = data.audio.load(**s.reading(), **s.only("num_states", "batch_size", "context"))
    if "units" in s.told and not speech.has_units:
        raise ValueError(f"--data={s.data} has no units: --condition=speaker or none.")
    return speech


def network(s, inventory):
    return models.wavenet.wavenet(
        num_speakers=len(inventory["speakers"]) * ("speaker" in s.told),
        num_units=len(inventory["units"]) * inventory["num_states"] * ("units" in s.told),
        inventory=inventory,
        **s.blocks(),
        **s.only("hop", "output", "num_mixtures", "condition_size", "num_context_layers"),
    )


def train(run):
    s, speech = run.settings, run.data
    methods.speech_classification.train_judge(run, speech, hop=s.hop, epochs=s.judge_epochs)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(speech.splits.train))
    with run.scope():
        model = network(s, speech.inventory)
        methods.sound_likelihood.compiled(model, keras.optimizers.Adam(falling, global_clipnorm=1.0, **s.averaging()))
    writer = generation.audio.SoundGenerator(model)
    shown = [each.cut(s.sample_rate) for each in speech.examples("validation", 3)]

    def pictures():
        pairs = list(zip(shown, generation.speaking.speak(writer, shown, seed=s.seed), strict=True))
        whole = np.concatenate([sound for real, written in pairs for sound in (real.waveform, written)])
        return {"training/written": beside_real(speech, pairs), "training/real_written": (whole, s.sample_rate)}

    splits = speech.splits.map(methods.sound_likelihood.pairs(model))
    run.fit(model, splits.train, splits.validation, monitor="bits_per_sample", pictures=pictures)


def beside_real(speech, pairs):
    """Each recording, and beside it what was written for it."""
    titles = [f"{speech.speakers[real.speaker]}, {kind}" for real, _ in pairs for kind in ("real", "written")]
    waveforms = [sound for real, written in pairs for sound in (real.waveform, written)]
    units = [real.units // speech.num_states for real, _ in pairs for _ in range(2)]
    return visualize.audio.recordings(waveforms, speech.sample_rate, titles, units=units, unit_names=speech.units)


def trained(run):
    """The network, and what it keeps of the speech that it was trained on."""
    model = run.load()
    return model, model.get_layer("inventory").get_config()


def evaluate(run):
    s, (model, inventory) = run.settings, trained(run)
    speech = run.data.for_names(inventory["speakers"], inventory["units"], str(run.workdir))

    def bits(**changed):
        test = speech.splits.test.map(
            lambda batch: {**batch, **{name: of(batch[name]) for name, of in changed.items()}}
        )
        return methods.sound_likelihood.measured(model, test)["bits_per_sample"]

    found = {"bits_per_sample": bits()}
    found["nats_per_sample"] = found["bits_per_sample"] * np.log(2)
    if "speaker" in s.told and len(speech.speakers) > 1:
        found["bits_per_sample_of_another_speaker"] = bits(speaker=lambda who: (who + 1) % len(speech.speakers))
    if "units" in s.told:
        found["bits_per_sample_of_units_backwards"] = bits(units=lambda units: units[:, ::-1])
    run.report(found | (judged(run, model, speech) if s.told else {}))


def judged(run, model, speech):
    """What the judge hears in real test recordings, and in what is written for them."""
    s, judge, writer = run.settings, run.load("judge"), generation.audio.SoundGenerator(model)
    real = list(speech.examples("test", s.num_judged))
    written = generation.speaking.speak(writer, real, temperature=s.temperature, seed=s.seed)
    kinds = {"real": ([each.waveform for each in real], real), "written": (written, real)}
    found = methods.speech_classification.heard_beside_chance(judge, kinds, speech.num_states)
    pairs = list(zip(real, written, strict=True))[:: -(-len(real) // 6)]
    run.picture("written", beside_real(speech, pairs))
    for number, (each, sound) in enumerate(pairs):
        run.sound(f"test_{number}_real", each.waveform, s.sample_rate)
        run.sound(f"test_{number}_written", sound, s.sample_rate)
    return {name: value for name, value in found.items() if name.partition("_")[0] in s.told}


def sample(run):
    """Writes sound by who is asked for and of what is asked for, or of what is said in test recordings."""
    s, (model, inventory) = run.settings, trained(run)
    writer, rate, names = generation.audio.SoundGenerator(model), inventory["sample_rate"], inventory["units"]
    primer = data.audio.clips.read(s.prime, rate, s.peak) if s.prime else None
    before = data.audio.tracks.track(s.prime_units.split(), inventory, len(primer)) if s.prime_units else None
    tracks, speakers = asked_units(run, inventory), asked_speakers(s, inventory)
    asked = [generation.speaking.Asked(next(speakers), next(tracks)) for _ in range(s.num_samples)]
    how = {"temperature": s.temperature, "seed": s.sample_seed}
    sounds = generation.speaking.speak(writer, asked, primer=primer, primer_units=before, **how)
    units = [data.audio.tracks.whole(each.units, inventory) for each in asked]
    if s.prime:
        run.sound("primer", primer, rate)
        sounds = [np.append(primer, sound) for sound in sounds]
        units = [np.append(data.audio.tracks.whole(before, inventory), each) for each in units] if s.prime_units else []
    titles = [inventory["speakers"][each.speaker] if "speaker" in s.told else "anyone" for each in asked]
    for number, (sound, title) in enumerate(zip(sounds, titles, strict=True)):
        run.sound(f"sample_{number}", sound, rate)
        said = data.audio.tracks.said(asked[number].units, inventory) if "units" in s.told else ""
        print(f"  sounds/sample_{number}.wav: {title}  {said}", flush=True)
    how = {"units": units[:12], "unit_names": names} if "units" in s.told else {}
    run.picture("sample", visualize.audio.recordings(sounds[:12], rate, titles[:12], **how))


def asked_speakers(s, inventory):
    """The number of each sound's speaker."""
    speakers = inventory["speakers"]
    if s.speaker:
        return itertools.repeat(data.audio.tracks.number(s.speaker, tuple(speakers), "--speaker"))
    return itertools.cycle(range(len(speakers)))


def asked_units(run, inventory):
    """The units of each sound, sample by sample."""
    s, rate = run.settings, inventory["sample_rate"]
    length = None if s.seconds is None else max(1, round(s.seconds * rate))
    if s.units:
        return itertools.repeat(data.audio.tracks.track(s.units.split(), inventory, length))
    if "units" not in s.told:
        return itertools.repeat(np.zeros(length or 2 * rate, "int32"))
    speech = run.data_if_there("test recordings, whose units would be said") if run.has("model") else None
    if speech is None:
        raise ValueError(f"--units: what is to be said? There are: {' '.join(inventory['units'])}.")
    return itertools.cycle([each.units[:length] for each in speech.examples("test", s.num_samples)])


def export(run):
    s, speech = run.settings, run.data_to_measure()
    served = serving.wavenet.wavenet(
        run.load(),
        max_seconds=s.max_seconds,
        measured=speech.examples("test", s.max_measured) if speech else (),
        typical=speech.examples("train", 20) if speech else (),
        seed=s.seed,
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def write(run):
    """Writes sound through the exported `.tflite`, as a phone would, with the LiteRT interpreter alone."""
    s, file = run.settings, SpeechFile(run.exported)
    sounds = [
        file.write(s.units, s.speaker, seconds=s.seconds, temperature=s.temperature, seed=[s.sample_seed, number])
        for number in range(s.num_samples)
    ]
    for number, sound in enumerate(sounds):
        run.sound(f"written_from_tflite_{number}", sound, file.sample_rate)
    titles = [f"{s.speaker} {s.units}   (model.tflite)"] * len(sounds)
    run.picture("written_from_tflite", visualize.audio.recordings(sounds[:12], file.sample_rate, titles[:12]))


def check_data(run):
    found = data.audio.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: visualize.speech_report.pictures(found))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, apart=(write,), untrained=(check_data,))
