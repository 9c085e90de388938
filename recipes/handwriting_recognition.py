"""Handwriting to text: Graves et al. 2009, "A novel connectionist system for unconstrained handwriting recognition".

Reads pen strokes, also those that the synthesis writes: bidirectional LSTMs with CTC over pen points.

  python -m recipes.handwriting_recognition                                all phases on embedded writers
  python -m recipes.handwriting_recognition --mode=read_written            reads lines that the synthesis writes
  python -m recipes.handwriting_recognition --mode=read_written --synthesis=runs/own/export --num_lines=200
  python -m recipes.handwriting_recognition --workdir=runs/iam --data=iam:FOLDER --max_points=1500 --max_characters=80

Here: ten embedded writers (--data=embedded:20000), seed 0, 16 minutes on two cores: 0.05 % of characters wrong; of what
the shipped synthesis writes at bias 1, 2.34 %.

Paper: IAM-OnDB, online, without a language model: 11.5 % of characters wrong.

Differs from the paper: raw offsets instead of its 25 features of each point; Adam instead of momentum.
"""

import pathlib

import numpy as np

from toolkit import data, generation, metrics, models, settings, training, visualize
from toolkit.data.strokes.lines import ALPHABET
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.strokes_file import StrokesFile
from toolkit.serving.strokes_reader import strokes_reader
from toolkit.settings import other, setting


@settings.recipe
class Settings(settings.WrittenStrokes, settings.Recurrent, settings.FallingAdam, settings.Devices, settings.Export):
    dropout: float = setting(0.1, "share of each layer's inputs left out in training", minimum=0.0, maximum=0.95)
    beam_width: int = setting(25, "beginnings kept by the beam search", minimum=1, maximum=10_000, changeable=True)
    synthesis: str = setting(
        "", "of --mode=read_written: folder of an exported handwriting_synthesis [the shipped one]", changeable=True
    )
    num_lines: int = setting(
        250, "of --mode=read_written: lines written at each bias", minimum=1, maximum=100_000, changeable=True
    )
    alphabet: str = ALPHABET
    units: int = other(96, more="in each direction too")
    num_layers: int = 2
    learning_rate: float = 3e-3
    epochs: int = 5

    def reading(self) -> dict:
        """Gives what `data.strokes.load` is asked for, by its arguments' names."""
        return {**super().reading(), "points_per_label": models.handwriting_recognition.STRIDE}


def load(s):
    """Splits of offsets (batch, points, 3) in pen units, mask (batch, points), text (batch, characters)."""
    return data.strokes.load(**s.reading(), batch_size=s.batch_size)


def examples(s, splits):
    """Splits of ((offsets, mask), classes), class 0 after the end of a text."""
    classes = np.zeros(max(map(ord, s.alphabet)) + 1, "int32")
    classes[list(map(ord, s.alphabet))] = np.arange(1, len(s.alphabet) + 1)
    return splits.map(lambda line: ((line["offsets"], line["mask"]), tf.gather(classes, line["text"])))


def network(s):
    return models.handwriting_recognition.recognition(s.alphabet, **s.only("units", "num_layers", "dropout"))


def train(run):
    s, splits = run.settings, run.data
    measured = data.strokes.statistics(splits.train)
    falling = training.step_sizes.falling(s.learning_rate, run.num_steps(splits.train))
    with run.scope():
        model = network(s)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        model.compile(keras.optimizers.Adam(falling, global_clipnorm=1.0), loss=keras.losses.CTC())
    shown = [line.offsets for line in data.strokes.lines_of(splits.validation.spread(6))]

    def pictures():
        return {"training/read": visualize.strokes.lines(shown, read(s, model, shown)[0])}

    splits = examples(s, splits)
    run.fit(model, splits.train, splits.validation, pictures=pictures)


def read(s, model, lines):
    """What is read in lines of offsets: greedily, and by beam search."""
    return generation.line_reading.read_lines(model, lines, s.alphabet, **s.only("beam_width", "batch_size"))


def offsets_and_texts(batches):
    return zip(*((line.offsets, line.text) for line in data.strokes.lines_of(batches)), strict=True)


def evaluate(run):
    s, model = run.settings, run.load()
    lines, texts = offsets_and_texts(run.data.test)
    greedy, beam = read(s, model, lines)
    results = metrics.character_error_rate.error_rates(texts, greedy, beam)
    run.report(results, paper={"character_error_rate_percent": 11.5})
    wrong = metrics.character_error_rate.confusions(texts, greedy)
    if wrong:
        run.picture("confusions", visualize.charts.confusions(wrong))


def sample(run):
    s, model, splits = run.settings, run.load(), run.data_if_there("what is read in test lines")
    if splits is None:
        return
    lines, texts = offsets_and_texts(splits.test.spread(8))
    greedy, _ = read(s, model, lines)
    titles = [f"{text}   read: {found}" for text, found in zip(texts, greedy, strict=True)]
    run.picture("read", visualize.strokes.lines(lines[:8], titles[:8]))
    offsets, text = lines[len(lines) // 2], texts[len(lines) // 2]
    probabilities = generation.line_reading.probabilities_along(model, offsets, text, s.alphabet)
    run.picture("spikes", visualize.strokes.window(probabilities, text, offsets))


def read_written(run):
    """Reads lines that an exported synthesis writes, for texts of the test lines, which it has never seen."""
    s = run.settings
    folder = pathlib.Path(s.synthesis) if s.synthesis else training.shipping.shipped("handwriting_synthesis")
    if folder is None or not (folder / "model.tflite").is_file():
        raise ValueError(f"--synthesis={s.synthesis} holds no model.tflite: name an export of handwriting_synthesis.")
    model, splits, file = run.load(), run.data, StrokesFile(folder)
    points = data.strokes.statistics(splits.train).points_per_character
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
    s, model, splits = run.settings, run.load(), run.data_to_measure()
    served = strokes_reader(
        model,
        s.alphabet,
        max_points=s.max_points,
        measured=data.strokes.lines_of(splits.test.spread(50)) if splits else (),
        typical=data.strokes.lines_of(splits.train.spread(20)) if splits else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**s.reading(), batch_size=s.batch_size)
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points, s.max_characters))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, apart=(read_written,), untrained=(check_data,))
