import numpy as np
import pytest
import tensorflow as tf

from toolkit import models
from toolkit.generation.strokes import Writer

ALPHABET = " abc"


@pytest.fixture(scope="module")
def writer():
    model = models.handwriting.synthesis(
        ALPHABET, units=8, num_layers=2, num_mixtures=3, num_gaussians=2, points_per_character=3.0
    )
    model.get_layer("standardize").adapt([1.0, -0.5, 0.0], [2.0, 3.0, 1.0])
    return Writer(model)


def codes(*texts, length=8):
    return np.array([[*map(ord, text), *[0] * (length - len(text))] for text in texts], "int32")


def test_is_the_plain_loop_over_the_network(writer):
    """The cached while loop against running the whole network anew at each point."""
    noise = writer.noise(1, 12, seed=1)
    line = writer.generate(codes("ab c"), 0.7, num_steps=12, noise=noise)
    standardize = writer.standardize
    length = int(line["length"][0])
    assert 0 < length <= 12
    real = np.zeros((1, 0, 3), "float32")
    for t in range(length):
        padded = np.concatenate([real, np.zeros((1, 1, 3), "float32")], axis=1)
        params = writer.model((padded, codes("ab c")))[:, -1]
        point = writer.distribution.sample(params, bias=0.7, noise=noise[:, t])
        real = np.concatenate([real, np.asarray(standardize.inverse(point))[:, None]], axis=1)
    np.testing.assert_allclose(line["strokes"][0, :length], real[0], atol=1e-4)
    assert not np.any(line["strokes"][0, length:])


def test_stops_where_the_window_has_left_the_text(writer):
    line = writer.write(["ab", "ab cab cab c"], seed=3, max_points=120)
    short, long = line
    assert short.ended and long.ended and len(short.offsets) < len(long.offsets)
    # The untrained window moves a third of a character a point: it leaves two characters after some seven points.
    assert 4 <= len(short.offsets) <= 12
    for text, written in zip(["ab", "ab cab cab c"], line, strict=True):
        assert written.weights.shape == (len(written.offsets), len(text))
        assert written.weights[-1].argmax() == len(text) - 1


def test_a_batch_is_its_lines(writer):
    noise = writer.noise(2, 20, seed=5)
    together = writer.generate(codes("abc", "c"), np.array([0.0, 2.0], "float32"), num_steps=20, noise=noise)
    for row, (text, bias) in enumerate([("abc", 0.0), ("c", 2.0)]):
        alone = writer.generate(codes(text), bias, num_steps=20, noise=noise[row : row + 1])
        assert int(alone["length"][0]) == int(together["length"][row])
        np.testing.assert_allclose(alone["strokes"][0], together["strokes"][row], atol=1e-5)


def test_primed_is_carried_on(writer):
    """With a primer, the network's state at the first drawn point is that after reading the primer."""
    prime = np.random.default_rng(0).standard_normal((1, 5, 3)).astype("float32")
    noise = writer.noise(1, 4, seed=2)
    line = writer.generate(codes("abab"), num_steps=4, noise=noise, prime=tf.constant(prime))
    params = writer.model((np.concatenate([prime, np.zeros((1, 1, 3), "float32")], axis=1), codes("abab")))[:, -1]
    first = writer.standardize.inverse(writer.distribution.sample(params, noise=noise[:, 0]))
    np.testing.assert_allclose(line["strokes"][0, 0], first[0], atol=1e-4)
    written = writer.write(["ab"], prime=(prime[0], "ab"), seed=2, max_points=4)
    assert written[0].weights.shape[1] == 2


def test_same_seed_same_line_and_fresh_noise_without(writer):
    first, again = (writer.write(["abc"], seed=7, max_points=30)[0].offsets for _ in range(2))
    np.testing.assert_array_equal(first, again)
    fresh = [writer.generate(codes("abc"), num_steps=9)["strokes"].numpy() for _ in range(2)]
    assert np.abs(fresh[0] - fresh[1]).max() > 1e-3


def test_without_text():
    writer = Writer(models.handwriting.prediction(units=6, num_layers=1, num_mixtures=2))
    lines = writer.write(3, max_points=11)
    assert [line.offsets.shape for line in lines] == [(11, 3)] * 3
    assert lines[0].weights is None and not lines[0].ended
    with pytest.raises(ValueError, match="reads no text"):
        writer.generate(codes("a"), num_steps=3)


