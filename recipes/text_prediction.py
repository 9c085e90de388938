"""Text from text: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 3).

Predicts and writes characters, bytes or words, and learns on while it is tested: dynamic evaluation.

  python -m recipes.text_prediction                                         all phases on embedded English
  python -m recipes.text_prediction --workdir=runs/play --data=text:tinyshakespeare.txt --units=512 --epochs=12
  python -m recipes.text_prediction --workdir=runs/ptb --data=ptb:FOLDER --level=word --units=1000
  python -m recipes.text_prediction --mode=sample --prompt="The " --temperature=0.7 --length=1000
  python -m recipes.text_prediction --workdir=runs/noisy --start_from=runs/play --data=text:tinyshakespeare.txt \
      --units=512 --weight_noise=0.075                                      on from a trained network, as the paper does

Here: Penn Treebank, 512 units, trained on its validation file only, a thirteenth of the training file, 5 minutes on two
cores: 1.66 bits a character, dynamic 1.60. Embedded English, seeds 0, 1 and 2, 2.5 minutes: 1.762 to 1.767, dynamic
1.596 to 1.606.

Paper: Penn Treebank, trained on all of it, with weight noise: 1.27, dynamic 1.24.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes; --optimizer=sgd --peepholes is the paper's training.
"""

import dataclasses
import functools
import pathlib

from toolkit import data, generation, losses, methods, metrics, models, serving, training, visualize
from toolkit.lazy import keras


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings(training.Settings):
    data: str = training.setting(
        "embedded", "text: embedded[:python], text:FILE, text:TRAIN[,VALIDATION],TEST, ptb:FOLDER or tfds:NAME"
    )
    level: str = training.setting("char", "what a token is", choices=("char", "byte", "word"))
    encoding: str = training.setting("utf-8", "of text files, such as latin-1 or utf-16")
    held_out: float = training.setting(0.1, "share of a text without a test part that becomes one", minimum=0.0)
    vocabulary_size: int = training.setting(10_000, "words known, the others are <unk>; 0: all", minimum=0)
    units: int = training.setting(256, "LSTM cells in each layer (paper: 1000; Wikipedia: 700)", minimum=1)
    num_layers: int = training.setting(1, "LSTM layers (paper: 1; Wikipedia: 7)", minimum=1)
    embedding_size: int = training.setting(
        0, "numbers that a token is looked up as; 0: rows of the LSTMs' kernels (paper: one-hot, the same)", minimum=0
    )
    skip_connections: bool = training.setting(True, "each layer sees the input, and the output sees each layer")
    peepholes: bool = training.setting(False, "the LSTMs' gates see their cell states (paper: they do)")
    lstm_gradient_clip: float = training.setting(
        1.0,
        "limit of the derivatives inside the LSTMs, for nats a sequence (paper: 1); 0: none, and fused LSTMs where "
        "there is an --embedding_size and no peepholes",
        minimum=0.0,
    )
    num_sampled: int = training.setting(0, "words of a sampled softmax in training; 0: the exact softmax", minimum=0)
    sequence_length: int = training.setting(100, "tokens that a derivative goes back (paper: 100)", minimum=1)
    reset_every: int = training.setting(
        100, "sequences after which states begin anew (paper: 100); 0: never", minimum=0
    )
    weight_noise: float = training.setting(
        0.0, "standard deviation of the noise on the weights in training (paper: 0.075); 0: none", minimum=0.0
    )
    adaptive_weight_noise: bool = training.setting(
        False, "learn each weight's noise, which starts at 0.075, and add to the loss what the weights take to describe"
    )
    start_from: str = training.setting(
        "", "workdir of a trained network of the same sizes, whose weights to begin with"
    )
    optimizer: str = training.setting("adam", "sgd is the paper's, with momentum 0.99", choices=("adam", "sgd"))
    epochs: int = training.setting(
        8, "passes over the text; a larger number trains on", minimum=1, changeable=True, remembered=True
    )
    learning_rate: float = training.setting(
        0.0,
        "first step size; over the last third it falls to a thirtieth; 0: the optimiser's, 3e-3 for adam and 1e-4, the "
        "paper's, for sgd",
        minimum=0.0,
        changeable=True,
        remembered=True,
    )
    dynamic_learning_rate: float = training.setting(
        0.3, "step size of dynamic evaluation, for the mean nats of a sequence", minimum=0.0, changeable=True
    )
    max_evaluated: int = training.setting(
        0, "tokens of the test text that are evaluated, from its start; 0: all", minimum=0, changeable=True
    )
    prompt: str = training.setting("", "text that --mode=sample carries on", changeable=True)
    temperature: float = training.setting(
        0.8, "0: the most probable token each time; 1: as the model expects", minimum=0.0, changeable=True
    )
    top_k: int = training.setting(0, "draw from the k most probable tokens; 0: from all", minimum=0, changeable=True)
    length: int = training.setting(600, "tokens that --mode=sample writes", minimum=1, changeable=True)
    num_samples: int = training.setting(3, "texts that --mode=sample writes", minimum=1, changeable=True)
    sample_seed: int = training.setting(0, "seed of what --mode=sample writes", minimum=0, changeable=True)
    runtime: str = training.setting(
        "keras", "what --mode=sample writes with: keras, or the exported model.tflite", choices=("keras", "tflite"),
        changeable=True,
    )  # fmt: skip
    max_prompt: int = training.setting(
        200, "longest prompt of the exported model, in tokens", minimum=1, changeable=True
    )
    max_length: int = training.setting(
        1000, "longest text of the exported model, in tokens", minimum=1, changeable=True
    )

    def __post_init__(self):
        super().__post_init__()
        if self.weight_noise and self.adaptive_weight_noise:
            raise ValueError(
                f"--weight_noise={self.weight_noise} and --adaptive_weight_noise exclude each other: leave one out."
            )
        if self.strategy != "single":
            raise ValueError(
                f"--strategy={self.strategy}: a stream's state is one device's. Leave it out, and raise --batch_size."
            )
        if self.num_sampled and self.level != "word":
            raise ValueError(f"--num_sampled={self.num_sampled} is for words, which are sorted by frequency.")


