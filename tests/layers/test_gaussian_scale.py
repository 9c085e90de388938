import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp

from tests import checks
from toolkit.layers import GaussianScale


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("kind", ["fixed", "shared", "optimal", "optimal_per_example"])
def test_gate(kind):
    checks.check_layer(
        lambda: GaussianScale(kind, scale=0.5, name="scale"), numbers(0, 3, 4, 4, 2), numbers(1, 3, 4, 4, 2)
    )


def test_the_optimum_is_where_the_values_are_likeliest():
    means, values = numbers(0, 5, 4, 4, 2), 3 * numbers(1, 5, 4, 4, 2)
    found = np.asarray(GaussianScale("optimal")(means, values, training=True))
    np.testing.assert_array_equal(found[..., 0], means)
    best = np.exp(np.unique(found[..., 1]))
    assert best == pytest.approx([np.sqrt(np.mean((values - means) ** 2))], rel=1e-5)
    normal = tfp.distributions.Normal
    likelihood = [float(tf.reduce_sum(normal(means, scale).log_prob(values))) for scale in (*best, *(best * 0.98))]
    assert likelihood[0] > likelihood[1]
    assert likelihood[0] > float(tf.reduce_sum(normal(means, best * 1.02).log_prob(values)))
    each = np.exp(np.asarray(GaussianScale("optimal_per_example")(means, values, training=True))[:, 0, 0, 0, 1])
    np.testing.assert_allclose(each, np.sqrt(np.mean((values - means) ** 2, axis=(1, 2, 3))), rtol=1e-5)


def test_the_gradient_is_that_of_the_log_of_the_mean_squared_error():
    """D/2 log mean (x - m)² has the gradient -(x - m) / mean (x - m)²."""
    means, values = tf.constant(numbers(0, 2, 3, 3, 1)), numbers(1, 2, 3, 3, 1)
    layer = GaussianScale("optimal")
    with tf.GradientTape() as tape:
        tape.watch(means)
        params = layer(means, values, training=True)
        distance = (values - params[..., 0]) * tf.exp(-params[..., 1])
        paid = tf.reduce_sum(0.5 * distance**2 + params[..., 1])
    expected = -(values - means) / np.mean((values - means) ** 2)
    np.testing.assert_allclose(tape.gradient(paid, means), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["optimal", "optimal_per_example"])
def test_outside_of_training_it_is_the_average_of_training(kind):
    layer, errors = GaussianScale(kind, momentum=0.9), []
    means = numbers(0, 4, 3)
    assert float(layer.kept_log_scale() if layer.built else 0.0) == 0.0
    for step in range(5):
        values = means + (step + 1) * numbers(step, 4, 3)
        layer(means, values, training=True)
        errors.append(np.mean((values - means) ** 2))
    weights = 0.9 ** np.arange(5)[::-1]
    expected = np.sqrt(np.sum(weights * errors) / np.sum(weights))
    kept = np.exp(np.asarray(layer(means, means))[..., 1])
    np.testing.assert_allclose(kept, np.full((4, 3), expected), rtol=1e-5)
    layer.trainable = False
    layer(means, means + 100, training=True)
    assert float(np.exp(layer.kept_log_scale())) == pytest.approx(expected, rel=1e-5), "a frozen one learns nothing"


def test_no_error_is_no_infinity():
    means = numbers(0, 4, 3)
    assert np.isfinite(GaussianScale("optimal")(means, means, training=True)).all()
    assert np.isfinite(GaussianScale("optimal_per_example")(means, means, training=True)).all()


def test_fixed_and_shared():
    means = numbers(0, 4, 3)
    fixed = GaussianScale("fixed", scale=0.25)
    np.testing.assert_allclose(np.exp(fixed(means, means))[..., 1], 0.25, rtol=1e-6)
    assert not fixed.weights
    shared = GaussianScale("shared")
    np.testing.assert_allclose(shared(means, means)[..., 1], 0.0)
    shared.tenth_of_log_scale.assign(-0.15)
    np.testing.assert_allclose(shared(means, means, training=True)[..., 1], -1.5, rtol=1e-6)
    assert [weight.name for weight in shared.trainable_weights] == ["tenth_of_log_scale"]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="kind must be one of fixed, shared.*; got 'best'"):
        GaussianScale("best")
    for scale, momentum in ((0.0, 0.9), (1.0, 1.0), (float("nan"), 0.5), (1.0, -0.1)):
        with pytest.raises(ValueError, match="scale must be more than 0 and momentum from 0"):
            GaussianScale("fixed", scale=scale, momentum=momentum)
