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
import json
import pathlib

import numpy as np

from toolkit import data, generation, metrics, models, training, visualize
from toolkit import export as exporting
from toolkit.data.strokes.lines import ALPHABET
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.strokes_reader import strokes_reader


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
    num_steps = s.epochs * per_epoch
    falling = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(part * num_steps) for part in (0.7, 0.85, 0.95)], [s.learning_rate / part for part in (1, 3, 10, 30)]
    )
    with run.scope():
        model = network(s)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        model.compile(
            keras.optimizers.Adam(falling, global_clipnorm=1.0), loss=keras.losses.CTC(), jit_compile=run.jit_compile
        )
    shown = [offsets for offsets, _ in one_by_one(splits.validation.spread(6))][:6]

    def pictures():
        return {"training/read": visualize.strokes.lines(shown, read_lines(s, model, shown)[0])}

    run.fit(model, examples(s, splits), pictures=pictures)


def one_by_one(batches):
    """Offsets (points, 3) and text of each line, without padding."""
    for batch in batches.dataset(num_epochs=1).as_numpy_iterator():
        for offsets, mask, codes in zip(batch["offsets"], batch["mask"], batch["text"], strict=True):
            yield offsets[mask], "".join(map(chr, codes[codes > 0]))


def trained(run):
    model = network(run.settings)
    run.load(model)
    return model


def read_lines(s, model, lines):
    """What the network reads in lines of offsets: greedily, and by beam search."""
    greedy, beam, order = [""] * len(lines), [""] * len(lines), np.argsort([len(line) for line in lines])
    for first in range(0, len(lines), s.batch_size):
        chosen = order[first : first + s.batch_size]
        longest = max(1, *(len(lines[i]) for i in chosen))
        longest += -longest % 32  # a few lengths only: each new one traces the network again
        offsets, mask = np.zeros((len(chosen), longest, 3), "float32"), np.zeros((len(chosen), longest), bool)
        for row, i in enumerate(chosen):
            offsets[row, : len(lines[i])], mask[row, : len(lines[i])] = lines[i], True
        mask[:, 0] = True  # a line without a point
        logits = model.predict_on_batch((offsets, mask))
        for i, one, other in zip(
            chosen,
            generation.ctc_decoding.greedy(logits, s.alphabet),
            generation.ctc_decoding.beam_search(logits, s.alphabet, s.beam_width),
            strict=True,
        ):
            greedy[i], beam[i] = one, other
    return greedy, beam


def error_rates(texts, greedy, beam):
    words = [[text.split() for text in part] for part in (texts, greedy)]
    return {
        "character_error_rate_percent": metrics.character_error_rate.character_error_rate(texts, greedy),
        "character_error_rate_beam_percent": metrics.character_error_rate.character_error_rate(texts, beam),
        "word_error_rate_percent": metrics.character_error_rate.character_error_rate(*words),
    }


def evaluate(run):
    s, model = run.settings, trained(run)
    lines, texts = zip(*one_by_one(load(s).test), strict=True)
    greedy, beam = read_lines(s, model, lines)
    run.report(error_rates(texts, greedy, beam), paper={"character_error_rate_percent": 11.5})
    wrong = list(metrics.character_error_rate.confusions(texts, greedy).items())[:30]
    named = {f"{right or '∅'}→{read or '∅'}".replace(" ", "␣"): count for (right, read), count in wrong}
    if named:
        run.picture("confusions", visualize.charts.bars(named, "right → read (∅: nothing)"))


def sample(run):
    s, model = run.settings, trained(run)
    lines, texts = zip(*one_by_one(load(s).test.spread(8)), strict=True)
    greedy, _ = read_lines(s, model, lines)
    titles = [f"{text}   read: {read}" for text, read in zip(texts, greedy, strict=True)]
    run.picture("read", visualize.strokes.lines(lines[:8], titles[:8]))
    offsets, text = lines[len(lines) // 2], texts[len(lines) // 2]
    logits = model((offsets[None], np.ones((1, len(offsets)), bool)))[0]
    probabilities = np.asarray(keras.ops.softmax(logits))[:, [1 + s.alphabet.index(c) for c in text]]
    run.picture("spikes", visualize.strokes.window(np.repeat(probabilities, 2, axis=0)[: len(offsets)], text, offsets))


def read_written(run):
    """Reads lines that an exported synthesis writes, for texts of the test lines, which it has never seen."""
    s, model = run.settings, trained(run)
    folder = pathlib.Path(s.synthesis) if s.synthesis else training.shipped("handwriting_synthesis")
    if folder is None or not (folder / "model.tflite").is_file():
        raise ValueError(f"--synthesis={s.synthesis} holds no model.tflite: name an export of handwriting_synthesis.")
    inputs = json.loads((folder / "card.json").read_text("utf-8"))["signatures"]["generate_from_noise"]["inputs"]
    num_characters, (_, most, num_noise) = inputs["text"]["shape"][1], inputs["noise"]["shape"]
    pool = load(s).test.spread(s.num_lines)
    real, texts = zip(*one_by_one(pool), strict=True)
    call = exporting.tflite_caller(folder / "model.tflite")
    points = data.strokes.statistics(load(s).train).points_per_character
    results, shown = {}, []
    for name, value in error_rates(texts, *read_lines(s, model, real)).items():
        results[f"real_{name}"] = value
    for bias in (0.0, 0.5, 1.0, 2.0):
        random, written = np.random.default_rng([s.seed, int(bias * 10)]), []
        for text in texts:
            codes = np.zeros((1, num_characters), "int32")
            codes[0, : len(text)] = list(map(ord, text))
            # A uniform number, two normal ones, a uniform one: see the signature.
            noise = random.standard_normal((1, most, num_noise)).astype("float32")
            noise[..., [0, -1]] = random.uniform(size=(1, most, 2))
            line = call("generate_from_noise", text=codes, bias=np.array([bias], "float32"), noise=noise)
            written.append(line["strokes"][0, : line["length"][0]])
        greedy, beam = read_lines(s, model, written)
        for name, value in error_rates(texts, greedy, beam).items():
            results[f"bias_{bias:g}_{name}"] = value
        lengths, letters = np.array(list(map(len, written))), np.array(list(map(len, texts)))
        results[f"bias_{bias:g}_never_stopped_percent"] = 100.0 * np.mean(lengths >= most)
        # Half of the points that such a text takes on average.
        results[f"bias_{bias:g}_stopped_early_percent"] = 100.0 * np.mean(lengths < 0.5 * points * letters)
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