@pytest.mark.parametrize("text, message", [("", "empty"), ("axb", "'x'")])
def test_bad_text(writer, text, message):
    with pytest.raises(ValueError, match=message):
        writer.write([text])
    with pytest.raises(ValueError, match=message):
        writer.write([text], prime=(np.zeros((3, 3), "float32"), "ab"))


def test_text_is_needed(writer):
    with pytest.raises(ValueError, match="give text"):
        writer.generate(num_steps=3)


def test_score_is_the_networks_log_prob(writer):
    """The loop, line by line and up to its length, against the whole network at once."""
    random = np.random.default_rng(0)
    strokes = random.normal(size=(2, 9, 3)).astype("float32") * [2.0, 3.0, 0.0]
    strokes[:, ::4, 2] = 1.0
    length, text = np.array([9, 5], "int32"), codes("ab c", "ca")
    found = writer.score(strokes, length, text)["log_loss"]
    params = writer.model((strokes, text))
    nats = -np.asarray(writer.distribution.log_prob(params, writer.standardize(strokes)))
    np.testing.assert_allclose(found, [nats[0].sum(), nats[1, :5].sum()], rtol=1e-4)
    with pytest.raises(ValueError, match="give text"):
        writer.score(strokes, length)


def test_along_is_what_the_step_meets(writer):
    offsets = np.random.default_rng(1).normal(size=(6, 3)).astype("float32")
    met = list(writer.along(offsets, codes("ab")[0]))
    assert len(met) == 6 and set(met[0][1]) == set(writer.state_sizes)
    params, characters = writer.model((offsets[None], codes("ab"))), np.asarray(writer.characters(codes("ab")))
    for t, (offset, state) in enumerate(met):
        before = writer.standardize(offsets[None, t - 1]) if t else np.zeros((1, 3))
        np.testing.assert_allclose(offset, before, atol=1e-5)
        found = writer.step_model({"offset": offset, **state, "characters": characters})["params"]
        np.testing.assert_allclose(found, params[:, t], atol=1e-4)
    with pytest.raises(ValueError, match="give text"):
        next(writer.along(offsets))


@pytest.mark.parametrize("bias", [-1e9, 1e9, -1.0, 3e38, np.nan, np.inf, -np.inf])
def test_any_bias_ends_in_numbers(writer, bias):
    noise = writer.noise(1, 6, seed=0)
    line = writer.generate(codes("ab"), np.array([bias], "float32"), num_steps=6, noise=noise)
    assert np.isfinite(line["strokes"]).all()
    if not bias > 0:
        expected = writer.generate(codes("ab"), 0.0, num_steps=6, noise=noise)
        np.testing.assert_array_equal(line["strokes"], expected["strokes"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30])
def test_any_noise_offset_and_state_end_in_numbers(writer, value):
    characters = writer.characters(codes("ab"))
    state = {name: np.full((1, size), value, "float32") for name, size in writer.state_sizes.items()}
    noise = np.full((1, writer.distribution.num_noise), value, "float32")
    point, state, weights = writer.step(np.full((1, 3), value, "float32"), state, characters, value, noise)
    assert all(np.isfinite(each).all() for each in (point, weights, *state.values()))
    noise = np.full((1, 6, writer.distribution.num_noise), value, "float32")
    assert np.isfinite(writer.generate(codes("ab"), num_steps=6, noise=noise)["strokes"]).all()


@pytest.mark.parametrize(
    "text", [[0] * 8, [97] * 8, [-5, 2**31 - 1, 0x1F600, 98, 0, 0, 0, 0], [0, 97, 0, 98, 0, 0, 0, 0]]
)
def test_any_code_points_end_in_numbers(writer, text):
    line = writer.generate(np.array([text], "int32"), num_steps=6)
    assert np.isfinite(line["strokes"]).all() and 0 <= int(line["length"][0]) <= 6


def test_a_length_out_of_range_is_the_nearest(writer):
    strokes = np.random.default_rng(0).normal(size=(1, 9, 3)).astype("float32")
    none, whole = (writer.score(strokes, [length], codes("ab"))["log_loss"] for length in (0, 9))
    assert float(none[0]) == 0.0 and float(whole[0]) > 0
    for length, expected in ((-1, none), (-(2**31), none), (10, whole), (2**31 - 1, whole)):
        np.testing.assert_array_equal(writer.score(strokes, [length], codes("ab"))["log_loss"], expected)
    strokes[0, 4] = [np.nan, np.inf, -1e38]
    assert np.isfinite(writer.score(strokes, [9], codes("ab"))["log_loss"]).all()
