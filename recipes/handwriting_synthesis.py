"""Handwriting from text: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 5).

  python -m recipes.handwriting_synthesis                                  all phases on embedded writers
  python -m recipes.handwriting_synthesis --mode=sample --text="Any line" --bias=1.5 --style="writer 3"
                                                                           with the shipped model, in seconds
  python -m recipes.handwriting_synthesis --mode=export --quantize=all     smaller .tflite files; export/card.md: costs
  python -m recipes.handwriting_synthesis --workdir=runs/own --data=npy:FOLDER --units=400 --num_layers=3
  python -m recipes.handwriting_synthesis --workdir=runs/iam --data=iam:FOLDER --max_points=1500 --max_characters=80

Two embedded writers, seed 0, six minutes on two cores: -615.7 nats a line (-4.16 a point, -0.62 in pen
units), squared error 0.100 a point (3.45 in pen units), every line ended by itself; letters that
can be made out. The shipped model, ten writers, 48 minutes: -669.6, 0.024. Paper, IAM-OnDB: -1096.9 nats a line, 0.23.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes. The paper's training: --peepholes --optimizer=rmsprop --adaptive_weight_noise; there the noise comes to a
network already trained, here it is there from the first step on.
"""

import dataclasses
import functools

import numpy as np

from toolkit import data, generation, layers, losses, metrics, models, training, visualize
from toolkit.data.strokes.lines import ALPHABET
from toolkit.export import run_tflite
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.strokes_writer import strokes_writer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    data: str = training.setting(
        "embedded:10000:2", "pen strokes with text: embedded[:LINES[:WRITERS]], iam:FOLDER or npy:FOLDER"
    )
    alphabet: str = training.setting(ALPHABET, "every character that a text may have")
    spacing: float = training.setting(
        0.0, "pen units between the points of a stroke, which is resampled; 0: as recorded", minimum=0.0
    )
    max_points: int = training.setting(320, "longest line trained on, in pen points", minimum=2)
    max_characters: int = training.setting(40, "longest text trained on, in characters", minimum=1)
    units: int = training.setting(160, "LSTM cells in each layer (paper: 400)", minimum=1)
    num_layers: int = training.setting(2, "LSTM layers (paper: 3)", minimum=1)
    num_mixtures: int = training.setting(10, "Gaussians of the output (paper: 20)", minimum=1)
    num_gaussians: int = training.setting(5, "Gaussians of the window (paper: 10)", minimum=1)
    peepholes: bool = training.setting(False, "the LSTMs' gates see their cell states (paper: they do)")
    lstm_gradient_clip: float = training.setting(
        10.0,
        "limit of the derivatives inside the LSTMs, for nats a sequence (paper: 10); 0: none, and fused LSTMs where "
        "they have no peepholes",
        minimum=0.0,
    )
    output_gradient_clip: float = training.setting(
        100.0, "limit of the derivatives at the output, for nats a sequence (paper: 100); 0: none", minimum=0.0
    )
    weight_noise: float = training.setting(
        0.0, "standard deviation of the noise on the weights in training (paper: 0.075); 0: none", minimum=0.0
    )
    adaptive_weight_noise: bool = training.setting(
        False, "learn each weight's noise, which starts at 0.075, and add to the loss what the weights take to describe"
    )
    optimizer: str = training.setting(
        "adam", "rmsprop is the paper's: centred, with momentum", choices=("adam", "rmsprop")
    )
    epochs: int = training.setting(
        5,
        "passes over the training data; a larger number trains on, from the first step size again",
        minimum=1,
        changeable=True,
        remembered=True,
    )
    learning_rate: float = training.setting(
        0.0,
        "first step size; over the last third it falls to a thirtieth; 0: the optimiser's, 3e-3 for adam and 1e-4, the "
        "paper's, for rmsprop",
        minimum=0.0,
        changeable=True,
        remembered=True,
    )
    text: str = training.setting("The quick brown fox", "what --mode=sample writes", changeable=True)
    bias: float = training.setting(
        1.0, "sampling bias of --mode=sample: 0 as the data, 2 neat", minimum=0.0, changeable=True
    )
    sample_seed: int = training.setting(0, "seed of what --mode=sample writes", minimum=0, changeable=True)
    num_samples: int = training.setting(4, "lines that --mode=sample writes", minimum=1, changeable=True)
    style: str = training.setting(
        "", "whose hand --mode=sample writes in: a writer of the data's test lines; empty: any", changeable=True
    )
    prime_strokes: str = training.setting(
        "", "strokes whose hand --mode=sample carries on: .json or .npy, see data/strokes/files.py", changeable=True
    )
    prime_text: str = training.setting("", "what is written in --prime_strokes", changeable=True)
    note: str = training.setting("", "what the card of --mode=ship says of the training", changeable=True)

    def __post_init__(self):
        super().__post_init__()
        if bool(self.prime_strokes) != bool(self.prime_text):
            raise ValueError("--prime_strokes=FILE and --prime_text=TEXT, what is written in it, go together.")
        if self.prime_strokes and self.style:
            raise ValueError(f"--prime_strokes={self.prime_strokes} and --style={self.style} exclude each other.")
        if self.weight_noise and self.adaptive_weight_noise:
            raise ValueError(
                f"--weight_noise={self.weight_noise} and --adaptive_weight_noise exclude each other: leave one out."
            )


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


