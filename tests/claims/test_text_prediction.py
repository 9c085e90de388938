"""What Graves 2013 says of text prediction, at sizes that train in seconds."""

import math

import numpy as np
import pytest

from recipes import text_prediction as recipe
from toolkit import training
from toolkit.data.text.streaming import streams
from toolkit.generation.text import Generator
from toolkit.methods.dynamic_evaluation import token_nats
from toolkit.metrics.bracket_closing import closing_curve
from toolkit.models.text_rnn import stateful

pytestmark = pytest.mark.claims


def trained(folder, **how):
    how = {"epochs": 4, "batch_size": 16, "sequence_length": 50, "learning_rate": 1e-2} | how
    run = training.Run(recipe.Settings(workdir=str(folder), **how), "text_prediction", load=recipe.load)
    recipe.train(run)
    return run, run.load()


def bits(run, model, tokens, rate=0.0, batch_size=1):
    batches = streams(np.asarray(tokens), batch_size, run.settings.sequence_length).dataset(num_epochs=1)
    return float(token_nats(stateful(model, batch_size), batches, rate).mean() / math.log(2))


def markov(seed, length, size=8):
    """A source of order 2, and its entropy: the least that any prediction can take."""
    random = np.random.default_rng(seed)
    shares = random.dirichlet(np.full(size, 0.3), (size, size))
    text, nats = [0, 1], 0.0
    draws = random.random(length)
    cumulative = shares.cumsum(axis=-1)
    for u in draws:
        row = cumulative[text[-2], text[-1]]
        token = min(int(np.searchsorted(row, u)), size - 1)
        nats -= math.log(shares[text[-2], text[-1], token])
        text.append(token)
    return "".join("abcdefgh"[token] for token in text[2:]), nats / length / math.log(2)


def test_prediction_reaches_a_sources_entropy_and_dynamic_evaluation_another_source(tmp_path):
    """Trained on one source, it predicts that one as well as can be; another one only if it learns while it reads."""
    same, entropy = markov(0, 120_000)
    other, other_entropy = markov(1, 10_000)
    for name, content in (("train", same[:110_000]), ("test", same[110_000:])):
        (tmp_path / name).write_text(content)
    source = f"text:{tmp_path / 'train'},{tmp_path / 'test'}"
    run, model = trained(tmp_path / "run", data=source, units=48, epochs=5)
    vocabulary = run.data.vocabulary
    static = bits(run, model, vocabulary.encode(same[110_000:]))
    assert entropy - 0.05 < static < entropy + 0.15
    unknown = vocabulary.encode(other)
    static, dynamic = (bits(run, model, unknown, rate) for rate in (0.0, 0.5))
    assert other_entropy < dynamic < 0.7 * static


def test_dynamic_evaluation_lowers_english(tmp_path):
    run, model = trained(tmp_path, data="embedded:english:150000", units=64, epochs=3)
    test = run.data.tokens["test"]
    static, dynamic = bits(run, model, test), bits(run, model, test, run.settings.dynamic_learning_rate)
    assert dynamic < static - 0.03


def test_weight_noise_narrows_the_gap(tmp_path):
    """Both go on from the same network, for as long; what is learned by heart is lost in noise."""
    how = {"data": "embedded:english:30000", "units": 96}
    trained(tmp_path / "first", epochs=10, **how)
    gaps, tests = {}, {}
    for noise in (0.0, 0.075):
        again = {"start_from": str(tmp_path / "first"), "weight_noise": noise, "epochs": 8, "learning_rate": 3e-3}
        run, model = trained(tmp_path / f"noise {noise}", **how, **again)
        text = run.data
        tests[noise] = bits(run, model, text.tokens["test"])
        gaps[noise] = tests[noise] - bits(run, model, text.tokens["train"], batch_size=16)
    assert gaps[0.075] < gaps[0.0] - 0.1
    assert tests[0.075] < tests[0.0]


def test_skips_help_a_deep_network(tmp_path):
    losses = {}
    for skips in (True, False):
        how = {"data": "embedded:english:50000", "units": 24, "num_layers": 4, "epochs": 3, "skip_connections": skips}
        run, model = trained(tmp_path / str(skips), **how)
        losses[skips] = bits(run, model, run.data.tokens["train"], batch_size=16)
    assert losses[True] < losses[False] - 0.2


def test_what_it_opens_it_closes(tmp_path):
    """Text with brackets and quotes round one to six words: what was opened is closed, by its own kind, far later than
    chance would."""
    random = np.random.default_rng(0)

    def words(count):
        return " ".join("".join(random.choice(list("abcde"), random.integers(1, 5))) for _ in range(count))

    def line():
        left, right = [("(", ")"), ("[", "]"), ('"', '"')][random.integers(3)]
        return f"{words(random.integers(1, 4))} {left}{words(random.integers(1, 7))}{right} {words(2)}.\n\n"

    (tmp_path / "text").write_text("".join(line() for _ in range(4000)))
    run, model = trained(tmp_path / "run", data=f"text:{tmp_path / 'text'}", units=64, epochs=5)
    vocabulary = run.data.vocabulary
    written = Generator(model, excluded=(0,)).write([], 1000, num_texts=8, temperature=1.0)
    texts = [vocabulary.decode(row) for row in written]
    shuffled = ["".join(np.random.default_rng(1).permutation(list(text))) for text in texts]
    opened, chance = (dict(closing_curve(each, [10, 30])) for each in (texts, shuffled))
    assert opened[30] > 0.8 > chance[30] + 0.1
    assert opened[30] > opened[10] + 0.2  # not at once: it is remembered
