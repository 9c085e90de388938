import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import SampledSoftmax


def floats(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate_logits():
    checks.check_layer(lambda: SampledSoftmax(7, name="softmax"), floats(0, 3, 6, 4))


def test_gate_nats():
    targets = np.random.default_rng(1).integers(0, 7, (3, 6)).astype("int32")
    checks.check_layer(lambda: SampledSoftmax(7, num_sampled=3, name="softmax"), floats(0, 3, 6, 4), targets)


def test_nats_are_the_formula():
    inputs, targets = floats(2, 2, 3, 4), np.array([[0, 6, -1], [3, 3, 2]], "int32")
    layer = SampledSoftmax(7)
    layer(inputs)
    kernel, bias = layer.get_weights()
    layer.set_weights([kernel, bias := floats(3, 7)])
    logits = inputs.astype("float64") @ kernel.T.astype("float64") + bias
    shares = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    expected = -np.log(np.take_along_axis(shares, np.maximum(targets, 0)[..., None], axis=-1)[..., 0])
    expected[targets < 0] = 0
    np.testing.assert_allclose(layer(inputs, targets), expected, rtol=1e-5)
    np.testing.assert_allclose(layer(inputs), logits, rtol=1e-4, atol=1e-5)


def test_sample_is_log_uniform_and_its_estimate_comes_close():
    """With many sampled tokens the estimate goes to the exact value: the correction by log(|S| q) is right."""
    inputs, targets = floats(4, 1, 50, 8), np.random.default_rng(5).integers(0, 200, (1, 50)).astype("int32")
    few, many = SampledSoftmax(200, num_sampled=50, seed=0), SampledSoftmax(200, num_sampled=20_000, seed=0)
    exact = np.asarray(few(inputs, targets))
    many(inputs, targets)
    many.set_weights([w * 3 for w in few.get_weights()]), few.set_weights(many.get_weights())
    exact = np.asarray(few(inputs, targets))
    close = np.asarray(many(inputs, targets, training=True))
    np.testing.assert_allclose(close, exact, atol=0.1)
    rough = np.mean([np.asarray(few(inputs, targets, training=True)) for _ in range(50)], axis=0)
    assert 0.005 < np.abs(rough - exact).mean() < 0.3


def test_learns_the_true_distribution():
    """Trained on sampled softmaxes only, its exact nats become the entropy of a Zipfian source."""
    shares = 1 / np.arange(1, 101)
    shares /= shares.sum()
    random = np.random.default_rng(6)
    layer = SampledSoftmax(100, num_sampled=20, seed=1)
    ones = tf.ones((1, 512, 1))
    layer(ones)
    optimizer = keras.optimizers.Adam(0.05)
    step = tf.function(lambda targets: train(layer, optimizer, ones, targets))
    for _ in range(300):
        step(tf.constant(random.choice(100, (1, 512), p=shares), tf.int32))
    targets = np.arange(100, dtype="int32")[None]
    found = np.asarray(layer(np.ones((1, 100, 1), "float32"), targets))[0]
    entropy = -(shares * np.log(shares)).sum()
    assert entropy <= (shares * found).sum() < entropy + 0.08


def train(layer, optimizer, inputs, targets):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(layer(inputs, targets, training=True))
    variables = layer.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, [v.value for v in variables]), variables, strict=True))
    return loss


def test_errors():
    with pytest.raises(ValueError, match="vocabulary_size must be at least 1"):
        SampledSoftmax(0)
    with pytest.raises(ValueError, match="num_sampled at least 0; got 7 and -1"):
        SampledSoftmax(7, num_sampled=-1)