def network(s, points_per_character=10.0):
    # The loss is the mean over a batch of nats a sequence: the paper's limits, for one sequence, shrink with it.
    # float16 multiplies all derivatives with its loss scale, so there limits inside the network make no sense.
    def limit(value):
        return value / s.batch_size if value and s.precision != "mixed_float16" else None

    model = models.handwriting.synthesis(
        s.alphabet,
        units=s.units,
        num_layers=s.num_layers,
        num_mixtures=s.num_mixtures,
        num_gaussians=s.num_gaussians,
        points_per_character=points_per_character,
        lstm_gradient_clip=limit(s.lstm_gradient_clip),
        output_gradient_clip=limit(s.output_gradient_clip),
        peepholes=s.peepholes,
        fused=limit(s.lstm_gradient_clip) is None and not s.peepholes,
    )
    return model


def optimizer(s, num_steps):
    first = s.learning_rate or {"adam": 3e-3, "rmsprop": 1e-4}[s.optimizer]
    falling = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(part * num_steps) for part in (0.7, 0.85, 0.95)], [first / part for part in (1, 3, 10, 30)]
    )
    if s.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(falling, rho=0.95, momentum=0.9, epsilon=1e-4, centered=True)
    return keras.optimizers.Adam(falling, global_clipnorm=10.0)


def with_noise(model, s, num_lines=1):
    """The network as it is trained: on noisy weights if asked to. It has the same weights, and the noise's own."""
    noise = None
    if s.weight_noise:
        noise = layers.WeightNoise(model, s.weight_noise)
    if s.adaptive_weight_noise:
        noise = layers.AdaptiveWeightNoise(model, scale=1.0 / num_lines)
    return keras.Model(model.input, noise(model.input)) if noise else model


def compiled(model, s, num_steps, num_lines, jit_compile):
    """The network as it is trained, compiled."""
    density, trainee = model.get_layer("density").distribution, with_noise(model, s, num_lines)
    trainee.compile(
        optimizer(s, num_steps),
        loss=losses.NegativeLogLikelihood(density, reduction="sum"),
        loss_weights=1.0 / s.batch_size,
        weighted_metrics=[metrics.LogLoss(density, "point"), metrics.SquaredDistance(density)],
        jit_compile=jit_compile,
    )
    return trainee


def examples(model, splits):
    """Splits of ((offsets, text), standardized offsets, mask), as `fit` takes them."""
    mean, scale = (np.asarray(weight) for weight in model.get_layer("standardize").weights)
    return splits.map(lambda line: ((line["offsets"], line["text"]), (line["offsets"] - mean) / scale, line["mask"]))


