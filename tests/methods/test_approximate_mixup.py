import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import Mixup
from toolkit.methods.approximate_mixup import ApproximateMixup, cross_entropy, second_order
from toolkit.methods.mixup import moments

RANDOM = np.random.default_rng(0)


def numbers(*shape):
    return tf.constant(RANDOM.normal(size=shape), tf.float64)


FIRST, LAST = numbers(4, 6), numbers(6, 3)


def network(x):
    return tf.tanh(x @ FIRST) @ LAST


def squared(y, u):
    return tf.reduce_sum(tf.square(u - y), axis=-1)


@pytest.mark.parametrize("loss", [cross_entropy, squared])
def test_terms_are_those_of_differences(loss):
    x, y, dx, dy = numbers(5, 4), numbers(5, 3), numbers(5, 4), 0.1 * numbers(5, 3)
    found = second_order(network, loss, x, y, dx, dy)
    step = 1e-3

    def at(t, s):
        return loss(y + s * dy, network(x + t * dx))

    def second(along):
        return (along(step) - 2 * along(0.0) + along(-step)) / (2 * step**2)

    np.testing.assert_allclose(found.shrunk, at(0.0, 0.0))
    by_inputs = second(lambda t: at(t, 0.0))
    np.testing.assert_allclose(found.jacobian + found.curvature, by_inputs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.targets, second(lambda t: at(0.0, t)), rtol=1e-4, atol=1e-5)
    both = second(lambda t: at(t, t))
    np.testing.assert_allclose(found.total - found.shrunk, both, rtol=1e-4, atol=1e-5)
    # With the network taken as linear, along its Jacobian.
    linear = (network(x + step * dx) - network(x - step * dx)) / (2 * step)
    flat = second(lambda t: loss(y, network(x) + t * linear))
    np.testing.assert_allclose(found.jacobian, flat, rtol=1e-4, atol=1e-5)
    assert np.abs(found.curvature).max() > 1e-2
    assert np.all(found.targets == 0) == (loss is cross_entropy)


def test_of_linear_pieces_there_is_no_curvature():
    def pieces(x):
        return tf.nn.relu(x @ FIRST) @ LAST

    x, y, dx, dy = numbers(5, 4), numbers(5, 3), numbers(5, 4), numbers(5, 3)
    found, without = (second_order(pieces, cross_entropy, x, y, dx, dy, curvature=each) for each in (True, False))
    np.testing.assert_array_equal(found.curvature, 0)
    np.testing.assert_allclose(found.total, without.total)


def small():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2, 2))
    hidden = keras.layers.Dense(6, "tanh")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(3)(hidden))


INPUTS = RANDOM.normal(size=(12, 2, 2)).astype("float32")
TARGETS = np.eye(3, dtype="float32")[RANDOM.integers(0, 3, 12)]


def test_a_step_is_down_the_gradient_of_the_expanded_loss():
    rate, alpha = 0.1, 0.3
    means = INPUTS.mean(0), TARGETS.mean(0)
    model = ApproximateMixup(small(), alpha, *means, seed=3)
    model.compile(keras.optimizers.SGD(rate), jit_compile=False)
    share, partner = (np.asarray(each) for each in Mixup(alpha, True, seed=3).draw(12))
    factor, parts = moments(alpha).mean, []
    for values, mean in zip((INPUTS, TARGETS), means, strict=True):
        kept = np.maximum(share, 1 - share).reshape(-1, *[1] * (values.ndim - 1))
        mixture = kept * values + (1 - kept) * values[partner]
        shrunk = mean + factor * (values - mean)
        parts.append((tf.constant(shrunk), tf.constant(mixture - shrunk)))
    (x, dx), (y, dy) = parts
    weights = model.network.trainable_variables
    before = [np.asarray(weight) for weight in weights]

    @tf.function
    def slope():
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(second_order(model.network, cross_entropy, x, y, dx, dy).total)
        return loss, tape.gradient(loss, [weight.value for weight in weights])

    loss, expected = slope()
    found = model.train_on_batch(INPUTS, TARGETS, return_dict=True)
    assert found["loss"] == pytest.approx(float(loss), rel=1e-4)
    assert found["loss"] == pytest.approx(sum(v for k, v in found.items() if k != "loss"), rel=1e-4)
    for weight, old, gradient in zip(weights, before, expected, strict=True):
        np.testing.assert_allclose(np.asarray(weight), old - rate * np.asarray(gradient), atol=1e-5)


def test_trains_and_validates():
    model = ApproximateMixup(small(), 0.2, INPUTS.mean(0), TARGETS.mean(0), seed=0)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, jit_compile=False)
    losses = model.fit(INPUTS, TARGETS, batch_size=5, epochs=20, verbose=0).history["loss"]
    assert np.mean(losses[-3:]) < np.mean(losses[:3]) - 0.2
    found = model.evaluate(INPUTS, TARGETS, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(float(loss(TARGETS, model.network(INPUTS))), rel=1e-5)


def test_means_must_fit():
    with pytest.raises(ValueError, match=r"input_mean: expected shape \(2, 2\); got \(3,\)"):
        ApproximateMixup(small(), 0.2, np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="alpha must be more than 0; got 0"):
        ApproximateMixup(small(), 0, np.zeros((2, 2)), np.zeros(3))


@pytest.mark.parametrize("layer", [keras.layers.BatchNormalization(), keras.layers.SpatialDropout1D(0.5)])
def test_networks_whose_examples_depend_on_others_are_refused(layer):
    inputs = keras.Input((3, 2))
    network = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(layer(inputs))))
    with pytest.raises(ValueError, match=f"has {layer.name}: expected no batch normalization and no dropout"):
        ApproximateMixup(network, 0.2, np.zeros((3, 2)), np.ones(2) / 2)


def test_weights_of_examples_are_refused():
    inputs = keras.Input((2,))
    model = ApproximateMixup(keras.Model(inputs, keras.layers.Dense(2)(inputs)), 0.2, np.zeros(2), np.ones(2) / 2)
    model.compile("sgd")
    with pytest.raises(ValueError, match=r"expected \(inputs, targets\); got weights of examples too"):
        model.train_on_batch(np.ones((4, 2)), np.eye(2)[[0, 1, 0, 1]], sample_weight=np.ones(4))
