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
import math
import pathlib

import numpy as np

from toolkit import data, generation, layers, losses, methods, metrics, models, serving, training, visualize
from toolkit.lazy import keras

UNITS = {"char": "character", "byte": "byte", "word": "word"}


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
    differs = found.vocabulary.differs(vocabulary) if vocabulary else ""
    if differs:
        raise ValueError(
            f"--data={s.data} has another vocabulary than the text that --workdir={s.workdir} was trained on: "
            f"{differs}."
        )
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


def stateful(model, s, batch_size=0, num_sequences=1):
    """The network as it is trained, which gives each target's nats: states carried on, noisy weights if asked for."""
    stream, batch_size = models.text_rnn.streaming(model, scored=True), batch_size or s.batch_size
    if s.weight_noise:
        stream = layers.WeightNoise(stream, s.weight_noise)
    if s.adaptive_weight_noise:
        stream = layers.AdaptiveWeightNoise(stream, scale=1.0 / num_sequences)
    inputs = {
        name: keras.Input((None,), batch_size=batch_size, dtype="int32", name=name) for name in ("tokens", "targets")
    }
    inputs["continues"] = keras.Input((), batch_size=batch_size, name="continues")
    carried = layers.CarriedState(stream, models.text_rnn.state_sizes(model), batch_size, name="carried")
    return keras.Model(inputs, carried(inputs), name="stateful")


def optimizer(s, num_steps):
    first = s.learning_rate or {"adam": 3e-3, "sgd": 1e-4}[s.optimizer]
    falling = keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(part * num_steps) for part in (0.7, 0.85, 0.95)], [first / part for part in (1, 3, 10, 30)]
    )
    if s.optimizer == "sgd":
        return keras.optimizers.SGD(falling, momentum=0.99)
    return keras.optimizers.Adam(falling, global_clipnorm=10.0)


def compiled(model, s, num_steps, num_sequences, jit_compile):
    trainee = stateful(model, s, num_sequences=num_sequences)
    trainee.compile(
        optimizer(s, num_steps),
        loss=losses.Precomputed(reduction="sum"),
        loss_weights=1.0 / s.batch_size,  # nats a sequence
        weighted_metrics=[metrics.Bits(f"bits_per_{UNITS[s.level]}")],
        jit_compile=jit_compile,
    )
    return trainee


def as_fitted(batch):
    """A batch as `fit` takes it: the targets are an input, and what does not count weighs nothing."""
    import tensorflow as tf

    return batch, batch["targets"], tf.cast(batch["targets"] >= 0, tf.float32)


def train(run):
    s, text = run.settings, corpus(run.settings)
    splits = text.splits(s.batch_size, s.sequence_length, s.reset_every).map(as_fitted)
    per_epoch = min(s.steps_per_epoch or splits.train.steps_per_epoch, splits.train.steps_per_epoch)
    with run.scope():
        model = network(s, text.vocabulary)
        if s.start_from:
            begin_with(run, model, text.vocabulary)
        num_sequences = per_epoch * s.batch_size
        trainee = compiled(model, s, s.epochs * per_epoch, num_sequences, run.jit_compile)
    training.checkpoints.write_json(run.path("vocabulary.json"), text.vocabulary.as_dict())
    generator = generation.text.Generator(model, excluded=text.vocabulary.excluded)
    passage = text.tokens["validation"][:480]

    def pictures():
        written = generator.write([], 480, temperature=0.8, seed=s.seed)[0]
        nats = generator.nats(written)
        return {
            "training/written": loss_picture(text.vocabulary, written, nats, "written by the network, temperature 0.8"),
            "training/read": loss_picture(text.vocabulary, passage, generator.nats(passage), "validation text"),
        }

    run.fit(trainee, splits, pictures=pictures)


def begin_with(run, model, vocabulary):
    """Loads the weights of another workdir's network; what it was trained with, noise or batches, may differ."""
    folder = pathlib.Path(run.settings.start_from)
    stored = training.workdir.stored_settings(folder)
    if not stored or stored["recipe"] != run.recipe or not stored["trained"]:
        raise ValueError(f"--start_from={folder} is not the workdir of a trained {run.recipe}.")
    differs = vocabulary.differs(data.text.Vocabulary.read(folder / "vocabulary.json"))
    if differs:
        raise ValueError(f"--start_from={folder} has another vocabulary than --data={run.settings.data}: {differs}.")
    before = Settings(**stored["settings"])
    run.load(stateful(model, before), workdir=folder)