@functools.cache
def corpus(s, vocabulary=None):
    """The text as token numbers, in three parts; a trained network's vocabulary decides the numbers."""
    found = data.text.load(
        s.data, level=s.level, encoding=s.encoding, held_out=s.held_out, max_tokens=s.vocabulary_size
    )
    if vocabulary:
        read = f"the text that --workdir={s.workdir} was trained on"
        found.vocabulary.check_equal(vocabulary, f"--data={s.data}", read)
    return found


def vocabulary_of(run):
    """The trained network's, which its workdir or its export holds."""
    path = run.path("vocabulary.json")
    return data.text.Vocabulary.read(path if path.exists() else run.exported / "card.json")


def network(s, vocabulary):
    # The paper's limit is for one sequence's loss, and makes no sense under loss scaling.
    clip = s.lstm_gradient_clip / s.batch_size if s.lstm_gradient_clip and s.precision != "mixed_float16" else None
    return models.text_rnn.language_model(
        list(vocabulary.tokens),
        s.level,
        units=s.units,
        num_layers=s.num_layers,
        embedding_size=s.embedding_size,
        skip_connections=s.skip_connections,
        lstm_gradient_clip=clip,
        peepholes=s.peepholes,
        fused=clip is None and not s.peepholes and bool(s.embedding_size),
        num_sampled=s.num_sampled,
    )


def trainee(model, s, num_sequences=1):
    return models.text_rnn.stateful(model, s.batch_size, s.weight_noise, s.adaptive_weight_noise, num_sequences)


def optimizer(s, num_steps):
    first = s.learning_rate or {"adam": 3e-3, "sgd": 1e-4}[s.optimizer]
    falling = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(part * num_steps) for part in (0.7, 0.85, 0.95)], [first / part for part in (1, 3, 10, 30)]
    )
    if s.optimizer == "sgd":
        return keras.optimizers.SGD(falling, momentum=0.99)
    return keras.optimizers.Adam(falling, global_clipnorm=10.0)


