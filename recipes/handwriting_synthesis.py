"""Handwriting from text: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 5).

Writes a given text as pen strokes, in the hand of a line that it is shown.

  python -m recipes.handwriting_synthesis                                  all phases on embedded writers
  python -m recipes.handwriting_synthesis --mode=sample --text="Any line" --bias=1.5 --style="writer 3"
                                                                           with the shipped model, in seconds
  python -m recipes.handwriting_synthesis --workdir=runs/iam --data=iam:FOLDER --max_points=1500 --max_characters=80
  python -m recipes.handwriting_synthesis --workdir=runs/mine --data=json:recordings.json \\
    --points_per_character=10 --start_from=saved_models/handwriting_synthesis --units=224 --num_mixtures=20 \\
    --num_gaussians=10
                                                                           in the hand of one's own recordings

Here: two embedded writers, seed 0, six to nine minutes on two cores: -615.7 and -618.0 nats a line on two processors,
squared error 0.100 and 0.095 a point, letters that can be made out. The shipped model, ten writers, 48 minutes: -669.6,
0.024.

Paper: IAM-OnDB: -1096.9 nats a line, 0.23.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes. The paper's training: --peepholes --optimizer=rmsprop --adaptive_weight_noise; there the noise comes to a
network already trained, here it is there from the first step on.
"""

import functools

import numpy as np

from toolkit import data, generation, layers, methods, models, settings, training, visualize
from toolkit.data.strokes.lines import ALPHABET
from toolkit.serving.strokes_file import StrokesFile
from toolkit.serving.strokes_writer import strokes_writer
from toolkit.settings import setting


@settings.recipe
class Settings(
    settings.WrittenStrokes,
    settings.StrokesNetwork,
    settings.StartFrom,
    settings.Devices,
    settings.Sampling,
    settings.Export,
):
    text: str = setting("The quick brown fox", "what --mode=sample writes", maximum=1000, changeable=True)
    style: str = setting("", "whose hand --mode=sample writes in: a writer of the test lines", changeable=True)
    prime_strokes: str = setting(
        "", "strokes whose hand --mode=sample carries on: .json or .npy, see data/strokes/files.py", changeable=True
    )
    prime_text: str = setting("", "what is written in --prime_strokes", maximum=1000, changeable=True)
    num_gaussians: int = setting(5, "Gaussians of the window", paper="10", minimum=1, maximum=1000)
    data: str = "embedded:10000:2"
    alphabet: str = ALPHABET
    epochs: int = 5
    bias: float = 1.0

    def check(self) -> None:
        if bool(self.prime_strokes) != bool(self.prime_text):
            raise ValueError("--prime_strokes=FILE and --prime_text=TEXT, what is written in it, go together.")
        if self.prime_strokes and self.style:
            raise ValueError(f"--prime_strokes={self.prime_strokes} and --style={self.style} exclude each other.")


def load(s):
    """Splits of offsets (batch, points, 3) in pen units, mask (batch, points), text (batch, characters)."""
    return data.strokes.load(**s.reading(), batch_size=s.batch_size)


def network(s, points_per_character=10.0):
    # The loss is the mean over a batch of nats a sequence: the paper's limits are for one sequence.
    limits = s.only("lstm_gradient_clip", "output_gradient_clip")
    limits = layers.gradient_clip.limits_in_a_mean(s.batch_size, s.precision, **limits)
    return models.handwriting.synthesis(
        s.alphabet,
        points_per_character=points_per_character,
        fused=limits["lstm_gradient_clip"] is None and not s.peepholes,
        **s.only("units", "num_layers", "num_mixtures", "num_gaussians", "peepholes"),
        **limits,
    )


def compiled(model, s, num_steps, num_lines):
    """The network as it is trained, on noisy weights if asked to: its own, and the noise's."""
    optimizer = training.step_sizes.graves_optimizer(s.optimizer, num_steps, s.learning_rate)
    noise = {"weight_noise": s.weight_noise, "adaptive": s.adaptive_weight_noise, "scale": 1.0 / num_lines}
    return methods.stroke_likelihood.compiled(model, optimizer, batch_size=s.batch_size, **noise)


def train(run):
    s, splits = run.settings, run.data
    layers.CharacterOneHot(s.alphabet).encode(s.text)  # the pictures' text: refused now, not after an epoch
    measured = data.strokes.statistics(splits.train)
    with run.scope():
        model = network(s, measured.points_per_character)
        if s.start_from and not run.has("model"):  # what a checkpoint holds need not be looked for again
            begin_with(run, model, measured.points_per_character)
        model.get_layer("standardize").adapt(measured.mean, measured.scale)
        trainee = compiled(model, s, run.num_steps(splits.train), splits.train.num_examples)
    writer, pairs = generation.strokes.Writer(model), splits.map(methods.stroke_likelihood.pairs(model))
    run.fit(trainee, pairs.train, pairs.validation, network=model, pictures=functools.partial(inspect, run, writer))


