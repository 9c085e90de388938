"""From what a network emits to a value: a token of its logits, an event of its mixture.

Fresh noise comes from stateful random ops: the stateless ones of keras.random have no TFLite counterpart.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.distributions.gaussian_mixture import GaussianMixture


def draw_token(
    logits: ArrayLike,
    noise: ArrayLike | None = None,
    temperature: ArrayLike = 1.0,
    top_k: int = 0,
    excluded: Sequence[int] = (),
) -> tf.Tensor:
    """Draws tokens by inverting the cumulative distribution.

    Args:
        logits: (..., vocabulary).
        noise: (...), uniform in [0, 1); fresh noise without it.
        temperature: A number or (...): the logits are divided by it; 0, as what is negative or no number, gives the
            most probable token.
        top_k: Draw from the k most probable tokens only; 0: from all.
        excluded: Tokens never drawn, such as the unknown one.

    Returns:
        (...), int32.

    Example:

    >>> draw_token(np.log([[0.2, 0.8], [0.2, 0.8]]).astype("float32"), noise=tf.constant([0.1, 0.3])).numpy().tolist()
    [0, 1]

    Reference: top_k: Fan et al. 2018, arXiv 1805.04833, section 5.
    """
    logits = tf.convert_to_tensor(logits)
    num_tokens = logits.shape[-1]
    if noise is None:
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
    temperature = tf.cast(temperature, tf.float32)
    # What is no temperature is 0; from 10,000 on all tokens are alike, but for those that are left out.
    # `not warm` is nowhere asked: TensorFlow makes `<=` of it, which is false too where the temperature is no number.
    warm = temperature > 1e-4
    logits = tf.where(tf.logical_or(warm[..., None], logits >= 0), logits, -1e9)
    temperature = tf.where(warm, tf.minimum(temperature, 1e4), 1e-4)
    shares = tf.cumsum(tf.nn.softmax(logits / temperature[..., None]), axis=-1)
    # Scaled by the last sum: rounding may leave it below 1, and a draw above it would pick no token.
    below = tf.cast(shares <= noise[..., None] * shares[..., -1:], tf.int32)
    return tf.minimum(tf.reduce_sum(below, axis=-1), num_tokens - 1)


def token_nats(logits: tf.Tensor, token: tf.Tensor) -> tf.Tensor:
    """What tokens take.

    Args:
        logits: (..., vocabulary).
        token: (...), integers.

    Returns:
        (...), -log p of each.

    Example:

    >>> round(float(token_nats(tf.math.log([[0.25, 0.75]]), tf.constant([0]))[0] / np.log(2)), 4)
    2.0
    """
    chosen = tf.reduce_sum(tf.one_hot(token, logits.shape[-1]) * logits, axis=-1)
    return tf.reduce_logsumexp(logits, axis=-1) - chosen


def below_one(noise: ArrayLike) -> np.ndarray:
    """Rounds uniform noise to single precision such that it stays below 1, where no token is drawn.

    Args:
        noise: Numbers in [0, 1).

    Returns:
        float32, of the same shape.

    Example:

    >>> bool(below_one(1 - 1e-12) < 1), float(np.float32(1 - 1e-12))
    (True, 1.0)
    """
    return np.minimum(noise, 1 - 2**-24).astype("float32")


def draw_event(
    distribution: GaussianMixture, params: ArrayLike, bias: ArrayLike = 0.0, noise: ArrayLike | None = None
) -> tf.Tensor:
    """Draws events of a mixture density.

    Args:
        distribution: A `distributions.GaussianMixture`.
        params: Raw parameters, (batch, num_params).
        bias: Sampling bias, a number or (batch,).
        noise: (batch, num_noise): a uniform, `event_size` normal and, for the on/off channel, a uniform number; fresh
            ones without it.

    Returns:
        (batch, num_channels), float32.

    Example:

    >>> from toolkit.distributions import GaussianMixture
    >>> family = GaussianMixture(num_mixtures=2, event_size=2, bernoulli=True)
    >>> draw_event(family, tf.zeros((4, family.num_params))).shape
    TensorShape([4, 3])

    Reference: Graves 2013, arXiv 1308.0850, equations 15 to 23, and 61 and 62 for the bias.
    """
    if noise is None:
        batch_size = tf.shape(params)[0]
        uniform = tf.random.uniform((batch_size, 1 + distribution.bernoulli))
        normal = tf.random.normal((batch_size, distribution.event_size))
        noise = tf.concat([uniform[:, :1], normal, uniform[:, 1:]], axis=-1)
    return distribution.sample(params, bias=bias, noise=noise)
