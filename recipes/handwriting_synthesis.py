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

from toolkit import data, generation, layers, methods, models, training, visualize
from toolkit.data.strokes.lines import ALPHABET
from toolkit.export import run_tflite
from toolkit.lazy import keras
from toolkit.serving.strokes_writer import strokes_writer
from toolkit.training import step_sizes


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
    # The loss is the mean over a batch of nats a sequence: the paper's limits are for one sequence.
    inside, output = (
        layers.gradient_clip.limit_in_a_mean(limit, s.batch_size, s.precision)
        for limit in (s.lstm_gradient_clip, s.output_gradient_clip)
    )
    return models.handwriting.synthesis(
        s.alphabet,
        units=s.units,
        num_layers=s.num_layers,
        num_mixtures=s.num_mixtures,
        num_gaussians=s.num_gaussians,
        points_per_character=points_per_character,
        lstm_gradient_clip=inside,
        output_gradient_clip=output,
        peepholes=s.peepholes,
        fused=inside is None and not s.peepholes,
    )


def optimizer(s, num_steps):
    falling = step_sizes.falling(s.learning_rate or {"adam": 3e-3, "rmsprop": 1e-4}[s.optimizer], num_steps)
    if s.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(falling, rho=0.95, momentum=0.9, epsilon=1e-4, centered=True)
    return keras.optimizers.Adam(falling, global_clipnorm=10.0)


def noisy(model, s, num_lines=1):
    """The network as it is trained: on noisy weights if asked to. It has the same weights, and the noise's own."""
    return models.weight_noise.noisy(
        model, weight_noise=s.weight_noise, adaptive=s.adaptive_weight_noise, scale=1.0 / num_lines
    )


def compiled(model, s, num_steps, num_lines, jit_compile):
    trainee = noisy(model, s, num_lines)
    methods.stroke_likelihood.compile_likelihood(
        trainee, model, optimizer(s, num_steps), batch_size=s.batch_size, jit_compile=jit_compile
    )
    return trainee


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
    line = next(data.strokes.lines_of(splits.validation))

    def pictures():
        lines = writer.write([s.text] * 2, bias=[0.5, 2.0], max_points=s.max_points, seed=s.seed)
        found = methods.handwriting_inspection.inspect(model, real["offsets"], real["mask"], real["text"])
        for warning in found.warnings():
            print(f"\nWARNING: {warning}", flush=True)
        points, characters = len(line.offsets), len(line.text)
        return {
            **found.scalars(),
            "training/lines": visualize.strokes.lines([line.offsets for line in lines], ["bias 0.5", "bias 2"]),
            "training/window": visualize.strokes.window(lines[0].weights, s.text, lines[0].offsets),
            "training/window_on_a_real_line": visualize.strokes.window(
                found.weights[0, :points, :characters], line.text, line.offsets
            ),
            "training/mixture_weights": visualize.strokes.mixture_weights(np.exp(found.log_weights[0, :points])),
        }

    run.fit(trainee, splits.map(methods.stroke_likelihood.pairs(model)), pictures=pictures)


def trained(run):
    model = network(run.settings)
    run.load(noisy(model, run.settings))
    return model


def evaluate(run):
    s, model, splits = run.settings, trained(run), load(run.settings)
    test = splits.test.map(methods.stroke_likelihood.pairs(model)).dataset(num_epochs=1)
    results = methods.stroke_likelihood.likelihood(model, test, jit_compile=run.jit_compile)
    writer, texts = generation.strokes.Writer(model), [line.text for line in data.strokes.lines_of(splits.test)]
    texts = texts[:: max(1, len(texts) // 32)]  # they come shortest first
    written = writer.write(texts, bias=1.0, max_points=2 * s.max_points, seed=s.seed)
    results["lines_that_ended_percent"] = 100.0 * np.mean([line.ended for line in written])
    results.update(generation.priming.hand_kept(writer, lines_by_writers(s), max_points=s.max_points, seed=s.seed))
    run.report(results, paper={"log_loss_nats_per_sequence": -1096.9, "squared_error_per_point": 0.23})


def lines_by_writers(s):
    """Lines by writers whose names are known."""
    return data.strokes.read(s.data, seed=s.seed, text=True, spacing=s.spacing)[2]


def primer(s):
    """Offsets and text of the line whose hand is to be carried on; None where none was asked for."""
    if s.prime_strokes:
        return data.strokes.read_file(s.prime_strokes), s.prime_text
    if not s.style:
        return None
    line = data.strokes.longest_line(lines_by_writers(s), s.style, s.data, alphabet=s.alphabet)
    return line.offsets, line.text


def sample(run):
    s, model = run.settings, trained(run)
    writer, before = generation.strokes.Writer(model), primer(s)
    if before:
        generation.priming.check_primer(model, before, f"--prime_strokes={s.prime_strokes}")
    write = functools.partial(generation.priming.write_in_hand, writer, seed=s.sample_seed)
    draw = functools.partial(visualize.strokes.lines, smooth=True)

    lines = write([s.text] * s.num_samples, before, bias=s.bias)
    run.picture("line", draw([line.offsets for line in lines]))
    written = [data.strokes.Line(line.offsets, s.text) for line in lines]
    data.strokes.write_file(run.path("pictures", "line.json"), written)
    text = s.text.rjust(lines[0].weights.shape[1])  # after a primer it begins with a space
    run.picture("window", visualize.strokes.window(lines[0].weights, text, lines[0].offsets))
    biases = [0.0, 0.5, 1.0, 2.0, 5.0]
    lines = write([s.text] * len(biases), before, bias=biases)
    run.picture("biases", draw([line.offsets for line in lines], [f"bias {b:g}" for b in biases]))

    real = next(data.strokes.lines_of(load(s).test))
    other = before or (real.offsets, real.text)
    (primed,), (unprimed,) = (write([s.text], hand, bias=s.bias) for hand in (other, None))
    titles = ["a real line", "primed by it", "unprimed"]
    run.picture("primed", draw([other[0], primed.offsets, unprimed.offsets], titles))
    codes = model.get_layer("characters").encode(real.text)
    parts = models.handwriting.density_along(model, real.offsets, codes)
    run.picture("density", visualize.strokes.density(*parts, real.offsets))
    run.picture("mixture_weights", visualize.strokes.mixture_weights(np.exp(parts.log_weights)))


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
    batch = next(iter(load(s).train.map(methods.stroke_likelihood.pairs(model)).dataset()))
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
