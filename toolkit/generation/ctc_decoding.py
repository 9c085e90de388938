"""From the logits of a network trained with connectionist temporal classification (CTC) to text."""

import numpy as np
import tensorflow as tf
from keras import ops
from numpy.typing import ArrayLike


def greedy(logits: ArrayLike, alphabet: str) -> list[str]:
    """The likeliest class at each step; repeats count once, blanks not.

    Args:
        logits: (batch, time, len(alphabet) + 1), class 0 blank.
        alphabet: The character of class i + 1.

    Returns:
        A text for each line.

    Example:

    >>> greedy(np.eye(3)[[[1, 1, 0, 1, 2]]], "ab")
    ['aab']

    Reference: Graves et al. 2006, section 3.2 (best path decoding).
    """
    best = np.argmax(np.asarray(logits), axis=-1)
    _check(logits, alphabet)
    keep = (best != 0) & (best != np.pad(best, ((0, 0), (1, 0)))[:, :-1])
    return ["".join(alphabet[i - 1] for i in row[kept]) for row, kept in zip(best, keep, strict=True)]


def beam_search(logits: ArrayLike, alphabet: str, beam_width: int = 25) -> list[str]:
    """The likeliest text that a beam search over beginnings finds: the ways to write one text add up.

    Args:
        logits: (batch, time, len(alphabet) + 1), class 0 blank.
        alphabet: The character of class i + 1.
        beam_width: Beginnings kept at each step.

    Returns:
        A text for each line.

    Example:

    >>> beam_search(np.log([[[0.6, 0.4], [0.6, 0.4]]]), "a")  # greedy reads nothing, at 0.36; "a" has 0.64
    ['a']

    Reference: Graves and Jaitly 2014, "Towards end-to-end speech recognition with recurrent neural networks".
    """
    _check(logits, alphabet)
    logits = tf.cast(logits, tf.float32)
    lengths = tf.fill(tf.shape(logits)[:1], tf.shape(logits)[1])
    # Not merge_repeated: the search itself tells "aa" from "a".
    decoded, _ = ops.ctc_decode(logits, lengths, strategy="beam_search", beam_width=beam_width, merge_repeated=False)
    return ["".join(alphabet[i - 1] for i in row if i > 0) for row in np.asarray(decoded[0])]


def greedy_codes(logits: ArrayLike, alphabet: str) -> tf.Tensor:
    """`greedy` inside a graph, of TFLite's builtin ops.

    Args:
        logits: (batch, time, len(alphabet) + 1), class 0 blank.
        alphabet: The character of class i + 1.

    Returns:
        int32 (batch, time): Unicode code points, zeros after the end.

    Example:

    >>> greedy_codes(np.eye(3, dtype="float32")[[[1, 1, 0, 1, 2]]], "ab").numpy().tolist()
    [[97, 97, 98, 0, 0]]
    """
    best = tf.cast(tf.argmax(logits, axis=-1), tf.int32)
    before = tf.pad(best, ((0, 0), (1, 0)))[:, :-1]
    kept = tf.cast((best != 0) & (best != before), tf.int32)
    codes = tf.gather(tf.constant([0, *map(ord, alphabet)], tf.int32), best) * kept
    places = tf.cumsum(kept, axis=1) - 1
    here = tf.cast(places[:, None, :] == tf.range(tf.shape(best)[1])[None, :, None], tf.int32)
    return tf.reduce_sum(here * codes[:, None, :], axis=2)


def _check(logits, alphabet):
    if np.ndim(logits) != 3 or np.shape(logits)[-1] != len(alphabet) + 1:
        raise ValueError(
            f"expected logits (batch, time, {len(alphabet) + 1}), blank and {len(alphabet)} characters; got "
            f"{tuple(np.shape(logits))}."
        )
