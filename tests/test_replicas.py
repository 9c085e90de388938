"""Of several replicas it is tried with the layer that needs it: tests/layers/test_memory.py."""

import numpy as np
import tensorflow as tf

from toolkit.replicas import gathered


def test_one_replica_has_its_own_rows():
    rows = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert gathered(rows) is rows
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert gathered(rows) is rows
    np.testing.assert_array_equal(tf.function(gathered)(rows), rows)
