"""Handwriting to text: bidirectional LSTMs with CTC over pen points (Graves et al. 2009), which also reads what the
synthesis writes.

  python -m recipes.handwriting_recognition                                all phases on embedded writers
  python -m recipes.handwriting_recognition --mode=read_written            reads lines that the synthesis writes
  python -m recipes.handwriting_recognition --mode=read_written --synthesis=runs/own/export --num_lines=200
  python -m recipes.handwriting_recognition --workdir=runs/iam --data=iam:FOLDER --max_points=1500 --max_characters=80

Paper (IAM-OnDB, online, seven layers of features, no language model): 11.5 % of characters wrong.

Differs from the paper: raw offsets instead of its 25 features of each point; Adam instead of momentum.
"""

import dataclasses
import functools
import pathlib

import numpy as np

from toolkit import data, generation, metrics, models, training, visualize
from toolkit.data.strokes.lines import ALPHABET
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.strokes_file import StrokesFile
from toolkit.serving.strokes_reader import strokes_reader
from toolkit.training import step_sizes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    data: str = training.setting("embedded", "pen strokes with text: embedded[:LINES], iam:FOLDER or npy:FOLDER")
    alphabet: str = training.setting(ALPHABET, "every character that can be read")
    spacing: float = training.setting(
        0.0, "pen units between the points of a stroke, which is resampled; 0: as recorded", minimum=0.0
    )
    max_points: int = training.setting(320, "longest line trained on, in pen points", minimum=2)
    max_characters: int = training.setting(40, "longest text trained on, in characters", minimum=1)
    units: int = training.setting(96, "LSTM cells in each layer and direction", minimum=1)
    num_layers: int = training.setting(2, "bidirectional LSTM layers", minimum=1)
    dropout: float = training.setting(0.1, "share of each layer's inputs left out in training", minimum=0.0)
    epochs: int = training.setting(5, "passes over the training data", minimum=1, changeable=True, remembered=True)
    learning_rate: float = training.setting(
        3e-3,
        "first step size; over the last third it falls to a thirtieth",
        minimum=0.0,
        changeable=True,
        remembered=True,
    )
    beam_width: int = training.setting(25, "beginnings kept by the beam search", minimum=1, changeable=True)
    synthesis: str = training.setting(
        "", "of --mode=read_written: folder of an exported handwriting_synthesis [the shipped one]", changeable=True
    )
    num_lines: int = training.setting(
        250, "of --mode=read_written: lines written at each bias", minimum=1, changeable=True
    )
    note: str = training.setting("", "what the card of --mode=ship says of the training", changeable=True)


def source(s):
    """What `data.strokes.load` and `examine` are asked for."""
    return {
        "source": s.data,
        "batch_size": s.batch_size,
        "seed": s.seed,
        "text": True,
        "alphabet": s.alphabet,
        "max_characters": s.max_characters,
        "max_points": s.max_points,
        "spacing": s.spacing,
    }


@functools.cache
def load(s):
    """Splits of offsets (batch, points, 3) in pen units, mask (batch, points), text (batch, characters)."""
    return data.strokes.load(**source(s))


def examples(s, splits):
    """Splits of ((offsets, mask), classes), class 0 after the end of a text."""
    classes = np.zeros(max(map(ord, s.alphabet)) + 1, "int32")
    classes[list(map(ord, s.alphabet))] = np.arange(1, len(s.alphabet) + 1)
    return splits.map(lambda line: ((line["offsets"], line["mask"]), tf.gather(classes, line["text"])))


def network(s):
    return models.handwriting_recognition.recognition(
        s.alphabet, units=s.units, num_layers=s.num_layers, dropout=s.dropout
    )


def train(run):
    s, splits = run.settings, load(run.settings)
    measured = data.strokes.statistics(splits.train)
    per_epoch = min(s.steps_per_epoch or splits.train.steps_per_epoch, splits.train.steps_per_epoch)
    falling = step_sizes.falling(s.learning_rate, s.epochs * per_epoch)
    with run.scope():
        model = network(s)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        model.compile(
            keras.optimizers.Adam(falling, global_clipnorm=1.0), loss=keras.losses.CTC(), jit_compile=run.jit_compile
        )
    shown = [line.offsets for line in data.strokes.lines_of(splits.validation.spread(6))]

    def pictures():
        return {"training/read": visualize.strokes.lines(shown, read(s, model, shown)[0])}

    run.fit(model, examples(s, splits), pictures=pictures)