def compiled(model, s, num_steps, num_sequences, jit_compile):
    network = trainee(model, s, num_sequences)
    network.compile(
        optimizer(s, num_steps),
        loss=losses.Precomputed(reduction="sum"),
        loss_weights=1.0 / s.batch_size,  # nats a sequence
        weighted_metrics=[metrics.Bits(f"bits_per_{data.text.vocabulary.UNITS[s.level]}")],
        jit_compile=jit_compile,
    )
    return network


def streams(s, text):
    return text.splits(s.batch_size, s.sequence_length, s.reset_every).map(data.text.streaming.as_fitted)


def train(run):
    s, text = run.settings, corpus(run.settings)
    splits = streams(s, text)
    per_epoch = min(s.steps_per_epoch or splits.train.steps_per_epoch, splits.train.steps_per_epoch)
    with run.scope():
        model = network(s, text.vocabulary)
        if s.start_from:
            begin_with(run, model, text.vocabulary)
        trained = compiled(model, s, s.epochs * per_epoch, per_epoch * s.batch_size, run.jit_compile)
    training.checkpoints.write_json(run.path("vocabulary.json"), text.vocabulary.as_dict())
    generator = generation.text.Generator(model, excluded=text.vocabulary.excluded)
    passage = text.tokens["validation"][:480]

    def pictures():
        written = generator.write([], 480, temperature=0.8, seed=s.seed)[0]
        return {
            "training/written": costs(text.vocabulary, generator, written, "written by the network, temperature 0.8"),
            "training/read": costs(text.vocabulary, generator, passage, "validation text"),
        }

    run.fit(trained, splits, pictures=pictures)


def costs(vocabulary, generator, tokens, title):
    return visualize.text.bits(vocabulary.shown(tokens), generator.nats(tokens), vocabulary.unit, title=title)


def begin_with(run, model, vocabulary):
    """Loads the weights of another workdir's network; what it was trained with, noise or batches, may differ."""
    folder = pathlib.Path(run.settings.start_from)
    stored = training.workdir.stored_settings(folder)
    if not stored or stored["recipe"] != run.recipe or not stored["trained"]:
        raise ValueError(f"--start_from={folder} is not the workdir of a trained {run.recipe}.")
    before = data.text.Vocabulary.read(folder / "vocabulary.json")
    before.check_equal(vocabulary, f"--start_from={folder}", f"--data={run.settings.data}")
    run.load(trainee(model, Settings(**stored["settings"])), workdir=folder)


def trained(run, vocabulary=None):
    s = run.settings
    model = network(s, vocabulary or vocabulary_of(run))
    run.load(trainee(model, s))
    return model


def evaluate(run):
    s, vocabulary = run.settings, vocabulary_of(run)
    text, model = corpus(s, vocabulary), trained(run, vocabulary)
    test = text.tokens["test"][: s.max_evaluated or None]
    sample = text.tokens["train"][: len(test)]

    def nats(tokens, batch_size, rate, name):
        batches = data.text.streaming.streams(tokens, batch_size, s.sequence_length).dataset(num_epochs=1)
        return methods.dynamic_evaluation.token_nats(models.text_rnn.stateful(model, batch_size), batches, rate, name)

    share = len(test) / len(text.tokens["test"])
    seen = nats(sample, s.batch_size, 0.0, "train, static")
    found = {"train_bits_per_token": metrics.bits.summary(seen, len(seen), len(seen))["bits_per_token"]}
    for name, rate in (("static", 0.0), ("dynamic", s.dynamic_learning_rate)):
        taken = nats(test, 1, rate, f"test, {name}")
        told = metrics.bits.summary(taken, share * text.characters["test"], share * text.words["test"])
        found |= {f"{name}_{unit}": value for unit, value in told.items()}
    found["order_2_counts_bits_per_token"] = metrics.n_gram.n_gram_bits(
        text.tokens["train"], test, len(vocabulary.tokens)
    )
    run.report(
        found,
        paper={
            "static_bits_per_character": {"word": 1.27}.get(s.level, 1.32),
            "dynamic_bits_per_character": {"word": 1.25}.get(s.level, 1.29),
        },
    )


