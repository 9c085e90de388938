"""Tokens as streams laid end to end (Graves 2013, section 3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.data.pipelines import Batches
from toolkit.lazy import tensorflow as tf


def streams(tokens: np.ndarray, batch_size: int, sequence_length: int, reset_every: int = 0) -> Batches:
    """Cuts tokens into contiguous streams; see `Corpus.streams`.

    Args:
        tokens: (tokens,).
        batch_size, sequence_length, reset_every: As there.

    Example:

    >>> for batch in streams(np.arange(1, 8), 2, 2).dataset(num_epochs=1).as_numpy_iterator():
    ...     print(batch["tokens"].tolist(), batch["targets"].tolist(), batch["continues"].tolist())
    [[0, 1], [4, 5]] [[1, 2], [5, 6]] [0.0, 0.0]
    [[2, 3], [6, 0]] [[3, 4], [7, -1]] [1.0, 1.0]
    """
    num_tokens = len(tokens)
    length = -(-num_tokens // batch_size)
    num_steps = -(-length // sequence_length)
    starts = np.arange(batch_size) * length

    def read(steps):
        (step,) = steps
        places = starts[:, None] + step * sequence_length + np.arange(sequence_length)
        inside = (places < starts[:, None] + length) & (places < num_tokens)
        places = np.minimum(places, num_tokens - 1)
        targets = tokens[places].astype("int32")
        before = np.where(places > 0, tokens[np.maximum(places - 1, 0)].astype("int32"), 0)
        goes_on = step > 0 and not (reset_every and step % reset_every == 0)
        return {
            "tokens": np.where(inside, before, 0).astype("int32"),
            "targets": np.where(inside, targets, -1).astype("int32"),
            "continues": np.full(batch_size, goes_on, "float32"),
        }

    shape = (batch_size, sequence_length)
    signature = {
        "tokens": tf.TensorSpec(shape, tf.int32),
        "targets": tf.TensorSpec(shape, tf.int32),
        "continues": tf.TensorSpec(shape[:1], tf.float32),
    }
    steps = [np.array([step]) for step in range(num_steps)]
    return Batches(read, lambda epoch: steps, signature, num_examples=num_tokens, continues=True)


def as_fitted(batch: Mapping[str, Any]) -> tuple:
    """Turns a batch of streams into what `fit` takes: targets are an input too, and padding has weight 0.

    Args:
        batch: As `streams` makes it, of tensors.

    Returns:
        (batch, targets, weights float32 (batch, time)).
    """
    return batch, batch["targets"], tf.cast(batch["targets"] >= 0, tf.float32)
