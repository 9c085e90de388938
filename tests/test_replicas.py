"""Of several replicas it is tried in tests/layers, by Memory and FusedBatchNormalization."""

import numpy as np
import tensorflow as tf

from toolkit.replicas import are_one, gathered


def test_one_replica_has_its_own_rows():
    rows = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    assert are_one() and gathered(rows) is rows
    with tf.distribute.OneDeviceStrategy("CPU:0").scope():
        assert are_one() and gathered(rows) is rows
    np.testing.assert_array_equal(tf.function(gathered)(rows), rows)
