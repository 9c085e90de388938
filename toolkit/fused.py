"""Operations that TensorFlow computes as one, and for which Keras has no name."""

from typing import Any

from toolkit.lazy import tensorflow as tf


def normalized(x: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalizes each channel by its mean and variance: scale (x - mean) / sqrt(variance + epsilon) + offset.

    Args:
        x: float32 (..., channels).
        scale: float32 (channels,).
        offset: float32 (channels,).
        epsilon: Above 0.

    Returns:
        (outputs, mean, variance): as x; (channels,); (channels,), divided by the number, not by one less.
    """
    image = x if len(x.shape) == 4 else tf.reshape(x, (-1, 1, 1, x.shape[-1]))
    how = {"scale": scale, "offset": offset, "mean": tf.zeros(0), "variance": tf.zeros(0), "epsilon": epsilon}
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(x=image, **how, is_training=True)
    number = tf.cast(tf.size(image) // x.shape[-1], tf.float32)
    variance *= (number - 1) / number  # back from the estimate without bias
    return outputs if image is x else tf.reshape(outputs, tf.shape(x)), mean, variance
