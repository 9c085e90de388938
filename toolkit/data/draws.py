"""Random numbers for each example from its own seed, in a graph, whatever else is in the batch."""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit.lazy import tensorflow as tf


def draws(names: Sequence[str], seed: int, seeds: Any, purpose: str = "") -> tuple[dict[str, Any], Any]:
    """Draws uniform numbers by name; a number depends on its place among the names, not on how many follow.

    They are hashes of the two seeds and that place (splitmix64, Steele et al. 2014): TensorFlow's own stateless random
    numbers take one seed for the whole batch. They are float64, because the last bit of a logarithm depends on the
    example's place in the batch: rounding the result to float32 removes it.

    Args:
        names: Names of the numbers. The keys are made of the last one's bits: who needs both gives the keys a name
            of their own, last.
        seed: Decides with an example's own seed.
        seeds: int64 (batch,), each example's own.
        purpose: What they are drawn for. Of the same seeds, another purpose gives other numbers: what is done to an
            example one thing after the other must not go together.

    Returns:
        (numbers, keys): numbers in [0, 1) by name, float64 (batch,); keys uint32 (batch,), to make noise from.

    Example:

    >>> numbers, _ = draws(("flip", "scale"), 0, np.array([5, 6]))
    >>> alone, _ = draws(("flip",), 0, np.array([6]))
    >>> float(numbers["flip"][1]) == float(alone["flip"][0])
    True
    """
    step = tf.constant(0x9E3779B97F4A7C15, tf.uint64)

    def mixed(bits):
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            bits = (bits ^ tf.bitwise.right_shift(bits, tf.constant(shift, tf.uint64))) * tf.constant(factor, tf.uint64)
        return bits ^ tf.bitwise.right_shift(bits, tf.constant(31, tf.uint64))

    own = (seed + (zlib.crc32(purpose.encode()) << 32)) % (1 << 64)
    start = mixed(tf.constant(own, tf.uint64) + step)
    keys = mixed(start + (tf.cast(seeds, tf.uint64) + tf.constant(1, tf.uint64)) * step)
    numbers = tf.constant(np.arange(1, len(names) + 1, dtype=np.uint64))
    bits = mixed(mixed(keys[:, None] + numbers * step))
    top = tf.cast(tf.bitwise.right_shift(bits, tf.constant(40, tf.uint64)), tf.float64) * 2.0**-24
    drawn = dict(zip(names, tf.unstack(top, axis=1), strict=True))
    return drawn, tf.cast(tf.bitwise.right_shift(bits[:, -1], tf.constant(32, tf.uint64)), tf.uint32)