def sample(run):
    s, vocabulary = run.settings, vocabulary_of(run)
    prompt = vocabulary.encode_known(s.prompt, "--prompt")
    if s.runtime == "tflite":
        writer = serving.language_model.TextWriter(run.exported)
    else:
        writer = generation.text.Generator(trained(run, vocabulary), s.top_k, vocabulary.excluded)
    texts = writer.write(prompt, s.length, num_texts=s.num_samples, temperature=s.temperature, seed=s.sample_seed)
    for number, tokens in enumerate(texts):
        print(f"\n--- {number + 1} of {len(texts)}\n{vocabulary.decode([*prompt, *tokens])}")
    written = "\n\n---\n\n".join(vocabulary.decode([*prompt, *tokens]) for tokens in texts)
    training.checkpoints.write_whole(run.path("samples.txt"), lambda file: file.write(written.encode() + b"\n"))
    if s.runtime == "tflite":
        return
    run.picture("written", costs(vocabulary, writer, [*prompt, *texts[0]][:1200], f"written, {s.temperature:g}"))
    test = corpus(s, vocabulary).tokens["test"]
    run.picture("read", costs(vocabulary, writer, test[:1200], "test text"))
    values = metrics.cell_memory.cell_values(state for _, state in writer.along([*test[:120], 0]))[1:]
    slowest = metrics.cell_memory.slowest_cells(values), "that change most slowly"
    run.picture("cells", visualize.text.cells(vocabulary.shown(test[:120]), values, *slowest))
    if s.level == "word":
        return
    written = writer.write([], 1000, num_texts=16, temperature=0.8, seed=s.sample_seed)
    curves = metrics.bracket_closing.beside_chance(
        vocabulary.decode(test[:16_000]), [vocabulary.decode(row) for row in written]
    )
    if curves:
        run.report(metrics.bracket_closing.closed_within(curves))
        figure = visualize.charts.curves(curves, "characters after a bracket or quote was opened", "share closed")
        run.picture("brackets", figure)
    else:
        print("  brackets: none in the test text, or none written: no curve")


def export(run):
    s, vocabulary = run.settings, vocabulary_of(run)
    text, model = corpus(s, vocabulary), trained(run, vocabulary)
    served = serving.language_model.language_model(
        model,
        train=text.tokens["train"],
        test=text.tokens["test"],
        max_prompt=s.max_prompt,
        max_length=s.max_length,
        top_k=s.top_k,
        seed=s.seed,
    )
    card = {"data": s.data, "description": __doc__.splitlines()[0], **served.card}
    run.export(**{**served.arguments(), "card": card})


def benchmark(run):
    s, vocabulary = run.settings, vocabulary_of(run)
    with run.scope():
        model = trained(run, vocabulary)
        fitted = compiled(model, s, 1, 1, run.jit_compile)
    batch = next(iter(streams(s, corpus(s, vocabulary)).train.dataset()))
    size = s.batch_size * s.sequence_length
    milliseconds = run.benchmark("training step", lambda: fitted.train_on_batch(*batch), per=f"batch of {size} tokens")
    print(f"  {size / milliseconds * 1e3:.0f} tokens a second in training")
    generator = generation.text.Generator(model, s.top_k, vocabulary.excluded)
    for texts in (1, 32):
        milliseconds = run.benchmark(
            f"writing 200 tokens, {texts} at once", lambda n=texts: generator.write([], 200, num_texts=n), per="batch"
        )
        print(f"  {200 * texts / milliseconds * 1e3:.0f} tokens a second")


def check_data(run):
    s = run.settings
    found = data.text.report.examine(corpus(s), batch_size=s.batch_size, sequence_length=s.sequence_length)
    run.check(found.report, lambda: visualize.text_report.pictures(found))


def serve_data(run):
    run.serve(streams(run.settings, corpus(run.settings)))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, check_data, serve_data, benchmark)
