import itertools

import numpy as np
import pytest
import tensorflow as tf

from toolkit import export
from toolkit.generation.beam_search import beam_search

NUM_TOKENS, UNITS, END = 4, 5, 2


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(3)
    shapes = {
        "embedding": (NUM_TOKENS, UNITS),
        "hidden": (UNITS, UNITS),
        "image": (3, UNITS),
        "out": (UNITS, NUM_TOKENS),
    }
    return {name: 1.5 * random.normal(size=shape).astype("float32") for name, shape in shapes.items()}


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(4).normal(size=(3, 3)).astype("float32")


@pytest.fixture(scope="module")
def step(weights):
    """A small recurrent network that sees an image at each step."""

    def step(token, state, image):
        hidden = tf.gather(weights["embedding"], token) + state["hidden"] @ weights["hidden"] + image @ weights["image"]
        hidden = tf.tanh(hidden)
        return hidden @ weights["out"], {"hidden": hidden}

    return step


def start(rows):
    return tf.zeros((rows,), tf.int32), {"hidden": tf.zeros((rows, UNITS))}


def log_prob(weights, image, tokens):
    """Of a whole sequence, in NumPy."""
    hidden, total = np.zeros(UNITS), 0.0
    for before, token in zip((0, *tokens), tokens, strict=False):
        hidden = np.tanh(weights["embedding"][before] + hidden @ weights["hidden"] + image @ weights["image"])
        logits = hidden @ weights["out"]
        total += logits[token] - np.log(np.sum(np.exp(logits)))
    return total


def every_sequence(num_steps):
    """With the end token where there is one."""
    others = [token for token in range(NUM_TOKENS) if token != END]
    ended = [(*each, END) for n in range(num_steps) for each in itertools.product(others, repeat=n)]
    return ended + list(itertools.product(others, repeat=num_steps))


@pytest.mark.parametrize("normalization", [0.0, 0.7, 1.0])
def test_a_wide_search_is_exhaustive(step, weights, images, normalization):
    num_steps, width = 3, 64
    how = {"num_steps": num_steps, "beam_width": width, "end": END, "length_normalization": normalization}
    found = beam_search(step, *start(3), context=(images,), **how)
    for row, image in enumerate(images):
        scores = {tokens: log_prob(weights, image, tokens) for tokens in every_sequence(num_steps)}
        ranked = sorted(scores, key=lambda tokens: -scores[tokens] / len(tokens) ** normalization)
        assert len(ranked) < width and (found.score[row, len(ranked) :].numpy() < -1e8).all()
        for place, tokens in enumerate(ranked):
            length = len(tokens) - (tokens[-1] == END)
            assert int(found.length[row, place]) == length
            written = found.tokens[row, place].numpy().tolist()
            assert written == [*tokens[:length], *[0] * (num_steps - length)]
            np.testing.assert_allclose(found.score[row, place], scores[tokens], rtol=1e-4)


def narrow_search(weights, image, num_steps, width):
    """The search itself in NumPy, hypothesis by hypothesis."""
    beams = [((), 0.0)]
    for _ in range(num_steps):
        carried = []
        for tokens, score in beams:
            if tokens[-1:] == (END,):
                carried.append((tokens, score))
            else:
                more = [(*tokens, token) for token in range(NUM_TOKENS)]
                carried += [(each, log_prob(weights, image, each)) for each in more]
        beams = sorted(carried, key=lambda beam: -beam[1])[:width]
    return beams


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_narrow_search_keeps_the_best(step, weights, images, width):
    found = beam_search(step, *start(3), num_steps=8, beam_width=width, end=END, context=(images,))
    for row, image in enumerate(images):
        for place, (tokens, score) in enumerate(narrow_search(weights, image, 8, width)):
            length = int(found.length[row, place])
            assert found.tokens[row, place, :length].numpy().tolist() == [t for t in tokens if t != END]
            assert not found.tokens[row, place, length:].numpy().any()
            np.testing.assert_allclose(found.score[row, place], score, rtol=1e-4)


def test_one_beam_is_greedy(step, weights, images):
    found = beam_search(step, *start(3), num_steps=8, beam_width=1, end=END, context=(images,))
    for row, image in enumerate(images):
        tokens = []
        while len(tokens) < 8 and tokens[-1:] != [END]:
            tokens.append(max(range(NUM_TOKENS), key=lambda token: log_prob(weights, image, (*tokens, token))))
        expected = [token for token in tokens if token != END]
        assert found.tokens[row, 0, : len(expected)].numpy().tolist() == expected
        assert int(found.length[row, 0]) == len(expected)


def test_searches_alike_in_every_runtime(step, images, tmp_path):
    """The export compares SavedModel and TFLite, of builtin ops only, with the function itself."""

    def caption(image):
        search = {"num_steps": 6, "beam_width": 3, "end": END, "length_normalization": 0.7}
        return beam_search(step, *start(image.shape[0] or tf.shape(image)[0]), context=(image,), **search)._asdict()

    signature = export.signature(caption, image=((3, 3), "float32"))
    report = export.write(tmp_path / "captions", {"caption": signature}, examples={"caption": {"image": images}})
    assert set(report.card["parity"]["caption"]["outputs"]) == {"tokens", "length", "score"}
    function = tf.function(caption, input_signature=[tf.TensorSpec((None, 3))], autograph=False)
    for rows in (1, 3):
        alone = function(tf.constant(images[:rows]))
        np.testing.assert_array_equal(alone["tokens"], caption(tf.constant(images))["tokens"][:rows])


def test_what_cannot_be_searched(step, images):
    with pytest.raises(ValueError, match="num_steps and beam_width must be at least 1; got 3 and 0"):
        beam_search(step, *start(3), num_steps=3, beam_width=0, end=END, context=(images,))
