"""Speech understood, sample by sample: WaveNet, van den Oord et al. 2016 (1609.03499, section 3.4).

Hears which unit, such as a phoneme, is spoken in each 10 ms of raw sound, and beside it foretells each next sample.

  python -m recipes.wavenet_phonemes                                              all phases on speakers who babble
  python -m recipes.wavenet_phonemes --mode=sample --recordings=one.wav,two.wav   the units in your files, and when
  python -m recipes.wavenet_phonemes --workdir=runs/emodb --data=emodb:FOLDER --held_out_speakers=2

Here: eight embedded speakers, seed 0, nine minutes on two busy cores: of test recordings 92.7 % of the frames right,
28.6 % of the units wrong; a linear model of mel features 88.6 and 46.5 %, chance 19.8 % of the frames. EmoDB, two
speakers that it has not heard, 21 minutes: 52.7 % of the frames of real phonemes, the linear model 47.8, chance 11.9 %.

Paper: TIMIT, phone error rate 18.8 %.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help); units are the most
probable ones of each frame, without a decoder of phone sequences.
"""

import numpy as np

from toolkit import data, files, methods, metrics, models, serving, settings, training, visualize
from toolkit.lazy import keras
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Speech,
    settings.CausalNetwork,
    settings.Frames,
    settings.FallingAdam,
    settings.Devices,
    settings.SoundExport,
):
    num_frame_layers: int = setting(3, "convolutions over frames", minimum=0, maximum=100)
    frame_filters: int = setting(64, "channels of the convolutions over frames", minimum=1, maximum=16_384)
    sample_loss_weight: float = setting(
        0.1, "weight of the next sample's loss, beside that of the units", minimum=0.0, maximum=1000.0
    )
    linear_epochs: int = setting(8, "epochs of the linear model of mel features", minimum=1, maximum=100_000)
    recordings: str = setting("", "of --mode=sample: files to hear, between commas", changeable=True)
    num_layers: int = other(9, paper="30")
    skip_filters: int = 64
    hop: int = other(80, paper="160, which is 10 ms")
    max_seconds: float = other(4.0, help="sound that the exported model hears at once")
    data: str = "embedded:10:8"
    window: int = 8000
    learning_rate: float = 0.003
    batch_size: int = 4
    epochs: int = 8


def load(s):
    """`data.audio.speech.Speech`, windows of samples with speaker and units."""
    if s.window < s.hop:
        raise ValueError(f"--window={s.window} holds no frame of --hop={s.hop} samples.")
    speech = data.audio.load(**s.reading(), batch_size=s.batch_size, context=s.context)
    if not speech.has_units:
        raise ValueError(f"--data={s.data} does not say which unit is spoken when: docs/data.md says how it may.")
    check_lengths(((clip.path, clip.length) for part in speech.parts.values() for clip in part), s.hop)
    return speech


def train(run):
    s, speech = run.settings, run.data
    train_linear(run, speech)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(speech.splits.train))
    with run.scope():
        model = models.wavenet_recognizer.wavenet_recognizer(
            len(speech.units),
            inventory=speech.inventory,
            **s.blocks(),
            **s.only("hop", "num_frame_layers", "frame_filters"),
        )
        optimizer = keras.optimizers.Adam(falling, global_clipnorm=1.0)
        methods.unit_recognition.compiled(model, optimizer, s.sample_loss_weight)
    pairs, shown = speech.splits.map(methods.unit_recognition.pairs(model)), list(speech.examples("validation", 4))
    listen = methods.unit_recognition.listener(model)
    run.fit(
        model,
        pairs.train,
        pairs.validation,
        monitor="units_accuracy",
        mode="max",
        pictures=lambda: {"training/heard": said_and_heard(speech, shown, listen, s.hop)},
    )


def train_linear(run, speech):
    """Trains what the network stands beside: the units, linear in seven frames of mel features."""
    s = run.settings
    falling = training.step_sizes.falling(5e-3, run.num_steps(speech.splits.train, s.linear_epochs))
    with run.scope("linear"):
        linear = models.speech_classifier.speech_classifier(speech.inventory, hop=s.hop, num_layers=0)
        methods.speech_classification.compiled(linear, keras.optimizers.Adam(falling))
    pairs = speech.splits.map(methods.speech_classification.pairs(linear))
    how = {"epochs": s.linear_epochs, "monitor": "units_accuracy", "mode": "max"}
    run.fit(linear, pairs.train, pairs.validation, stage="linear", **how)