def begin_with(run, model, points_per_character):
    """Takes the weights of another run's network, to which these letters must be as dense as those it has learned."""
    name, before = f"--start_from={run.settings.start_from}", run.load(workdir=run.settings.start_from)
    training.networks.copy_weights(before, model, name)
    alphabet = before.get_layer("characters").alphabet
    if alphabet != run.settings.alphabet:
        raise ValueError(f"{name} knows other characters. Give --alphabet={alphabet!r}.")
    learned = 1 / before.get_layer("window").cell.initial_advance
    if not learned / 1.3 < points_per_character < learned * 1.3:
        raise ValueError(
            f"{name} has learned characters of {learned:.1f} pen points, those of --data have "
            f"{points_per_character:.1f}. Give --points_per_character={learned:.3g}."
        )


def inspect(run, writer):
    """Writes, reads a real line, and says what is wrong with a network whose loss alone would not tell."""
    s, validation = run.settings, run.data.validation
    real, line = validation.peek(), next(data.strokes.lines_of(validation))
    lines = writer.write([s.text] * 2, [0.5, 2.0], max_points=s.max_points, seed=s.seed)
    found = methods.handwriting_inspection.inspect(writer.model, real["offsets"], real["mask"], real["text"])
    for warning in found.warnings():
        print(f"\nWARNING: {warning}", flush=True)
    return {**found.scalars(), **visualize.strokes.training(lines, s.text, found.weights, found.log_weights, line)}


def evaluate(run):
    s, model, splits = run.settings, run.load(), run.data
    test = splits.test.map(methods.stroke_likelihood.pairs(model)).dataset(num_epochs=1)
    results = methods.stroke_likelihood.likelihood(model, test, jit_compile=run.jit_compile)
    writer, texts = generation.strokes.Writer(model), [line.text for line in data.strokes.lines_of(splits.test)]
    texts = texts[:: max(1, len(texts) // 32)]  # they come shortest first
    written = writer.write(texts, bias=1.0, max_points=2 * s.max_points, seed=s.seed)
    results["lines_that_ended_percent"] = 100.0 * np.mean([line.ended for line in written])
    results.update(generation.priming.hand_kept(writer, lines_by_writers(s), max_points=s.max_points, seed=s.seed))
    run.report(results, paper={"log_loss_nats_per_sequence": -1096.9, "squared_error_per_point": 0.23})


def lines_by_writers(s):
    return data.strokes.read(s.data, text=True, **s.only("seed", "spacing", "points_per_character"))[2]


def primer(s):
    """Offsets and text of the line whose hand is to be carried on; None where none was asked for."""
    if s.prime_strokes:
        return data.strokes.read_file(s.prime_strokes), s.prime_text
    if not s.style:
        return None
    line = data.strokes.longest_line(lines_by_writers(s), s.style, s.data, alphabet=s.alphabet)
    return line.offsets, line.text


def sample(run):
    s, model = run.settings, run.load()
    writer, before = generation.strokes.Writer(model), primer(s)
    if before:
        where = f"--prime_strokes={s.prime_strokes}" if s.prime_strokes else f"--style={s.style}"
        if s.prime_strokes:  # of any pen: to the size and density that the network has learned to see
            before = generation.priming.fit_primer(writer, before, where, resample=data.strokes.resampling.resample)
        generation.priming.check_primer(model, before, where)
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

    splits = run.data_if_there("what is drawn along a real line")
    if splits is None:
        return
    real = next(data.strokes.lines_of(splits.test))
    other = before or (real.offsets, real.text)
    (primed,), (unprimed,) = (write([s.text], hand, bias=s.bias) for hand in (other, None))
    titles = ["a real line", "primed by it", "unprimed"]
    run.picture("primed", draw([other[0], primed.offsets, unprimed.offsets], titles))
    codes = model.get_layer("characters").encode(real.text)
    parts = models.handwriting.density_along(model, real.offsets, codes)
    run.picture("density", visualize.strokes.density(*parts, real.offsets))
    run.picture("mixture_weights", visualize.strokes.mixture_weights(np.exp(parts.log_weights)))


def export(run):
    s, model, splits = run.settings, run.load(), run.data_to_measure()
    served = strokes_writer(
        model,
        num_steps=max(700, 2 * s.max_points),
        num_characters=max(64, s.max_characters + 1),  # the zero at the end among them
        **s.only("max_points", "text", "bias", "seed"),
        measured=data.strokes.lines_of(splits.test.spread(50)) if splits else (),
        typical=data.strokes.lines_of(splits.train.spread(20)) if splits else (),
    )
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def write(run):
    """Writes the text through the exported `.tflite`, as a phone would, with the LiteRT interpreter alone."""
    s, file = run.settings, StrokesFile(run.exported)
    layers.CharacterOneHot(s.alphabet).encode(s.text, file.num_characters)  # says what cannot be written
    (offsets,) = file.write([s.text], bias=s.bias, seed=s.sample_seed)
    title = f"{s.text}   (model.tflite, bias {s.bias:g})"
    run.picture("line_from_tflite", visualize.strokes.lines([offsets], [title], smooth=True))


def check_data(run):
    s = run.settings
    found = data.strokes.examine(**s.reading(), batch_size=s.batch_size)
    run.check(found.report, lambda: visualize.stroke_report.pictures(found, s.max_points, s.max_characters))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, write, untrained=(check_data,))