def train(run):
    s, splits = run.settings, load(run.settings)
    layers.CharacterOneHot(s.alphabet).encode(s.text)  # the pictures' text: refused now, not after an epoch
    measured = data.strokes.statistics(splits.train)
    per_epoch = min(s.steps_per_epoch or splits.train.steps_per_epoch, splits.train.steps_per_epoch)
    with run.scope():
        model = network(s, measured.points_per_character)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        trainee = compiled(model, s, s.epochs * per_epoch, splits.train.num_examples, run.jit_compile)
    writer, real = generation.strokes.Writer(model), splits.validation.peek()

    def pictures():
        lines = writer.write([s.text] * 2, bias=[0.5, 2.0], max_points=s.max_points, seed=s.seed)
        weights, log_weights, scalars = inspected(model, real)
        for warning in warnings(scalars):
            print(f"\nWARNING: {warning}", flush=True)
        points, text = int(real["mask"][0].sum()), "".join(map(chr, real["text"][0][real["text"][0] > 0]))
        return {
            **scalars,
            "training/lines": visualize.strokes.lines([line.offsets for line in lines], ["bias 0.5", "bias 2"]),
            "training/window": visualize.strokes.window(lines[0].weights, s.text, lines[0].offsets),
            "training/window_on_a_real_line": visualize.strokes.window(
                weights[0, :points, : len(text)], text, real["offsets"][0, :points]
            ),
            "training/mixture_weights": visualize.strokes.mixture_weights(np.exp(log_weights[0, :points])),
        }

    run.fit(trainee, examples(model, splits), pictures=pictures)


def inspected(model, real):
    """Of real lines: the window phi, the mixture's log weights, and the scalars that say whether both work."""
    inputs, mask = (tf.constant(real["offsets"]), tf.constant(real["text"])), real["mask"]
    density, alignment = model.get_layer("density").distribution, models.handwriting.alignment(model)
    # Not `predict`, which under a strategy would give each device these lines.
    weights, params = tf.function(lambda inputs: (alignment(inputs), model(inputs)), autograph=False)(inputs)
    weights, log_weights = np.asarray(weights), np.asarray(density.components(params).log_weights)
    read = metrics.window_alignment.text_read(weights, mask.sum(axis=1), (real["text"] > 0).sum(axis=1))
    used = metrics.mixture_use.effective_components(log_weights, mask)
    return weights, log_weights, {"window/text_read": float(read.mean()), "mixture/effective_components": used}


def warnings(scalars):
    """What is wrong with a network whose loss alone would not tell, and what to change."""
    read, used = scalars["window/text_read"], scalars["mixture/effective_components"]
    if read < 0.5:
        yield (
            f"the window passes {read:.0%} of a text while a real line is written: it does not move, and the letters "
            "are not those of the text. Try a lower --learning_rate or another --seed; or --spacing, where the points "
            "of the data are dense."
        )
    if read > 1.5:
        yield f"the window is at {read:.0%} of a text when its real line ends: it runs ahead. Lower --learning_rate."
    if used < 1.5:
        yield (
            f"{used:.2f} of the mixture's components are in use: it has collapsed, and every pen movement is of one "
            "kind. Lower --learning_rate, or take more lines; --num_mixtures=1 would do the same."
        )


def trained(run):
    model = network(run.settings)
    run.load(with_noise(model, run.settings))
    return model