def trained(run, vocabulary=None):
    s = run.settings
    model = network(s, vocabulary or vocabulary_of(run))
    run.load(stateful(model, s))
    return model


def loss_picture(vocabulary, tokens, nats, title):
    pieces = vocabulary.shown(tokens)
    unit = UNITS[vocabulary.level]
    return visualize.text.colored(pieces, np.asarray(nats) / math.log(2), f"bits a {unit}", title=title)


def scores(run, model, batches, rate=0.0, name=""):
    """Nats of each token, static, or dynamic with a step size."""
    from tqdm import tqdm

    sgd = keras.optimizers.SGD(rate, global_clipnorm=1.0) if rate else None
    stream = (
        (x, x["targets"], (x["targets"] >= 0).astype("float32"))
        for x in batches.dataset(num_epochs=1).as_numpy_iterator()
    )
    with tqdm(total=batches.steps_per_epoch, desc=name, unit="batch", mininterval=15) as bar:
        return methods.dynamic_evaluation.dynamic_evaluation(
            model, stream, lambda y, nats: nats, sgd, progress=lambda done: bar.update()
        )


def evaluate(run):
    s, vocabulary = run.settings, vocabulary_of(run)
    text, model = corpus(s, vocabulary), trained(run, vocabulary)
    test = text.tokens["test"][: s.max_evaluated or None]
    share = len(test) / len(text.tokens["test"])
    characters, words = share * text.characters["test"], share * text.words["test"]
    many = stateful(model, clean(s), s.batch_size)
    one = stateful(model, clean(s), 1)
    found = {}
    sample = text.tokens["train"][: len(test)]
    seen = scores(run, many, data.text.streams(sample, s.batch_size, s.sequence_length), name="train, static")
    found["train_bits_per_token"] = float(np.mean(seen) / math.log(2))
    for name, rate in (("static", 0.0), ("dynamic", s.dynamic_learning_rate)):
        nats = scores(run, one, data.text.streams(test, 1, s.sequence_length), rate, f"test, {name}")
        found[f"{name}_bits_per_character"] = metrics.bits.bits_per_character(nats, characters)
        found[f"{name}_perplexity_per_word"] = metrics.bits.perplexity(nats, words)
        found[f"{name}_bits_per_token"] = float(np.mean(nats) / math.log(2))
    counts = order_two_bits(text.tokens["train"], test, len(vocabulary.tokens))
    found["order_2_counts_bits_per_token"] = counts
    run.report(
        found,
        paper={
            "static_bits_per_character": {"word": 1.27}.get(s.level, 1.32),
            "dynamic_bits_per_character": {"word": 1.25}.get(s.level, 1.29),
        },
    )


def clean(s):
    """The settings without noise."""
    return dataclasses.replace(s, weight_noise=0.0, adaptive_weight_noise=False)


def order_two_bits(train, test, num_tokens):
    """Bits a token of counts of the last two tokens, each order smoothed with the one below: what to beat."""
    train, test = np.asarray(train, "int64"), np.asarray(test, "int64")
    probability = (np.bincount(train, minlength=num_tokens) + 1.0) / (len(train) + num_tokens)
    shares = probability[test]
    for order in (1, 2):
        context, context_test = (context_codes(tokens, order, num_tokens) for tokens in (train, test))
        totals = counts_of(context, context_test)
        counts = counts_of(context * num_tokens + train, context_test * num_tokens + test)
        strength = 5.0  # of the order below, in counts
        shares = (counts + strength * shares) / (totals + strength)
    return float(-np.mean(np.log2(shares)))


def context_codes(tokens, order, num_tokens):
    """One number for the tokens before each."""
    codes = np.zeros(len(tokens), "int64")
    for lag in range(1, order + 1):
        codes = codes * num_tokens + np.concatenate([np.zeros(lag, "int64"), tokens[: len(tokens) - lag]])
    return codes


def counts_of(codes, wanted):
    """How often each wanted code is among the codes."""
    names, counts = np.unique(codes, return_counts=True)
    places = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[places] == wanted, counts[places], 0)


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
    generator = writer
    first = [*prompt, *texts[0]][:1200]
    run.picture("written", loss_picture(vocabulary, first, generator.nats(first), f"written, {s.temperature:g}"))
    text = corpus(s, vocabulary)
    passage = text.tokens["test"][:1200]
    run.picture("read", loss_picture(vocabulary, passage, generator.nats(passage), "test text"))
    run.picture("cells", cells_picture(vocabulary, generator, text.tokens["test"][:120]))
    if s.level != "word":
        brackets(run, vocabulary, generator, text)


