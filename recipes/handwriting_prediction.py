"""Prediction of pen strokes: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 4).

Predicts where the pen goes next, and so draws without a text.

  python -m recipes.handwriting_prediction                                  all phases on embedded writers
  python -m recipes.handwriting_prediction --workdir=runs/pens --data=omniglot:strokes_background_small1.zip --epochs=12
  python -m recipes.handwriting_prediction --workdir=runs/iam --data=iam:FOLDER --max_points=1500
  python -m recipes.handwriting_prediction --mode=sample --bias=0.5 --num_samples=8
  python -m recipes.handwriting_prediction --mode=export --quantize=all    smaller .tflite files; export/card.md: costs

Here: Omniglot's real pens (small set 1), 12 epochs, seed 0, 3 minutes on two cores: -1.68 nats a point, squared error
1.47 a point; one Gaussian fitted to all offsets: 3.07.

Paper: IAM-OnDB: -1041.0 nats a line, 0.41.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes. The paper's training: --peepholes --optimizer=rmsprop --adaptive_weight_noise; there the noise comes to a
network already trained, here it is there from the first step on.
"""

import functools

import numpy as np

from toolkit import data, generation, layers, methods, metrics, models, settings, training, visualize
from toolkit.serving.strokes_writer import strokes_writer


@settings.recipe
class Settings(
    settings.Strokes,
    settings.StrokesNetwork,
    settings.Devices,
    settings.Sampling,
    settings.Export,
):
    epochs: int = 3
    num_samples: int = 6


def load(s):
    """Splits of offsets (batch, points, 3) in pen units, mask (batch, points)."""
    return data.strokes.load(**s.reading(), batch_size=s.batch_size)


def network(s):
    # The loss is the mean over a batch of nats a sequence: the paper's limits are for one sequence.
    limits = s.only("lstm_gradient_clip", "output_gradient_clip")
    limits = layers.gradient_clip.limits_in_a_mean(s.batch_size, s.precision, **limits)
    return models.handwriting.prediction(
        fused=limits["lstm_gradient_clip"] is None and not s.peepholes,
        **s.only("units", "num_layers", "num_mixtures", "peepholes"),
        **limits,
    )


def compiled(model, s, num_steps, num_lines):
    """The network as it is trained, on noisy weights if asked to: its own, and the noise's."""
    optimizer = training.step_sizes.graves_optimizer(s.optimizer, num_steps, s.learning_rate)
    noise = {"weight_noise": s.weight_noise, "adaptive": s.adaptive_weight_noise, "scale": 1.0 / num_lines}
    return methods.stroke_likelihood.compiled(model, optimizer, batch_size=s.batch_size, **noise)


def train(run):
    s, splits = run.settings, run.data
    measured = data.strokes.statistics(splits.train)
    with run.scope():
        model = network(s)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        trainee = compiled(model, s, run.num_steps(splits.train), splits.train.num_examples)
    writer, pairs = generation.strokes.Writer(model), splits.map(methods.stroke_likelihood.pairs(model))

    def pictures():
        drawn = writer.write(3, bias=0.0, max_points=s.max_points, seed=s.seed)
        return {"training/lines": visualize.strokes.lines([line.offsets for line in drawn])}

    run.fit(trainee, pairs.train, pairs.validation, network=model, pictures=pictures)


def evaluate(run):
    model, splits = run.load(), run.data
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
    s, model = run.settings, run.load()
    write = functools.partial(generation.strokes.Writer(model).write, bias=s.bias, seed=s.sample_seed)
    drawn = write(s.num_samples, max_points=s.max_points)
    run.picture("samples", visualize.strokes.lines([line.offsets for line in drawn]))

    splits = run.data_if_there("what is drawn along a real line")
    if splits is None:
        return
    offsets = next(data.strokes.lines_of(splits.test)).offsets
    parts = models.handwriting.density_along(model, offsets)
    run.picture("density", visualize.strokes.density(*parts, offsets))
    run.picture("mixture_weights", visualize.strokes.mixture_weights(np.exp(parts.log_weights)))
    half = len(offsets) // 2
    primed = write(3, max_points=len(offsets) - half, prime=(offsets[:half], ""))
    endings = [np.concatenate([offsets[:half], line.offsets]) for line in primed]
    titles = ["a real drawing", *["its first half, carried on"] * len(endings)]
    run.picture("primed", visualize.strokes.lines([offsets, *endings], titles))


def export(run):
    s, model, splits = run.settings, run.load(), run.data_to_measure()
    served = strokes_writer(
        model,
        num_steps=s.max_points,
        **s.only("max_points", "bias", "seed"),
        measured=data.strokes.lines_of(splits.test.spread(50)) if splits else (),
        typical=data.strokes.lines_of(splits.train.spread(20)) if splits else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**s.reading(), batch_size=s.batch_size)
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(check_data,))