def evaluate(run):
    model, splits = trained(run), load(run.settings)
    density, standardize = model.get_layer("density").distribution, model.get_layer("standardize")
    scale = np.asarray(standardize.scale)[:2]
    model.compile(
        loss=losses.NegativeLogLikelihood(density),
        weighted_metrics=[
            metrics.LogLoss(density, "sequence"),
            metrics.LogLoss(density, "point"),
            metrics.SquaredDistance(density),
            metrics.SquaredDistance(density, scale, name="squared_error_per_point_pen_units"),
        ],
        jit_compile=run.jit_compile,
    )
    results = model.evaluate(examples(model, splits).test.dataset(num_epochs=1), verbose=0, return_dict=True)
    del results["loss"]  # the mean over batches of unlike length
    # A density over offsets that are `scale` times as large is as many times lower.
    results["log_loss_nats_per_point_pen_units"] = results["log_loss_nats_per_point"] + float(np.log(scale).sum())
    writer = generation.strokes.Writer(model)
    batches = splits.test.dataset(num_epochs=1).as_numpy_iterator()
    texts = ["".join(map(chr, codes[codes > 0])) for batch in batches for codes in batch["text"]]
    texts = texts[:: max(1, len(texts) // 32)]  # they come shortest first
    written = writer.write(texts, bias=1.0, max_points=2 * run.settings.max_points, seed=run.settings.seed)
    results["lines_that_ended_percent"] = 100.0 * np.mean([line.ended for line in written])
    results.update(hands(run.settings, writer))
    run.report(results, paper={"log_loss_nats_per_sequence": -1096.9, "squared_error_per_point": 0.23})


def hands(s, writer):
    """How often a primed line looks more like its primer's hand than like another writer's."""
    lines = data.strokes.read(s.data, seed=s.seed, text=True, spacing=s.spacing)[2]
    by_writer = {}
    for line in sorted(lines, key=lambda line: -len(line.text)):
        if line.writer and len(line.offsets) <= s.max_points and set(line.text) <= set(s.alphabet):
            by_writer.setdefault(line.writer, []).append(line)
    by_writer = dict(sorted((name, lines) for name, lines in by_writer.items() if len(lines) >= 4)[:10])
    if len(by_writer) < 2:
        return {}

    def measured(offsets, text):
        return metrics.handwriting_style.style(offsets, len(text))

    real = [(name, measured(line.offsets, line.text)) for name, lines in by_writer.items() for line in lines[:40]]
    texts = [lines[3].text for lines in by_writer.values()]
    primed = []
    for name, lines in by_writer.items():
        before = lines[0].offsets, lines[0].text
        for text, line in zip(texts, in_the_hand_of(s, writer, before, texts, 1.0, s.seed), strict=True):
            if len(line.offsets) > 1:
                primed.append((name, measured(line.offsets, text)))
    nearer, by_measure = metrics.handwriting_style.nearer_its_primer(primed, real)
    by_measure = {f"nearer_its_primer_by_{name}_percent": value for name, value in by_measure.items()}
    return {"nearer_its_primer_percent": nearer, **by_measure}


def primer(s):
    """Offsets and text of the line whose hand is to be carried on; None where none was asked for."""
    if s.prime_strokes:
        return data.strokes.read_file(s.prime_strokes), s.prime_text
    if not s.style:
        return None
    lines = data.strokes.read(s.data, seed=s.seed, text=True, spacing=s.spacing)[2]
    names = sorted({line.writer for line in lines})
    of_writer = [line for line in lines if line.writer == s.style and set(line.text) <= set(s.alphabet)]
    if not of_writer:
        raise ValueError(f"--style={s.style}: expected a writer of {s.data}: {', '.join(names)}.")
    longest = max(of_writer, key=lambda line: len(line.text))
    return longest.offsets, longest.text


def in_the_hand_of(s, writer, before, texts, bias, seed):
    """Texts as a primer's hand writes them."""
    space = " " * (" " in s.alphabet)
    most = 40 * max(map(len, texts)) + 100
    return writer.write([space + text for text in texts], bias=bias, max_points=most, seed=seed, prime=before)


def sample(run):
    s, model = run.settings, trained(run)
    writer, before = generation.strokes.Writer(model), primer(s)
    check_primer(s, model, before)

    def write(texts, bias):
        if before:
            return in_the_hand_of(s, writer, before, texts, bias, s.sample_seed)
        return writer.write(texts, bias=bias, max_points=40 * len(s.text) + 100, seed=s.sample_seed)

    lines = write([s.text] * s.num_samples, s.bias)
    run.picture("line", visualize.strokes.lines([line.offsets for line in lines], smooth=True))
    written = [data.strokes.Line(line.offsets, s.text) for line in lines]
    data.strokes.write_file(run.path("pictures", "line.json"), written)
    text = " " * (before is not None and " " in s.alphabet) + s.text
    run.picture("window", visualize.strokes.window(lines[0].weights, text, lines[0].offsets))
    biases = [0.0, 0.5, 1.0, 2.0, 5.0]
    lines = write([s.text] * len(biases), biases)
    run.picture(
        "biases",
        visualize.strokes.lines([line.offsets for line in lines], [f"bias {b:g}" for b in biases], smooth=True),
    )

    real = load(s).test.peek()
    points, characters = int(real["mask"][0].sum()), int((real["text"][0] > 0).sum())
    offsets, codes = real["offsets"][0, :points], real["text"][0, :characters]
    other = before or (offsets, "".join(map(chr, codes)))
    (primed,) = in_the_hand_of(s, writer, other, [s.text], s.bias, s.sample_seed)
    (unprimed,) = writer.write([s.text], bias=s.bias, max_points=40 * len(s.text) + 100, seed=s.sample_seed)
    run.picture(
        "primed",
        visualize.strokes.lines(
            [other[0], primed.offsets, unprimed.offsets], ["a real line", "primed by it", "unprimed"], smooth=True
        ),
    )
    params = model((real["offsets"][:1, :points], real["text"][:1]))
    parts, standardize = model.get_layer("density").distribution.components(params[0]), model.get_layer("standardize")
    mean, scale = (np.asarray(weight)[:2] for weight in standardize.weights)
    run.picture(
        "density",
        visualize.strokes.density(
            np.asarray(parts.log_weights),
            np.asarray(parts.means) * scale + mean,
            np.asarray(parts.scale_tril) * scale[:, None],
            offsets,
        ),
    )
    run.picture("mixture_weights", visualize.strokes.mixture_weights(np.exp(parts.log_weights)))


def check_primer(s, model, before):
    """Strokes of another tablet are of another size, or more dense: the network has never seen such a pen."""
    if before is None:
        return
    layers.CharacterOneHot(s.alphabet).encode(before[1])
    trained_with = float(np.mean(np.asarray(model.get_layer("standardize").scale)[:2]))
    times = float(before[0][:, :2].std(axis=0).mean()) / trained_with
    if not 0.5 < times < 2.0:
        raise ValueError(
            f"--prime_strokes={s.prime_strokes}: its offsets are {times:.2g} times as large as those the network was "
            f"trained on, {trained_with:.3g} a point. Scale the strokes, or take every so many points."
        )


def text_length(s):
    """Characters that the exported model takes, the zero at the end among them."""
    return max(64, s.max_characters + 1)


def export(run):
    s, splits = run.settings, load(run.settings)
    served = strokes_writer(
        trained(run),
        num_steps=max(700, 2 * s.max_points),
        max_points=s.max_points,
        num_characters=text_length(s),
        text=s.text,
        bias=s.bias,
        seed=s.seed,
        measured=data.strokes.lines_of(splits.test.spread(50)),
        typical=data.strokes.lines_of(splits.train.spread(20)),
    )
    arguments = served.arguments()
    card = {**served.card, "data": s.data, "description": __doc__.splitlines()[0]}
    run.export(arguments.pop("signatures"), **{**arguments, "card": card})


def write(run):
    """Writes the text through the exported `.tflite`, as a phone would, with the LiteRT interpreter alone."""
    s, path = run.settings, run.exported / "model.tflite"
    codes = layers.CharacterOneHot(s.alphabet).encode(s.text, text_length(s))[None]
    inputs = {"text": codes, "bias": np.array([s.bias], "float32")}
    line = run_tflite(path, {"generate": inputs})[0]["generate"]
    offsets = line["strokes"][0, : line["length"][0]]
    run.picture(
        "line_from_tflite",
        visualize.strokes.lines([offsets], [f"{s.text}   (model.tflite, bias {s.bias:g})"], smooth=True),
    )


def ship(run):
    """Makes this run's model the one that comes with the code."""
    pictures = ["line", "biases", "window", "primed", "line_from_tflite"]
    print(
        "  written:",
        training.ship(run, trained(run), pictures, curve="log_loss_nats_per_point", text=run.settings.note),
    )


def benchmark(run):
    s = run.settings
    with run.scope():
        model = trained(run)
        trainee = compiled(model, s, 1, 1, run.jit_compile)
    writer = generation.strokes.Writer(model)
    batch = next(iter(examples(model, load(s)).train.dataset()))
    run.benchmark("training step", lambda: trainee.train_on_batch(*batch), per=f"batch of {s.batch_size}")
    for lines in (1, 32):
        run.benchmark(f"writing, batch {lines}", lambda n=lines: writer.write([s.text] * n, s.bias), per="batch")


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**source(s))
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points, s.max_characters))


def serve_data(run):
    run.serve(load(run.settings))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, write, check_data, serve_data, benchmark, ship)
