import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import GradientClip


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
