import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import GradientClip
from toolkit.layers.gradient_clip import limit_in_a_mean


def test_gate():
    checks.check_layer(
        lambda: GradientClip(100.0, name="clip"), np.random.default_rng(0).standard_normal((2, 3)).astype("float32")
    )


def test_clips_what_comes_back_and_nothing_else():
    values = tf.constant([[-3.0, 0.1, 2.0]])
    with tf.GradientTape() as tape:
        tape.watch(values)
        output = GradientClip(1.0)(values)
        loss = tf.reduce_sum(output**2)
    np.testing.assert_array_equal(output, values)
    np.testing.assert_allclose(tape.gradient(loss, values), [[-1.0, 0.2, 1.0]])


def test_bad_limit():
    with pytest.raises(ValueError, match="limit must be positive"):
        GradientClip(0.0)


def test_the_limit_of_a_mean_is_as_many_times_smaller():
    """What is clipped of the sum over a batch is what is clipped of its mean."""
    values = np.random.default_rng(0).standard_normal((4, 3)).astype("float32") * 5
    gradients = []
    for limit, share in ((3.0, 1.0), (limit_in_a_mean(3.0, 4), 0.25)):
        variable = tf.Variable(np.zeros((4, 3), "float32"))
        with tf.GradientTape() as tape:
            loss = share * tf.reduce_sum(GradientClip(limit)(variable) * values)
        gradients.append(tape.gradient(loss, variable) / share)
    np.testing.assert_allclose(gradients[0], np.clip(values, -3, 3), rtol=1e-6)
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-6)
    assert limit_in_a_mean(0.0, 4) is None and limit_in_a_mean(3.0, 4, "mixed_float16") is None
    assert limit_in_a_mean(3.0, 4, "mixed_bfloat16") == 0.75