def trained(run):
    model = network(run.settings)
    run.load(model)
    return model


def read(s, model, lines):
    """What is read in lines of offsets: greedily, and by beam search."""
    return generation.line_reading.read_lines(
        model, lines, s.alphabet, beam_width=s.beam_width, batch_size=s.batch_size
    )


def offsets_and_texts(batches):
    return zip(*((line.offsets, line.text) for line in data.strokes.lines_of(batches)), strict=True)


def evaluate(run):
    s, model = run.settings, trained(run)
    lines, texts = offsets_and_texts(load(s).test)
    greedy, beam = read(s, model, lines)
    results = metrics.character_error_rate.error_rates(texts, greedy, beam)
    run.report(results, paper={"character_error_rate_percent": 11.5})
    wrong = metrics.character_error_rate.confusions(texts, greedy)
    if wrong:
        run.picture("confusions", visualize.charts.confusions(wrong))


def sample(run):
    s, model = run.settings, trained(run)
    lines, texts = offsets_and_texts(load(s).test.spread(8))
    greedy, _ = read(s, model, lines)
    titles = [f"{text}   read: {found}" for text, found in zip(texts, greedy, strict=True)]
    run.picture("read", visualize.strokes.lines(lines[:8], titles[:8]))
    offsets, text = lines[len(lines) // 2], texts[len(lines) // 2]
    probabilities = generation.line_reading.probabilities_along(model, offsets, text, s.alphabet)
    run.picture("spikes", visualize.strokes.window(probabilities, text, offsets))


def read_written(run):
    """Reads lines that an exported synthesis writes, for texts of the test lines, which it has never seen."""
    s, model, splits = run.settings, trained(run), load(run.settings)
    folder = pathlib.Path(s.synthesis) if s.synthesis else training.shipped("handwriting_synthesis")
    if folder is None or not (folder / "model.tflite").is_file():
        raise ValueError(f"--synthesis={s.synthesis} holds no model.tflite: name an export of handwriting_synthesis.")
    file, points = StrokesFile(folder), data.strokes.statistics(splits.train).points_per_character
    real, texts = offsets_and_texts(splits.test.spread(s.num_lines))
    rates = metrics.character_error_rate.error_rates(texts, *read(s, model, real))
    results, shown = {f"real_{name}": value for name, value in rates.items()}, []
    for bias in (0.0, 0.5, 1.0, 2.0):
        written = file.write(texts, bias=bias, seed=[s.seed, int(bias * 10)])
        greedy, beam = read(s, model, written)
        rates = metrics.character_error_rate.error_rates(texts, greedy, beam)
        rates |= metrics.line_endings.line_endings(
            [*map(len, written)], [*map(len, texts)], most=file.num_steps, points_per_character=points
        )
        results |= {f"bias_{bias:g}_{name}": value for name, value in rates.items()}
        shown += [(written[i], f"{texts[i]}   bias {bias:g}, read: {greedy[i]}") for i in (0, len(texts) // 2)]
    run.report(results)
    run.picture("read_written", visualize.strokes.lines(*zip(*shown, strict=True)))


def export(run):
    s, splits = run.settings, load(run.settings)
    served = strokes_reader(
        trained(run),
        s.alphabet,
        max_points=s.max_points,
        measured=data.strokes.lines_of(splits.test.spread(50)),
        typical=data.strokes.lines_of(splits.train.spread(20)),
    )
    arguments = served.arguments()
    card = {**served.card, "data": s.data, "description": "Handwriting to text (Graves et al. 2009)."}
    run.export(arguments.pop("signatures"), **{**arguments, "card": card})


def ship(run):
    """Makes this run's model the one that comes with the code."""
    print("  written:", training.ship(run, trained(run), ["read", "spikes"], curve="loss", text=run.settings.note))


def benchmark(run):
    s, model = run.settings, trained(run)
    batch = next(iter(load(s).test.dataset()))
    run.benchmark(
        "reading", lambda: model.predict_on_batch((batch["offsets"], batch["mask"])), per=f"batch of {s.batch_size}"
    )


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**source(s))
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points, s.max_characters))


def serve_data(run):
    run.serve(load(run.settings))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, read_written, check_data, serve_data, benchmark, ship)
