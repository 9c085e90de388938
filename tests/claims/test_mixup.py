"""What Zhang et al. 2018 and Carratino et al. 2020 say of mixup."""

import keras
import numpy as np
import pytest
import scipy.special
import tensorflow as tf
from sklearn.datasets import load_digits

from toolkit.data.label_noise import flipped
from toolkit.layers import Mixup
from toolkit.methods import mixup, temperature
from toolkit.methods.approximate_mixup import ApproximateMixup, cross_entropy, second_order
from toolkit.methods.jacobian_norm import jacobian_norm
from toolkit.methods.manifold_mixup import ManifoldMixup
from toolkit.metrics.calibration import expected_calibration_error, negative_log_likelihood

pytestmark = pytest.mark.claims

RANDOM = np.random.default_rng(0)
NUMBER = 40
X = RANDOM.normal(size=(NUMBER, 3))
Y = np.eye(4)[RANDOM.integers(0, 4, NUMBER)]
FIRST, LAST = RANDOM.normal(size=(3, 8)), RANDOM.normal(size=(8, 4))


def network(x):
    return tf.tanh(x @ FIRST) @ LAST


def test_mixup_is_learning_from_shrunk_data_and_noise():
    """Theorem 1: the two losses by Monte Carlo, with draws of their own, within four standard errors."""
    alpha, rounds = 0.7, 5000
    random, factor = np.random.default_rng(1), mixup.moments(alpha).mean
    share, i, j = random.beta(alpha, alpha, (rounds * NUMBER, 1)), *random.integers(0, NUMBER, (2, rounds * NUMBER))
    x, y = (share * values[i] + (1 - share) * values[j] for values in (X, Y))
    mixtures = cross_entropy(y, network(x)).numpy()
    share, j = random.beta(alpha, alpha, (rounds, NUMBER)), random.integers(0, NUMBER, (rounds, NUMBER))
    share = np.maximum(share, 1 - share)
    delta, epsilon = (
        np.array([mixup.noise(each, values, partners, alpha) for each, partners in zip(share, j, strict=True)])
        for values in (X, Y)
    )
    x, y = (
        np.reshape(mixup.shrunk(each, factor) + noise, (-1, each.shape[1]))
        for each, noise in ((X, delta), (Y, epsilon))
    )
    noisy = cross_entropy(y, network(x)).numpy()
    error = np.hypot(mixtures.std(), noisy.std()) / np.sqrt(rounds * NUMBER)
    print(f"\nmixup {mixtures.mean():.4f}, shrunk data and noise {noisy.mean():.4f}, standard error {error:.4f}")
    assert abs(mixtures.mean() - noisy.mean()) < 4 * error
    for noise in (delta, epsilon):  # E[δ | i] = E[ε | i] = 0, of each example and number
        assert (np.abs(noise.mean(0)) < 4.5 * noise.std(0) / np.sqrt(rounds)).all()


def test_linear_regression_has_a_closed_form_and_mixup_leaves_it_as_it_is():
    """Least squares of many mixtures that the layer makes, beside the closed form and plain least squares."""
    targets = X @ RANDOM.normal(size=(3, 2)) + 0.5 * RANDOM.normal(size=(NUMBER, 2))
    layer, rows = Mixup(0.4, per_example=True, seed=0), []
    for _ in range(1500):
        rows.append(layer(X.astype("float32"), targets.astype("float32"), training=True))
    x, y = (np.concatenate(each).astype("float64") for each in zip(*rows, strict=True))
    solved = np.linalg.lstsq(np.c_[x, np.ones(len(x))], y, rcond=None)[0]
    weights, offset = mixup.linear_minimizer(X, targets, 0.4)
    np.testing.assert_allclose(solved[:-1].T, weights, atol=0.02)
    np.testing.assert_allclose(solved[-1], offset, atol=0.02)
    plain = np.linalg.lstsq(np.c_[X, np.ones(NUMBER)], targets, rcond=None)[0]
    np.testing.assert_allclose(weights, plain[:-1].T, atol=1e-9)


