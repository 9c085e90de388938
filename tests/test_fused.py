import numpy as np
import pytest
import tensorflow as tf

from toolkit.fused import normalized

SCALE, OFFSET = np.array([2.0, 0.5, -1.0], "float32"), np.array([0.0, 3.0, 1.0], "float32")


@pytest.mark.parametrize("shape", [(7, 3), (1, 3), (4, 5, 3), (2, 3, 4, 3), (2, 2, 3, 2, 3)])
def test_is_the_formula(shape):
    x = np.random.default_rng(0).normal(3.0, 2.0, shape).astype("float32")
    rows = x.reshape(-1, 3).astype("float64")
    mean, variance = rows.mean(0), rows.var(0)
    expected = (SCALE * (x - mean) / np.sqrt(variance + 0.1) + OFFSET, mean, variance)
    for run in (normalized, tf.function(normalized, reduce_retracing=True)):
        for one, other in zip(run(x, SCALE, OFFSET, 0.1), expected, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("shape", [(None, 3), (None, None, 3), (None, None, None, 3), (2, None, 4, 5, 3)], ids=str)
def test_axes_of_unknown_length(shape):
    traced = tf.function(lambda x: normalized(x, SCALE, OFFSET, 0.1), input_signature=[tf.TensorSpec(shape)])
    assert [tuple(each.shape) for each in traced.get_concrete_function().structured_outputs] == [shape, (3,), (3,)]
