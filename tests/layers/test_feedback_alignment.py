import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import FeedbackAlignment

VALUES = np.random.default_rng(0).standard_normal((4, 5)).astype("float32")


def test_gate():
    checks.check_layer(lambda: FeedbackAlignment(3, name="layer"), VALUES)


def test_forward_by_the_weights_and_back_by_the_fixed_matrix():
    random = np.random.default_rng(1)
    layer = FeedbackAlignment(3)
    layer.build((None, 5))
    weights, bias, upstream = (random.standard_normal(shape).astype("float32") for shape in ((5, 3), (3,), (4, 3)))
    layer.kernel.assign(weights)
    layer.bias.assign(bias)
    values = tf.constant(VALUES)
    with tf.GradientTape() as tape:
        tape.watch(values)
        outputs = layer(values)
        loss = tf.reduce_sum(outputs * upstream)
    back, by_kernel, by_bias = tape.gradient(loss, [values, layer.kernel.value, layer.bias.value])
    np.testing.assert_allclose(outputs, VALUES @ weights + bias, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_kernel, VALUES.T @ upstream, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(by_bias, upstream.sum(axis=0), rtol=1e-5, atol=1e-6)
    feedback = np.asarray(layer.feedback)
    np.testing.assert_allclose(back, upstream @ feedback.T, rtol=1e-5, atol=1e-6)
    assert np.abs(back - upstream @ weights.T).max() > 0.1
    assert 0.5 * 5**-0.5 < np.abs(feedback).max() <= 5**-0.5


def test_it_begins_at_0_and_what_goes_back_is_not_trained():
    layer = FeedbackAlignment(3)
    assert not np.asarray(layer(VALUES)).any()
    assert [weight.name for weight in layer.trainable_variables] == ["kernel", "bias"]


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="units must be at least 1; got 0"):
        FeedbackAlignment(0)
    with pytest.raises(ValueError, match=r"expected \(batch, features\)"):
        FeedbackAlignment(3)(keras.Input((2, 2)))
