"""From a network's logits to a token: temperature, the most probable tokens only, tokens that are never drawn."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf


def draw(logits, noise=None, temperature=1.0, top_k: int = 0, excluded: Sequence[int] = ()) -> tf.Tensor:
    """Draws tokens by inverting the cumulative distribution; a pure function of its arguments where noise is given.

    Args:
        logits: (..., vocabulary).
        noise: (...), uniform in [0, 1); fresh noise without it.
        temperature: A number or (...): the logits are divided by it; 0 gives the most probable token.
        top_k: Draw from the k most probable tokens only; 0: from all.
        excluded: Tokens never drawn, such as the unknown one.

    Returns:
        (...), int32.

    Example:

    >>> draw(np.log([[0.2, 0.8], [0.2, 0.8]]).astype("float32"), noise=tf.constant([0.1, 0.3])).numpy().tolist()
    [0, 1]

    Reference: top_k: Fan et al. 2018, arXiv 1805.04833, section 5.
    """
    logits = tf.convert_to_tensor(logits)
    num_tokens = logits.shape[-1]
    if noise is None:
        # Stateful random ops: the stateless ones of keras.random have no TFLite counterpart.
        leading = logits.shape[:-1]
        noise = tf.random.uniform(leading if leading.is_fully_defined() else tf.shape(logits)[:-1])
    if excluded:
        banned = np.zeros(num_tokens, "float32")
        banned[list(excluded)] = -1e9
        logits = logits + banned
    logits = logits - tf.reduce_max(logits, axis=-1, keepdims=True)
    if top_k:
        least = tf.math.top_k(logits, top_k).values[..., -1:]
        logits = tf.where(logits < least, -1e9, logits)
    temperature = tf.maximum(tf.cast(temperature, tf.float32), 1e-4)
    shares = tf.cumsum(tf.nn.softmax(logits / temperature[..., None]), axis=-1)
    # Scaled by the last sum: rounding may leave it below 1, and a draw above it would pick no token.
    below = tf.cast(shares <= noise[..., None] * shares[..., -1:], tf.int32)
    return tf.minimum(tf.reduce_sum(below, axis=-1), num_tokens - 1)
