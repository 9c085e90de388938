import itertools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.distributions import Categorical, LogisticMixture
from toolkit.losses import Precomputed
from toolkit.methods.vimco import VIMCO, vimco_loss

PLACES, CODES, SAMPLES = 2, 3, 3
STATES = np.array(list(itertools.product(range(CODES), repeat=PLACES)))  # all that h may be


def numbers(seed, *shape):
    return tf.constant(np.random.default_rng(seed).standard_normal(shape), tf.float32)


def log_q(logits):
    """log q of each state: (..., places, codes) -> (..., states)."""
    # Not einsum, which TensorFlow 2.16 gets wrong on a batch of thousands.
    return tf.reduce_sum(tf.nn.log_softmax(logits)[..., None, :, :] * tf.one_hot(STATES, CODES), axis=(-2, -1))


def exact_bound(logits, log_joint):
    """The expectation of log 1/K sum w over all K-tuples of states."""
    tuples = np.array(list(itertools.product(range(len(STATES)), repeat=SAMPLES)))
    posterior = log_q(logits)
    log_weights = tf.gather(log_joint - posterior, tuples)
    shares = tf.exp(tf.reduce_sum(tf.gather(posterior, tuples), axis=1))
    return tf.reduce_sum(shares * (tf.reduce_logsumexp(log_weights, axis=1) - np.log(SAMPLES)))


def estimates(loss, logits, log_joint, num_draws=20_000):
    """Each draw's own estimate of the gradient towards both: the parameters are repeated for each draw."""
    shares = np.exp(log_q(logits).numpy().astype("float64"))
    drawn = np.random.default_rng(0).choice(len(STATES), (num_draws, SAMPLES), p=shares / shares.sum())
    logits, log_joint = (tf.repeat(each[None], num_draws, axis=0) for each in (logits, log_joint))
    with tf.GradientTape() as tape:
        tape.watch([logits, log_joint])
        posterior = log_q(logits)
        log_posterior = tf.transpose(tf.gather(posterior, drawn, batch_dims=1))
        log_weights = tf.transpose(tf.gather(log_joint, drawn, batch_dims=1)) - log_posterior
        total = tf.reduce_sum(loss(log_weights, log_posterior))
    return [np.asarray(each).reshape(num_draws, -1) for each in tape.gradient(total, [logits, log_joint])]


def without_baselines(log_weights, log_posterior):
    bound = tf.reduce_logsumexp(log_weights, axis=0) - np.log(SAMPLES)
    return -(bound + tf.stop_gradient(bound) * tf.reduce_sum(log_posterior, axis=0))


def exact_gradients(logits, log_joint):
    with tf.GradientTape() as tape:
        tape.watch([logits, log_joint])
        loss = -exact_bound(logits, log_joint)
    return loss, [np.ravel(each) for each in tape.gradient(loss, [logits, log_joint])]


def test_estimate_is_the_bounds_gradient_and_varies_less_than_without_baselines():
    logits, log_joint = numbers(0, PLACES, CODES), 2 * numbers(1, len(STATES)) - 5
    _, exact = exact_gradients(logits, log_joint)
    found, plain = (estimates(loss, logits, log_joint) for loss in (vimco_loss, without_baselines))
    for every in (found, plain):
        for estimate, gradient in zip(every, exact, strict=True):
            error = estimate.std(0) / np.sqrt(len(estimate))
            assert (np.abs(estimate.mean(0) - gradient) < 4 * error + 1e-5).all()
            assert (error < 0.1 * np.abs(gradient).max()).all()  # close enough to tell
    assert found[0].var(0).sum() < 0.05 * plain[0].var(0).sum()


def test_value_is_minus_the_bound():
    log_weights = 30 * numbers(2, 4, 6) - 2000
    expected = -np.log(np.mean(np.exp(np.asarray(log_weights, "float64") + 2000), axis=0)) + 2000
    np.testing.assert_allclose(vimco_loss(log_weights, numbers(3, 4, 6)), expected, rtol=1e-6)


