"""Where handwriting ends: the window that reads the text has left it."""

from collections.abc import Callable

import tensorflow as tf


def past_text(text: tf.Tensor) -> Callable:
    """Makes a stop rule of `loop.generate`: phi(t, U + 1) > phi(t, u) for all u <= U.

    Args:
        text: int32 (batch, characters), Unicode code points, U of them and at least one zero after them in each row.

    Returns:
        A function of a step's output, with the window's "weights" phi (batch, characters), and the value drawn from it;
        it returns whether a row has ended, (batch,).

    Example:

    >>> stop = past_text(tf.constant([[97, 98, 0], [97, 0, 0]]))
    >>> stop({"weights": tf.constant([[0.1, 0.5, 0.4], [0.1, 0.5, 0.4]])}, None).numpy().tolist()
    [False, True]

    Reference: Graves 2013, arXiv 1308.0850, section 5.3.
    """
    positions = tf.range(text.shape[1])[None]
    last = tf.reduce_sum(tf.cast(text != 0, tf.int32), axis=1)[:, None]

    def stop(output, value):
        beyond = tf.reduce_max(tf.where(positions == last, output["weights"], 0.0), axis=1)
        inside = tf.reduce_max(tf.where(positions < last, output["weights"], 0.0), axis=1)
        return beyond > inside

    return stop