def said_and_heard(speech, examples, listen, hop):
    """Each recording twice: with the units that are said, and with those that are heard."""
    waveforms, units, titles = [], [], []
    for each in examples:
        heard = np.repeat(listen(each.waveform).argmax(axis=-1), hop)
        waveforms += 2 * [each.waveform[: len(heard)]]
        units += [each.units[: len(heard)], heard]
        titles += [f"{speech.speakers[each.speaker]}, said", "heard"]
    return visualize.audio.recordings(waveforms, speech.sample_rate, titles, units=units, unit_names=speech.units)


def trained(run):
    """The network, and what it keeps of its speech."""
    model = run.load()
    return model, model.get_layer("inventory").get_config()


def evaluate(run):
    model, inventory = trained(run)
    speech = run.data.for_names(inventory["speakers"], inventory["units"], str(run.workdir))
    found, names = {}, [files.names.printable(unit) for unit in speech.units]
    for start, each in (("linear_", run.load("linear")), ("", model)):
        sounds = ((each.waveform, each.units) for each in speech.examples("test"))
        heard = methods.unit_recognition.measure(each, sounds)
        found[f"{start}frame_accuracy_percent"] = heard.frame_accuracy_percent
        found[f"{start}unit_error_rate_percent"] = heard.unit_error_rate_percent
    most = np.argmax(list(data.audio.report.unit_seconds(speech, "train").values()))
    found["frame_chance_percent"] = 100 * heard.matrix[most].sum() / heard.matrix.sum()
    test = speech.splits.test.map(methods.unit_recognition.pairs(model)).dataset(num_epochs=1)
    measured = methods.unit_recognition.compiled(model).evaluate(test, verbose=0, return_dict=True)
    found["bits_per_sample"] = measured["samples_bits_per_sample"]
    run.report(found, paper={"timit_phone_error_rate_percent": 18.8})
    for line in metrics.confusion_matrix.confusions_in_words(heard.matrix, names):
        print(f"  {line}")
    run.picture("confusion", visualize.classification.confusion(heard.matrix, names))
    listen, hop = methods.unit_recognition.listener(model), methods.unit_recognition.samples_per_frame(model)
    run.picture("heard", said_and_heard(speech, list(speech.examples("test", 6)), listen, hop))


def sample(run):
    """Tells the units of files, or of test recordings, and when each is heard."""
    s, (model, inventory) = run.settings, trained(run)
    rate, names = inventory["sample_rate"], inventory["units"]
    if s.recordings:
        sounds = data.audio.clips.read_named(s.recordings, rate, "--recordings", s.peak)
    elif not run.has("model"):
        raise ValueError("--mode=sample of the shipped model is for files of yours: --recordings=one.wav,two.wav.")
    else:
        speech = run.data_if_there("test recordings; --recordings=one.wav,two.wav names others")
        if speech is None:
            return
        sounds = [(each.path, each.waveform) for each in speech.examples("test", 4)]
    hop, rows = methods.unit_recognition.samples_per_frame(model), []
    check_lengths(((path, len(waveform)) for path, waveform in sounds), hop)
    listen, heard = methods.unit_recognition.listener(model), []
    for path, waveform in sounds:
        units = listen(waveform).argmax(axis=-1)
        heard.append(np.repeat(units, hop))
        for start, end, unit in methods.unit_recognition.stretches(units):
            told = {"recording": files.names.printable(path), "start_seconds": start * hop / rate}
            rows.append(told | {"end_seconds": end * hop / rate, "unit": files.names.printable(names[unit])})
    run.table("sample", rows)
    waveforms = [waveform[: len(units)] for (_, waveform), units in zip(sounds, heard, strict=True)]
    titles = [files.names.printable(path) for path, _ in sounds]
    how = {"units": heard[:12], "unit_names": names}
    run.picture("sample", visualize.audio.recordings(waveforms[:12], rate, titles[:12], **how))


def check_lengths(named, hop):
    for path, length in named:
        if length < hop:
            raise ValueError(f"{files.names.printable(path)} has {length} samples: less than a frame, --hop={hop}.")


def export(run):
    s, (model, inventory), speech = run.settings, trained(run), run.data_to_measure()

    def examples(split, number):
        for each in speech.examples(split, number) if speech else ():
            yield {"audio": each.waveform, "units": each.units[s.hop // 2 :: s.hop]}

    served = serving.wavenet_recognizer.wavenet_recognizer(
        model,
        sample_rate=inventory["sample_rate"],
        seconds=s.max_seconds,
        units=inventory["units"],
        measured=examples("test", s.max_measured),
        typical=(each["audio"] for each in examples("train", 20)),
    )
    run.export(served, data=s.data, inventory=inventory, description=__doc__.splitlines()[0])


def check_data(run):
    found = data.audio.examine(run.data, batch_size=run.settings.batch_size)
    run.check(found.report, lambda: visualize.speech_report.pictures(found))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(check_data,))
