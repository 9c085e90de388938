"""What the replicas of a distributed training tell one another."""

from typing import Any

from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def gathered(rows: Any) -> Any:
    """Gives the rows of all replicas, to each of them, in the order of the replicas.

    Layers are for every backend of Keras, which has no such operation; outside of a replica of `tf.distribute`, so on
    any other backend, the rows are returned as they are.

    Args:
        rows: A tensor (rows, ...); replicas may have unlike numbers of rows.

    Returns:
        A tensor (rows of all replicas, ...).
    """
    if keras.backend.backend() != "tensorflow":
        return rows
    replica = tf.distribute.get_replica_context()
    alone = replica is None or replica.num_replicas_in_sync == 1
    return rows if alone else replica.all_gather(rows, axis=0)