def test_a_draws_baseline_has_the_geometric_mean_of_the_others_in_its_place():
    log_weights, log_posterior = 3 * numbers(4, 4, 6), numbers(5, 4, 6)
    with tf.GradientTape() as tape:
        tape.watch(log_posterior)
        losses = vimco_loss(log_weights, log_posterior)
    found, weights = np.asarray(tape.gradient(losses, log_posterior)), np.exp(np.asarray(log_weights, "float64"))
    for draw in range(4):
        without = weights.copy()
        without[draw] = np.prod(np.delete(weights, draw, axis=0), axis=0) ** (1 / 3)
        np.testing.assert_allclose(found[draw], np.log(without.mean(0) / weights.mean(0)), rtol=1e-4, atol=1e-5)


def tiny():
    """An image of a row of pixels, a code of its own for each."""
    encoder = keras.Sequential([keras.Input((1, PLACES, 1)), keras.layers.Dense(CODES)])
    decoder = keras.Sequential([keras.Input((1, PLACES, 2)), keras.layers.Conv2D(4, 3, padding="same")])
    decoder.add(keras.layers.Reshape((1, PLACES, 1, 4)))
    model = VIMCO(encoder, decoder, Categorical(4), num_samples=SAMPLES, seed=1)
    image = np.array([[[[1.0], [3.0]]]], "float32")
    model(image)
    for seed, variable in enumerate(model.trainable_variables):
        variable.assign(0.7 * numbers(seed, *variable.shape))
    return model, image


def test_models_gradient_is_that_of_all_codes_enumerated():
    model, image = tiny()
    weights = [variable.value for variable in model.trainable_variables]
    with tf.GradientTape() as tape:
        params = model.decoder(model.embedding(STATES[:, None]))  # (states, 1, places, 1, levels)
        log_likelihood = tf.reduce_sum(model.distribution.log_prob(params, np.repeat(image, len(STATES), 0)), (1, 2, 3))
        bound = -exact_bound(model.encoder(image)[0, 0], log_likelihood - PLACES * np.log(CODES))
    exact = [np.asarray(tf.convert_to_tensor(each)) for each in tape.gradient(bound, weights)]

    @tf.function
    def gradients(images):
        with tf.GradientTape() as tape:
            losses = model(images)
            loss = tf.reduce_mean(losses)
        return losses, [tf.convert_to_tensor(each) for each in tape.gradient(loss, weights)]

    losses, found = zip(*(gradients(np.repeat(image, 500, axis=0)) for _ in range(40)), strict=True)
    assert abs(np.mean(losses) - bound) < 4 * np.std(losses) / np.sqrt(20_000)
    for estimate, gradient in zip(zip(*found, strict=True), exact, strict=True):
        error = np.std(estimate, axis=0, ddof=1) / np.sqrt(40)
        assert (np.abs(np.mean(estimate, axis=0) - gradient) < 4 * error + 1e-5).all()
        assert np.abs(gradient).max() > 5 * error.max()


def test_learns_and_comes_back_from_a_file(tmp_path: pathlib.Path):
    model, image = tiny()
    model.compile(keras.optimizers.Adam(0.05), Precomputed(), steps_per_execution=20)
    images, unused = np.repeat(image, 32 * 40, axis=0), np.zeros(32 * 40)
    before = float(np.mean(model(image)))
    model.fit(images, unused, verbose=0)
    assert model.evaluate(images, unused, verbose=0) < min(before, 2.0) - 1.0  # one image: the codes need tell nothing
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    model.seed_generator.state.assign(again.seed_generator.state)
    np.testing.assert_allclose(again(image), model(image), rtol=1e-5)


def test_a_single_draw_is_refused():
    with pytest.raises(ValueError, match="at least 2 samples; got"):
        vimco_loss(np.zeros((1, 4)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match=r"got \(3, 4\) and \(3, 5\)"):
        vimco_loss(np.zeros((3, 4)), np.zeros((3, 5)))
    model = tiny()[0]
    with pytest.raises(ValueError, match="num_samples must be at least 2"):
        VIMCO(model.encoder, model.decoder, LogisticMixture(1), num_samples=1)
