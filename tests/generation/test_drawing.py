import numpy as np
import pytest
import tensorflow as tf

from toolkit.distributions.gaussian_mixture import GaussianMixture
from toolkit.generation.drawing import below_one, draw_event, draw_token, token_nats

SHARES = np.array([0.1, 0.2, 0.05, 0.3, 0.25, 0.1])
COUNT = 20_000
NOISE = tf.constant((np.arange(COUNT) + 0.5) / COUNT, tf.float32)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, SHARES),
        ({"temperature": 0.5}, SHARES**2 / np.sum(SHARES**2)),
        ({"top_k": 2}, [0, 0, 0, 0.3 / 0.55, 0.25 / 0.55, 0]),
        ({"excluded": (3,)}, SHARES * [1, 1, 1, 0, 1, 1] / 0.7),
        ({"excluded": (3,), "top_k": 2}, [0, 0.2 / 0.45, 0, 0, 0.25 / 0.45, 0]),
        ({"temperature": 0.0}, [0, 0, 0, 1, 0, 0]),
        ({"temperature": 0.0, "excluded": (3,)}, [0, 0, 0, 0, 1, 0]),
    ],
)
def test_draws_have_the_models_shares(how, expected):
    logits = tf.repeat(tf.constant(np.log(SHARES)[None], tf.float32), COUNT, axis=0)
    shares = np.bincount(draw_token(logits, NOISE, **how), minlength=6) / COUNT
    np.testing.assert_allclose(shares, expected, atol=1e-3)


def test_a_near_tie_at_temperature_0_is_not_drawn():
    logits = np.array([[1.0, 1.0 - 1e-6, 0.0]] * 2, "float32")
    assert draw_token(logits, tf.constant([0.0, 0.999]), temperature=0.0).numpy().tolist() == [0, 0]


def test_temperature_by_row_and_more_axes():
    logits = tf.constant(np.random.default_rng(0).normal(size=(2, 3, 6)), tf.float32)
    noise = tf.constant(np.random.default_rng(1).uniform(size=(2, 3)), tf.float32)
    together = draw_token(logits, noise, temperature=tf.constant([[0.0], [2.0]])).numpy()
    assert together[0].tolist() == np.argmax(logits[0], axis=-1).tolist()
    assert together[1].tolist() == draw_token(logits[1], noise[1], temperature=2.0).numpy().tolist()


@pytest.mark.parametrize("noise", [0.0, 1.0 - 2**-24, 1.0])
def test_the_ends_of_the_noise_are_tokens(noise):
    logits = tf.constant([[0.0, -1e9, 0.0, -1e9]])
    assert int(draw_token(logits, tf.constant([noise]))[0]) == (0 if noise == 0 else 3 if noise == 1 else 2)


def test_fresh_noise_for_tokens():
    tf.random.set_seed(1)
    logits = tf.zeros((200, 4))
    first, second = draw_token(logits).numpy(), draw_token(logits).numpy()
    assert (first != second).any() and set(first) == {0, 1, 2, 3}


@pytest.mark.parametrize("bernoulli", [False, True])
def test_events_of_fresh_noise_are_the_mixtures(bernoulli):
    tf.random.set_seed(2)
    family = GaussianMixture(num_mixtures=2, event_size=3, covariance="full", bernoulli=bernoulli)
    params = np.random.default_rng(0).normal(size=(1, family.num_params)).astype("float32")
    drawn = draw_event(family, tf.repeat(params, COUNT, axis=0)).numpy()
    expected = family.sample(np.repeat(params, COUNT, axis=0), seed=3)
    np.testing.assert_allclose(drawn.mean(axis=0), family.mean(params)[0], atol=0.05)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(np.asarray(expected).T), atol=0.15)


def test_an_event_of_given_noise_is_the_distributions():
    family = GaussianMixture(num_mixtures=2, event_size=2)
    random = np.random.default_rng(0)
    params = random.normal(size=(5, family.num_params)).astype("float32")
    noise = random.uniform(size=(5, family.num_noise)).astype("float32")
    np.testing.assert_array_equal(draw_event(family, params, 0.5, noise), family.sample(params, 0.5, noise))


@pytest.mark.parametrize(("temperature", "expected"), [(np.nan, [4]), (-1.0, [4]), (-np.inf, [4]), (1e9, [1, 4]),
                                                       (np.inf, [1, 4])])  # fmt: skip
def test_no_temperature_draws_what_is_left_out(temperature, expected):
    """As one that is no number, or beyond all: the most probable token, or any that may be drawn."""
    logits = tf.repeat(tf.constant(np.log(SHARES)[None], tf.float32), COUNT, axis=0)
    drawn = draw_token(logits, NOISE, tf.fill((COUNT,), temperature), top_k=2, excluded=(3,))
    assert np.unique(drawn).tolist() == expected


def test_what_tokens_take_whatever_is_added_to_the_logits():
    logits = tf.constant(np.log(SHARES)[None] + [[0.0], [7.0], [-3.0]], tf.float32)
    np.testing.assert_allclose(token_nats(logits, tf.constant([0, 3, 5])), -np.log(SHARES[[0, 3, 5]]), rtol=1e-5)


def test_noise_of_double_precision_draws_no_token_that_there_is_not():
    noise = below_one(np.array([0.0, 0.25, 1 - 1e-12]))
    assert noise.dtype == np.float32 and noise[:2].tolist() == [0.0, 0.25] and noise[2] < 1
    assert draw_token(tf.zeros((3, 4)), tf.constant(noise)).numpy().tolist() == [0, 1, 3]
