"""What the replicas of a distributed training tell one another."""

from typing import Any

from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def are_one() -> bool:
    """Tells whether a step is computed by one replica alone, as it is on every backend but TensorFlow's."""
    if keras.backend.backend() != "tensorflow":
        return True
    replica = tf.distribute.get_replica_context()
    return replica is None or replica.num_replicas_in_sync == 1


def gathered(rows: Any) -> Any:
    """Gives the rows of all replicas, to each of them, in the order of the replicas.

    Layers are for every backend of Keras, which has no such operation; outside of a replica of `tf.distribute`, so on
    any other backend, the rows are returned as they are.

    Args:
        rows: A tensor (rows, ...); replicas may have unlike numbers of rows.

    Returns:
        A tensor (rows of all replicas, ...).
    """
    return rows if are_one() else tf.distribute.get_replica_context().all_gather(rows, axis=0)