def cells_picture(vocabulary, generator, tokens, num_cells=16):
    """The outputs of the cells whose values last longest, while a passage is read."""
    states = [state for _, state in generator.along([*tokens, 0])][1:]
    values = np.array(
        [np.concatenate([np.tanh(state[name][0]) for name in state if "cell" in name]) for state in states]
    )
    centred = values - values.mean(axis=0)
    power = (centred**2).mean(axis=0) + 1e-3
    memory = (centred[5:] * centred[:-5]).mean(axis=0) / power
    chosen = np.argsort(-memory * np.sqrt(power))[:num_cells]
    title = f"the {len(chosen)} cells that change most slowly, tanh of their state"
    return visualize.text.activations(
        vocabulary.shown(tokens), values[:, chosen], [f"cell {c}" for c in chosen], title=title
    )


def brackets(run, vocabulary, generator, text, num_texts=16, num_tokens=1000):
    """How many of the brackets and quotes that a text opens it closes: the real text, the network's, and chance."""
    written = generator.write([], num_tokens, num_texts=num_texts, temperature=0.8, seed=run.settings.sample_seed)
    real = np.asarray(text.tokens["test"][: num_texts * num_tokens])
    shuffled = np.random.default_rng(0).permutation(real)
    distances = [5, 10, 20, 30, 50, 80, 120, 200, 300, 500]
    texts = {
        "test text": [vocabulary.decode(real)],
        "written": [vocabulary.decode(row) for row in written],
        "test text, shuffled": [vocabulary.decode(shuffled)],
    }
    curves = {name: metrics.bracket_closing.closing_curve(each, distances) for name, each in texts.items()}
    curves = {name: curve for name, curve in curves.items() if curve}
    if "test text" not in curves or "written" not in curves:
        print("  brackets: none in the test text, or none written: no curve")
        return
    found = {
        f"{name.replace(', ', '_').replace(' ', '_')}_closed_within_200_characters": dict(curve).get(200)
        for name, curve in curves.items()
    }
    run.report({name: share for name, share in found.items() if share is not None})
    figure = visualize.charts.curves(curves, "characters after a bracket or quote was opened", "share closed")
    run.picture("brackets", figure)


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
        trainee = compiled(model, s, 1, 1, run.jit_compile)
    splits = corpus(s, vocabulary).splits(s.batch_size, s.sequence_length).map(as_fitted)
    batch = next(iter(splits.train.dataset()))
    size = s.batch_size * s.sequence_length
    milliseconds = run.benchmark("training step", lambda: trainee.train_on_batch(*batch), per=f"batch of {size} tokens")
    print(f"  {size / milliseconds * 1e3:.0f} tokens a second in training")
    generator = generation.text.Generator(model, s.top_k, vocabulary.excluded)
    for texts in (1, 32):
        milliseconds = run.benchmark(
            f"writing 200 tokens, {texts} at once", lambda n=texts: generator.write([], 200, num_texts=n), per="batch"
        )
        print(f"  {200 * texts / milliseconds * 1e3:.0f} tokens a second")


def check_data(run):
    s, text = run.settings, corpus(run.settings)
    found = data.text.report.examine(text, batch_size=s.batch_size, sequence_length=s.sequence_length)
    names, numbers = list(found.counts), np.array(list(found.counts.values()), "float64")
    bits = dict(zip(names, -np.log2(numbers / numbers.sum()), strict=True))

    def pictures():
        for split, tokens in found.beginnings.items():
            costs = [bits.get(text.vocabulary.tokens[token], 0.0) for token in tokens]
            title = f"{split}: its beginning, and what each token takes by its frequency alone"
            yield split, visualize.text.colored(text.vocabulary.shown(tokens), costs, "bits", title=title)
        shown = text.vocabulary.shown([text.vocabulary.numbers[name] for name in names[:100]])
        yield "tokens", visualize.charts.bars(dict(zip(shown, found.counts.values(), strict=False)), "tokens")

    run.check(found.report, lambda: dict(pictures()))


def serve_data(run):
    s = run.settings
    run.serve(corpus(s).splits(s.batch_size, s.sequence_length, s.reset_every).map(as_fitted))


if __name__ == "__main__":
    training.main(Settings, train, evaluate, sample, export, check_data, serve_data, benchmark)