def exact_loss(alpha):
    """Mixup's loss: all pairs, and λ by Gauss and Jacobi's quadrature."""
    nodes, weights = scipy.special.roots_jacobi(60, alpha - 1, alpha - 1)
    weights, total = weights / weights.sum(), 0.0
    for share, weight in zip((1 + nodes) / 2, weights, strict=True):
        x, y = ((share * v[:, None] + (1 - share) * v[None]).reshape(NUMBER**2, -1) for v in (X, Y))
        total += weight * float(tf.reduce_mean(cross_entropy(y, network(x))))
    return total


def approximate_loss(alpha):
    """Of second order, its mean exact: over all partners, and two values of θ that have its mean and variance."""
    found = mixup.moments(alpha)
    parts = [(tf.constant(mixup.shrunk(values, found.mean)), values) for values in (X, Y)]
    paid = []
    for share in found.mean + np.array([-1, 1]) * np.sqrt(found.variance):
        for j in range(NUMBER):
            noises = [
                tf.constant(mixup.noise(np.full(NUMBER, share), values, np.full(NUMBER, j), alpha)) for values in (X, Y)
            ]
            paid.append(second_order(network, cross_entropy, parts[0][0], parts[1][0], *noises).total)
    return float(tf.reduce_mean(paid))


def test_the_approximate_loss_tracks_the_true_one_for_small_alpha():
    plain = float(tf.reduce_mean(cross_entropy(Y, network(X))))
    gaps = []
    for alpha in (0.02, 0.1, 0.3, 1.0):
        true, near, shrinks = exact_loss(alpha), approximate_loss(alpha), 1 - mixup.moments(alpha).mean
        print(
            f"alpha {alpha}, 1 - mean share {shrinks:.3f}: {plain:.4f} plain, {true:.4f} mixup, {near:.4f} approximate"
        )
        assert abs(near - true) < 0.05 * shrinks, "the third order, which is a share of 1 - mean share"
        assert abs(near - true) < 0.25 * abs(true - plain), "of what mixup changes"
        gaps.append(abs(near - true))
    assert gaps[0] < 0.001 < gaps[2]


SEEDS, TRAIN = range(3), 600
ALPHAS = {"mixup": 1.0, "little mixup": 0.2, "approximate": 0.2}


def dense(seed):
    keras.utils.set_random_seed(seed)
    hidden = inputs = keras.Input((64,), name="image")
    for _ in range(2):
        hidden = keras.layers.Dense(256, "relu")(hidden)
    return keras.Model(inputs, keras.layers.Dense(10)(hidden))


def learner(name, means=None):
    """A network, and what trains it: traced once, and then begun anew for each seed."""
    model = learns = dense(0)
    if name == "approximate":
        learns = ApproximateMixup(model, ALPHAS[name], *means, curvature=False, seed=0)
    elif name != "plain":
        learns = ManifoldMixup(model, ["image"], ALPHAS[name], seed=0)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    learns.compile(keras.optimizers.Adam(1e-3), loss, steps_per_execution=10, jit_compile=False)
    learns.optimizer.build(model.trainable_variables)
    return model, learns, [np.array(variable) for variable in learns.optimizer.variables]


def anew(model, learns, state, seed):
    model.set_weights(dense(seed).get_weights())
    for variable, value in zip(learns.optimizer.variables, state, strict=True):
        variable.assign(value)


def measured(x, y, **asked):
    """Accuracy, nats and calibration error of each network or array of probabilities."""
    found = {}
    for name, each in asked.items():
        p = each if isinstance(each, np.ndarray) else tf.nn.softmax(each(x)).numpy()
        found[f"{name} accuracy"] = np.mean(p.argmax(1) == y)
        found[f"{name} nll"] = negative_log_likelihood(y, p)
        found[f"{name} ece"] = expected_calibration_error(y, p)
    return found


