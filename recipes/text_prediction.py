"""Text from text: Graves 2013, "Generating sequences with recurrent neural networks" (1308.0850, section 3).

Predicts and writes characters, bytes or words, and learns on while it is tested: dynamic evaluation.

  python -m recipes.text_prediction                                         all phases on embedded English
  python -m recipes.text_prediction --workdir=runs/play --data=text:tinyshakespeare.txt --units=512 --epochs=12
  python -m recipes.text_prediction --mode=sample --prompt="The " --temperature=0.7 --length=1000

Here: Penn Treebank, trained on all of it, 512 units, within an hour each: --dropout=0.15 --drop_connect=0.05
--learning_rate=0.006, 1.33 bits a character, dynamic 1.32, with --dynamic_decay 1.31 (the first 120,000: 1.31, 1.30,
1.28); words, --dropout=0.5 --drop_connect=0.3, perplexity 110, dynamic 100. Embedded English, seeds 0, 1 and 2,
2.5 minutes: 1.762 to 1.767, dynamic 1.596 to 1.606.

Paper: Penn Treebank, trained on all of it, with weight noise: 1.27, dynamic 1.24; words 126, dynamic 117.

Differs from the paper: sizes that two cores train in minutes (the paper's are in each help), and Adam on LSTMs without
peepholes; --optimizer=sgd --peepholes is the paper's training.
"""

from toolkit import data, generation, layers, losses, methods, metrics, models, serving, settings, training, visualize
from toolkit.settings import other, setting


@settings.recipe
class Settings(
    settings.Text,
    settings.ClippedRecurrent,
    settings.WeightNoise,
    settings.StartFrom,
    settings.FallingRate,
    settings.TokenSampling,
    settings.WriterExport,
):
    embedding_size: int = setting(
        0, "channels of a token's embedding; 0: one-hot", paper="one-hot", minimum=0, maximum=8192
    )
    skip_connections: bool = setting(True, "each layer sees the input, and the output sees each layer")
    num_sampled: int = setting(0, "words of a sampled softmax; 0: the exact softmax", minimum=0, maximum=10**6)
    dropout: float = setting(
        0.0, "share of the LSTMs' outputs that training hides from what is above", minimum=0.0, maximum=0.95
    )
    drop_connect: float = setting(
        0.0, "share of the recurrent weights that a batch's training does without", minimum=0.0, maximum=0.95
    )
    recurrent_dropout: float = setting(
        0.0, "share of what goes into the cells that a step of training leaves out", minimum=0.0, maximum=0.95
    )
    sequence_length: int = setting(100, "tokens that a derivative goes back", paper="100", minimum=1, maximum=100_000)
    reset_every: int = setting(
        100, "sequences after which the state is set to zero; 0: never", paper="100", minimum=0, maximum=10**9
    )
    dynamic_learning_rate: float = setting(0.3, "of dynamic evaluation", minimum=0.0, maximum=100.0, changeable=True)
    dynamic_decay: float = setting(
        0.0,
        "share of the way back to the trained weights that a step of dynamic evaluation goes",
        minimum=0.0,
        maximum=1.0,
        changeable=True,
    )
    max_evaluated: int | None = setting(
        None, "test tokens; left out: all", minimum=1, maximum=2 * 10**9, changeable=True
    )
    prompt: str = setting("", "text that --mode=sample carries on", changeable=True)
    length: int = setting(600, "tokens that --mode=sample writes", minimum=1, maximum=10**6, changeable=True)
    units: int = other(256, paper="1000; Wikipedia: 700")
    num_layers: int = other(1, paper="1; Wikipedia: 7")
    lstm_gradient_clip: float = other(1.0, paper="1", more="fused ones also need an --embedding_size")
    optimizer: str = other("adam", choices=("adam", "sgd"), paper="sgd with momentum 0.99")
    learning_rate: float | None = other(None, more="3e-3 for adam, 1e-4 for sgd", paper="1e-4")
    epochs: int = 8
    num_samples: int = 3

    def check(self) -> None:
        if self.num_sampled and self.level != "word":
            raise ValueError(f"--num_sampled={self.num_sampled} is for words, which are sorted by frequency.")


