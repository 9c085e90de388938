import numpy as np
import pytest
import tensorflow as tf

from toolkit.generation.text import Generator
from toolkit.models import text_rnn

TOKENS = ["<unk>", "a", "b", "c", "d", "e"]


@pytest.fixture(scope="module")
def network():
    model = text_rnn.language_model(TOKENS, units=6, num_layers=2)
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=w.shape) for w in model.get_weights()])
    return model


def naive(model, prompt, num_tokens, temperature, noise):
    """Every token from the whole text before it, through the model as it is trained."""
    text = list(prompt)
    for u in noise[:num_tokens]:
        logits = np.asarray(model(np.array([[0, *text]], "int32")))[0, -1].astype("float64")
        logits[0] = -np.inf  # the unknown token
        shares = np.exp((logits - logits.max()) / max(temperature, 1e-4))
        text.append(int(np.searchsorted(np.cumsum(shares) / shares.sum(), u, side="right")))
    return text[len(prompt) :]


def test_cached_is_naive(network):
    generator = Generator(network, excluded=(0,))
    noise = np.random.default_rng(1).uniform(size=(3, 12)).astype("float32")
    prompts, ends, temperatures = [[1, 2, 3], [4, 0, 0], [0, 0, 0]], [3, 1, 0], [1.0, 0.5, 0.0]
    written = generator.generate(prompts, ends, [12, 12, 7], temperatures, num_steps=12, noise=noise)
    for row, (prompt, end, temperature) in enumerate(zip(prompts, ends, temperatures, strict=True)):
        length = (12, 12, 7)[row]
        tokens = written["tokens"].numpy()[row]
        assert tokens[:length].tolist() == naive(network, prompt[:end], length, temperature, noise[row])
        assert not tokens[length:].any() and 0 not in tokens[:length]
    assert written["length"].numpy().tolist() == [12, 12, 7]


def test_more_than_the_most_is_not_written(network):
    written = Generator(network).generate([[1]], [1], [99], [1.0], num_steps=5)
    assert written["length"].numpy().tolist() == [5]


def test_temperature_zero_is_the_most_probable(network):
    generator = Generator(network)
    tokens = generator.write([2], 8, num_texts=4, temperature=0.0, seed=3)
    assert (tokens == tokens[0]).all()
    logits = np.asarray(network(np.array([[0, 2, *tokens[0]]], "int32")))[0, 1:-1]
    assert tokens[0].tolist() == logits.argmax(axis=-1).tolist()


def test_score_is_the_models_loss(network):
    generator = Generator(network)
    tokens = np.random.default_rng(4).integers(1, 6, (2, 7)).astype("int32")
    found = generator.score(tokens, tf.constant([7, 4]))["nats"].numpy()
    logits = np.asarray(network(np.concatenate([np.zeros((2, 1), "int32"), tokens[:, :-1]], axis=1))).astype("float64")
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    nats = -np.log(np.take_along_axis(shares, tokens[..., None], axis=-1)[..., 0])
    np.testing.assert_allclose(found, [nats[0].sum(), nats[1, :4].sum()], rtol=1e-4)


def test_along_and_seed(network):
    generator = Generator(network)
    pairs = list(generator.along([3, 1, 2]))
    assert [int(token[0]) for token, _ in pairs] == [0, 3, 1]
    assert not any(np.any(value) for value in pairs[0][1].values())
    first, again = generator.write([1, 2], 9, seed=5), generator.write([1, 2], 9, seed=5)
    assert (first == again).all() and (first != generator.write([1, 2], 9, seed=6)).any()


def test_errors(network):
    with pytest.raises(ValueError, match="top_k must be between 0 and the vocabulary's 6 tokens; got 9"):
        Generator(network, top_k=9)
    with pytest.raises(ValueError, match="temperature at least 0; got 5, 1 and -1"):
        Generator(network).write([], 5, temperature=-1)
