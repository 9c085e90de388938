"""Batch normalization that reads its input as seldom as can be."""

import keras
from keras import ops

from toolkit import fused, replicas


@keras.saving.register_keras_serializable(package="toolkit")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """Is `keras.layers.BatchNormalization`, trained by one operation of TensorFlow's where Keras takes about ten.

    outputs = gamma (x - mean(x)) / sqrt(var(x) + epsilon) + beta for each channel in training, with the moving mean and
    variance in their place otherwise: the same values, weights and configuration as Keras' own, in less time and
    memory. Keras' operations are taken where they differ: masks, renormalization, an axis that is not the last one,
    float64, and `synchronized` with more than one replica.

    Args:
        **kwargs: As in `keras.layers.BatchNormalization`.

    Input shape: (batch, ..., channels), for example (8, 32, 33, 16).

    Output shape: The same.

    Raises:
        ValueError: As in `keras.layers.BatchNormalization`.

    Example:

    >>> layer = FusedBatchNormalization(epsilon=1e-6)
    >>> keras.ops.convert_to_numpy(layer(keras.ops.array([[1.0], [3.0]]), training=True)).round(3).tolist()
    [[-1.0], [1.0]]

    Reference: Ioffe, Szegedy 2015, arXiv 1502.03167, algorithm 1.
    """

    def call(self, inputs, training=None, mask=None):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))  # statistics of half floats overflow
        if not training or not self.trainable or mask is not None or not self._is_fused(x):
            return super().call(inputs, training=training, mask=mask)
        channels = x.shape[-1]
        scale = ops.ones(channels) if self.gamma is None else ops.convert_to_tensor(self.gamma)
        offset = ops.zeros(channels) if self.beta is None else ops.convert_to_tensor(self.beta)
        outputs, mean, variance = fused.normalized(x, scale, offset, self.epsilon)
        for moving, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + found * (1.0 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)

    def _is_fused(self, x):
        last = self.axis in (-1, len(x.shape) - 1)
        known = last and keras.backend.standardize_dtype(x.dtype) == "float32" and not self.renorm
        return known and (replicas.are_one() or not self.synchronized)
