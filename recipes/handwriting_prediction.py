"""Prediction of pen strokes: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 4).

  python -m recipes.handwriting_prediction                                  all phases on embedded writers
  python -m recipes.handwriting_prediction --workdir=runs/pens --data=omniglot:strokes_background_small1.zip --epochs=12
  python -m recipes.handwriting_prediction --workdir=runs/iam --data=iam:FOLDER --max_points=1500
  python -m recipes.handwriting_prediction --mode=sample --bias=0.5 --num_samples=8
  python -m recipes.handwriting_prediction --mode=export --quantize=all    smaller .tflite files; export/card.md: costs

Omniglot's strokes (small set 1), 12 epochs, seed 0, 3 minutes on two cores: -1.68 nats a point (1.41 in pen units),
squared error 1.47 a point; one Gaussian fitted to all offsets: 3.07. Part of that is the tablet's grid: straight
strokes have offsets of exactly zero, where a density has no bound. Paper, IAM-OnDB: -1041.0 nats a line, 0.41.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes. The paper's training: --peepholes --optimizer=rmsprop --adaptive_weight_noise; there the noise comes to a
network already trained, here it is there from the first step on.
"""

import dataclasses
import functools

import numpy as np

from toolkit import data, generation, layers, methods, metrics, models, training, visualize
from toolkit.lazy import keras
from toolkit.serving.strokes_writer import strokes_writer
from toolkit.training import step_sizes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    data: str = training.setting(
        "embedded", "pen strokes: embedded[:LINES], iam:FOLDER, omniglot:ZIP_OR_FOLDER or npy:FOLDER"
    )
    spacing: float = training.setting(
        0.0, "pen units between the points of a stroke, which is resampled; 0: as recorded", minimum=0.0
    )
    max_points: int = training.setting(320, "longest line trained on, in pen points", minimum=2)
    units: int = training.setting(160, "LSTM cells in each layer (paper: 400)", minimum=1)
    num_layers: int = training.setting(2, "LSTM layers (paper: 3)", minimum=1)
    num_mixtures: int = training.setting(10, "Gaussians of the output (paper: 20)", minimum=1)
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
        3,
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
    bias: float = training.setting(
        0.0, "sampling bias of --mode=sample: 0 as the data, 2 neat", minimum=0.0, changeable=True
    )
    sample_seed: int = training.setting(0, "seed of what --mode=sample writes", minimum=0, changeable=True)
    num_samples: int = training.setting(6, "lines that --mode=sample writes", minimum=1, changeable=True)

    def __post_init__(self):
        super().__post_init__()
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
        "text": False,
        "max_points": s.max_points,
        "spacing": s.spacing,
    }


@functools.cache
def load(s):
    """Splits of offsets (batch, points, 3) in pen units, mask (batch, points)."""
    return data.strokes.load(**source(s))


def network(s):
    # The loss is the mean over a batch of nats a sequence: the paper's limits are for one sequence.
    inside, output = (
        layers.gradient_clip.limit_in_a_mean(limit, s.batch_size, s.precision)
        for limit in (s.lstm_gradient_clip, s.output_gradient_clip)
    )
    return models.handwriting.prediction(
        units=s.units,
        num_layers=s.num_layers,
        num_mixtures=s.num_mixtures,
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
    measured = data.strokes.statistics(splits.train)
    per_epoch = min(s.steps_per_epoch or splits.train.steps_per_epoch, splits.train.steps_per_epoch)
    with run.scope():
        model = network(s)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        trainee = compiled(model, s, s.epochs * per_epoch, splits.train.num_examples, run.jit_compile)
    writer = generation.strokes.Writer(model)

    def pictures():
        drawn = writer.write(3, bias=0.0, max_points=s.max_points, seed=s.seed)
        return {"training/lines": visualize.strokes.lines([line.offsets for line in drawn])}

    run.fit(trainee, splits.map(methods.stroke_likelihood.pairs(model)), pictures=pictures)


def trained(run):
    model = network(run.settings)
    run.load(noisy(model, run.settings))
    return model


def evaluate(run):
    model, splits = trained(run), load(run.settings)
    test = splits.test.map(methods.stroke_likelihood.pairs(model)).dataset(num_epochs=1)
    results = methods.stroke_likelihood.likelihood(model, test, jit_compile=run.jit_compile)
    mean, scale = (np.asarray(weight) for weight in model.get_layer("standardize").weights)
    fitted, held_out = (
        np.concatenate([(line.offsets - mean) / scale for line in data.strokes.lines_of(part)])
        for part in (splits.train, splits.test)
    )
    results["one_gaussian_log_loss_nats_per_point"] = metrics.one_gaussian.one_gaussian_log_loss(fitted, held_out)
    run.report(results, paper={"log_loss_nats_per_sequence": -1041.0, "squared_error_per_point": 0.41})


def sample(run):
    s, model = run.settings, trained(run)
    write = functools.partial(generation.strokes.Writer(model).write, bias=s.bias, seed=s.sample_seed)
    drawn = write(s.num_samples, max_points=s.max_points)
    run.picture("samples", visualize.strokes.lines([line.offsets for line in drawn]))

    offsets = next(data.strokes.lines_of(load(s).test)).offsets
    parts = models.handwriting.density_along(model, offsets)
    run.picture("density", visualize.strokes.density(*parts, offsets))
    run.picture("mixture_weights", visualize.strokes.mixture_weights(np.exp(parts.log_weights)))
    half = len(offsets) // 2
    primed = write(3, max_points=len(offsets) - half, prime=(offsets[:half], ""))
    endings = [np.concatenate([offsets[:half], line.offsets]) for line in primed]
    titles = ["a real drawing", *["its first half, carried on"] * len(endings)]
    run.picture("primed", visualize.strokes.lines([offsets, *endings], titles))


def export(run):
    s, splits = run.settings, load(run.settings)
    served = strokes_writer(
        trained(run),
        num_steps=s.max_points,
        max_points=s.max_points,
        bias=s.bias,
        seed=s.seed,
        measured=data.strokes.lines_of(splits.test.spread(50)),
        typical=data.strokes.lines_of(splits.train.spread(20)),
    )
    arguments = served.arguments()
    card = {**served.card, "data": s.data, "description": __doc__.splitlines()[0]}
    run.export(arguments.pop("signatures"), **{**arguments, "card": card})


def benchmark(run):
    s = run.settings
    with run.scope():
        model = trained(run)
        trainee = compiled(model, s, 1, 1, run.jit_compile)
    writer = generation.strokes.Writer(model)
    batch = next(iter(load(s).train.map(methods.stroke_likelihood.pairs(model)).dataset()))
    run.benchmark("training step", lambda: trainee.train_on_batch(*batch), per=f"batch of {s.batch_size}")
    for lines in (1, 32):
        run.benchmark(f"drawing, batch {lines}", lambda n=lines: writer.write(n, max_points=s.max_points), per="batch")


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**source(s))
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points))


def serve_data(run):
    run.serve(load(run.settings))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, check_data, serve_data, benchmark)