@pytest.fixture(scope="module")
def trained():
    """Measures of each training by (name, share of wrong labels): arrays over the seeds."""
    pixels, classes = load_digits(return_X_y=True)
    found = {}
    learners = {name: learner(name) for name in ("plain", "mixup", "little mixup")}
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(pixels))
        x, y = (pixels[order] / 16).astype("float32"), classes[order]
        held_out, test = slice(TRAIN, TRAIN + 300), slice(TRAIN + 300, None)
        for noise in (0.0, 0.3):
            told = np.eye(10, dtype="float32")[flipped(y[:TRAIN], noise, 10, seed)[0]]
            means = x[:TRAIN].mean(0), told.mean(0)
            for name in ("plain", "mixup", *(("little mixup", "approximate") if noise else ())):
                model, learns, state = learner(name, means) if name == "approximate" else learners[name]
                anew(model, learns, state, seed)
                learns.fit(x[:TRAIN], told, batch_size=60, epochs=60, verbose=0)
                asked = {"raw": model}
                if name != "plain":
                    asked["input"] = mixup.rescaled(model, ALPHAS[name], *means, outputs=False)
                    asked["rescaled"] = mixup.rescaled(model, ALPHAS[name], *means)
                held, raw = (tf.nn.softmax(model(x[part])).numpy() for part in (held_out, test))
                asked["temperature"] = temperature.tempered(raw, temperature.fitted(y[held_out], held))
                row = measured(x[test], y[test], **asked)
                if not noise:
                    row["jacobian"] = jacobian_norm(model, x[test][:100])
                for key, value in row.items():
                    found.setdefault((name, noise), {}).setdefault(key, []).append(value)
    found = {which: {key: np.array(values) for key, values in row.items()} for which, row in found.items()}
    for which, row in found.items():
        print(which, {key: f"{values.mean():.3f} ({values.std(ddof=1):.3f})" for key, values in row.items()})
    return found


def surely_more(left, right):
    """Whether the left is more in the mean of paired seeds, by two standard errors."""
    difference = left - right
    return difference.mean() > 2 * difference.std(ddof=1) / np.sqrt(len(difference))


def test_wrong_labels_hurt_less_with_mixup(trained):
    mixed, plain = trained["mixup", 0.3], trained["plain", 0.3]
    assert surely_more(mixed["raw accuracy"], plain["raw accuracy"])
    assert mixed["raw accuracy"].mean() > plain["raw accuracy"].mean() + 0.02
    assert mixed["raw nll"].mean() < plain["raw nll"].mean()
    assert abs(trained["mixup", 0.0]["raw accuracy"].mean() - trained["plain", 0.0]["raw accuracy"].mean()) < 0.02


def test_mixup_lowers_the_jacobian(trained):
    assert surely_more(trained["plain", 0.0]["jacobian"], trained["mixup", 0.0]["jacobian"])


def test_raw_it_is_worse_calibrated_on_easy_data_and_a_temperature_mends_that(trained):
    """Digits are easy: the mixed labels make it doubt what is sure."""
    mixed, plain = trained["mixup", 0.0], trained["plain", 0.0]
    assert surely_more(mixed["raw ece"], plain["raw ece"]), "raw mixup is the worse one"
    assert surely_more(mixed["raw ece"], mixed["temperature ece"])


def test_asked_as_it_was_taught_it_pays_less_and_of_wrong_labels_it_is_righter(trained):
    """Its calibration error is lower where labels are right; where three in ten are wrong that hangs on the network."""
    right, wrong = trained["mixup", 0.0], trained["mixup", 0.3]
    for found, what in ((right, "ece"), (right, "nll"), (wrong, "nll")):
        assert surely_more(found[f"raw {what}"], found[f"rescaled {what}"]), what
    assert surely_more(wrong["rescaled accuracy"], wrong["raw accuracy"])


def test_approximate_mixup_follows_mixup(trained):
    """Of one alpha: farther from plain training than from mixup."""
    near, true, plain = (trained[name, 0.3]["raw accuracy"] for name in ("approximate", "little mixup", "plain"))
    assert surely_more(near, plain) and surely_more(true, plain)
    assert abs(near.mean() - true.mean()) < min(near.mean(), true.mean()) - plain.mean()