def load(s):
    """The text as token numbers, in three parts."""
    return data.text.load(s.data, max_tokens=s.vocabulary_size, **s.only("level", "encoding", "held_out"))


def network(s, vocabulary):
    # The loss is the mean over a batch of nats a sequence: the paper's limit is for one sequence.
    clip = layers.gradient_clip.limit_in_a_mean(s.lstm_gradient_clip, s.batch_size, s.precision)
    return models.text_rnn.language_model(
        list(vocabulary.tokens),
        s.level,
        lstm_gradient_clip=clip,
        fused=clip is None and not s.peepholes and not s.recurrent_dropout and bool(s.embedding_size),
        **s.only("units", "num_layers", "embedding_size", "skip_connections"),
        **s.only("peepholes", "num_sampled", "recurrent_dropout"),
    )


def compiled(model, s, num_steps):
    """The network as it is trained, which gives each target's nats: its states carried on, its weights noisy."""
    noise = s.only("weight_noise", "adaptive_weight_noise", "dropout", "drop_connect")
    trainee = models.text_rnn.stateful(model, s.batch_size, num_sequences=num_steps // s.epochs * s.batch_size, **noise)
    trainee.compile(
        training.step_sizes.graves_optimizer(s.optimizer, num_steps, s.learning_rate),
        loss=losses.Precomputed(reduction="sum"),
        loss_weights=1.0 / s.batch_size,  # nats a sequence
        weighted_metrics=[metrics.Bits(f"bits_per_{data.text.vocabulary.UNITS[s.level]}")],
    )
    return trainee


def train(run):
    s, text = run.settings, run.data
    splits = text.splits(s.batch_size, s.sequence_length, s.reset_every).map(data.text.streaming.as_fitted)
    with run.scope():
        model = network(s, text.vocabulary)
        if s.start_from and not run.has("model"):  # what a checkpoint holds need not be looked for again
            begin_with(run, model, text.vocabulary)
        trainee = compiled(model, s, run.num_steps(splits.train))
    generator = generation.text.Generator(model, excluded=text.vocabulary.excluded)
    passage = text.tokens["validation"][:480]

    def pictures():
        written = generator.write([], 480, temperature=0.8, seed=s.seed)[0]
        return {
            "training/written": costs(text.vocabulary, generator, written, "written by the network, temperature 0.8"),
            "training/read": costs(text.vocabulary, generator, passage, "validation text"),
        }

    run.fit(trainee, splits.train, splits.validation, network=model, pictures=pictures)


def costs(vocabulary, generator, tokens, title):
    return visualize.text.bits(vocabulary.shown(tokens), generator.nats(tokens), vocabulary.unit, title=title)


def begin_with(run, model, vocabulary):
    """Takes the weights of another workdir's network; what it was trained with, noise or batches, may differ."""
    before, name = run.load(workdir=run.settings.start_from), f"--start_from={run.settings.start_from}"
    remedy = "Train both on a text that has the tokens of both, the two files in one, or both with --level=byte."
    data.text.Vocabulary.of_network(before).check_equal(vocabulary, name, f"--data={run.settings.data}", remedy)
    training.networks.copy_weights(before, model, name)


def trained(run, read):
    """The trained network, and what `read` gives: a text whose numbers are those that it was trained on, or None."""
    model, told = run.load(), f"the text that --workdir={run.workdir} was trained on"
    if (text := read()) is not None:
        text.vocabulary.check_equal(data.text.Vocabulary.of_network(model), f"--data={run.settings.data}", told)
    return model, text


def evaluate(run):
    s, (model, text) = run.settings, trained(run, lambda: run.data)
    test = text.tokens["test"][: s.max_evaluated]
    sample = text.tokens["train"][: len(test)]

    def nats(tokens, batch_size, name, *how):
        batches = data.text.streaming.streams(tokens, batch_size, s.sequence_length).dataset(num_epochs=1)
        scored = models.text_rnn.stateful(model, batch_size)
        return methods.dynamic_evaluation.token_nats(scored, batches, *how, name=name)

    share = len(test) / len(text.tokens["test"])
    seen = nats(sample, s.batch_size, "train, static")
    found = {"train_bits_per_token": metrics.bits.summary(seen, len(seen), len(seen))["bits_per_token"]}
    for name, how in (("static", ()), ("dynamic", (s.dynamic_learning_rate, s.dynamic_decay))):
        taken = nats(test, 1, f"test, {name}", *how)
        told = metrics.bits.summary(taken, share * text.characters["test"], share * text.words["test"])
        found |= {f"{name}_{unit}": value for unit, value in told.items()}
    if "static_perplexity_per_word" not in found:
        print("  no perplexity a word: what white space separates in this text is too long to be words")
    counts = metrics.n_gram.n_gram_bits(text.tokens["train"], test, len(text.vocabulary.tokens))
    found["order_2_counts_bits_per_token"] = counts
    static, dynamic = {"word": (1.27, 1.25)}.get(s.level, (1.32, 1.29))
    run.report(found, paper={"static_bits_per_character": static, "dynamic_bits_per_character": dynamic})


def sample(run):
    s = run.settings
    if s.runtime == "tflite":
        writer = serving.language_model.TextWriter(run.exported)
        vocabulary = writer.vocabulary
    else:
        model, text = trained(run, lambda: run.data_if_there("what is drawn of the test text"))
        vocabulary = data.text.Vocabulary.of_network(model)
        writer = generation.text.Generator(model, s.top_k or 0, vocabulary.excluded)
    prompt = vocabulary.encode_known(s.prompt, "--prompt")
    texts = writer.write(prompt, s.length, num_texts=s.num_samples, temperature=s.temperature, seed=s.sample_seed)
    run.text("samples", [vocabulary.decode([*prompt, *tokens]) for tokens in texts])
    if s.runtime == "tflite":
        return
    run.picture("written", costs(vocabulary, writer, [*prompt, *texts[0]][:1200], f"written, {s.temperature:g}"))
    if text is None:
        return
    test = text.tokens["test"]
    run.picture("read", costs(vocabulary, writer, test[:1200], "test text"))
    values = metrics.cell_memory.cell_values(state for _, state in writer.along([*test[:120], 0]))[1:]
    slowest = metrics.cell_memory.slowest_cells(values), "that change most slowly"
    run.picture("cells", visualize.text.cells(vocabulary.shown(test[:120]), values, *slowest))
    if s.level != "word":
        brackets(run, vocabulary, writer, test)


def brackets(run, vocabulary, writer, test):
    """How many of the brackets and quotes that a text opens it closes: the real text, the network's, and chance."""
    written = writer.write([], 1000, num_texts=16, temperature=0.8, seed=run.settings.sample_seed)
    texts = [vocabulary.decode(row) for row in written]
    curves = metrics.bracket_closing.beside_chance(vocabulary.decode(test[:16_000]), texts)
    if not curves:
        return print("  brackets: none in the test text, or none written: no curve")
    run.report(metrics.bracket_closing.closed_within(curves))
    axis = "characters after a bracket or quote was opened"
    run.picture("brackets", visualize.charts.curves(curves, axis, "share closed"))


def export(run):
    s, (model, text) = run.settings, trained(run, run.data_to_measure)
    tokens = generation.text.Generator(model).write([], 1000, seed=s.seed)[0] if text is None else None
    passages = {part: tokens if text is None else text.tokens[part] for part in ("train", "test")}
    asked = {**s.only("max_prompt", "max_length", "seed"), "top_k": s.top_k or 0}
    served = serving.language_model.language_model(model, **passages, **asked)
    run.export(served, data=s.data, description=__doc__.splitlines()[0])


def check_data(run):
    s = run.settings
    found = data.text.report.examine(run.data, batch_size=s.batch_size, sequence_length=s.sequence_length)
    run.check(found.report, lambda: visualize.text_report.pictures(found))


if __name__ == "__main__":
    training.main(Settings, load, train, evaluate, sample, export, untrained=(check_data,))
