"""Mean and scale of the training data, kept with the model."""

from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class Standardization(keras.layers.Layer):
    """(inputs - mean) / scale, channel by channel; `inverse` undoes it.

    Unlike `keras.layers.Normalization`, mean and scale are set by the caller (a channel can be left alone with 0 and
    1), both are plain non-trainable weights, so that every kind of checkpoint carries them, and the way back is there.

    Args:
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, ..., channels).

    Output shape: the input's.

    Raises:
        ValueError: Where the channels are unknown at build, or `adapt` is given wrong shapes or a scale of zero.

    Example:

    >>> layer = Standardization()
    >>> layer.build((None, 2))
    >>> layer.adapt(mean=[1.0, 0.0], scale=[2.0, 1.0])
    >>> np.asarray(layer(ops.convert_to_tensor([[5.0, 1.0]])))
    array([[2., 1.]], dtype=float32)

    Reference: Graves 2013, arXiv 1308.0850, section 4.2 (offsets normalised over the training set).
    """

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        self.supports_masking = True

    def build(self, input_shape) -> None:
        if input_shape[-1] is None:
            raise ValueError(f"{self.name}: the last axis of the input must be known; got shape {input_shape}.")
        shape = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", trainable=False)
        self.built = True

    def adapt(self, mean, scale) -> None:
        """Sets the statistics.

        Args:
            mean: Mean of each channel, (channels,), in the data's unit.
            scale: Standard deviation of each channel, (channels,), in the data's unit, greater than zero.
        """
        mean, scale = np.asarray(mean, "float32"), np.asarray(scale, "float32")
        if mean.shape != tuple(self.mean.shape) or scale.shape != mean.shape:
            raise ValueError(
                f"{self.name}: mean and scale have shape {tuple(self.mean.shape)}; got {mean.shape}, {scale.shape}."
            )
        if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
            raise ValueError(f"{self.name}: mean must be finite and scale positive; got mean {mean}, scale {scale}.")
        self.mean.assign(mean)
        self.scale.assign(scale)

    def call(self, inputs):
        return (inputs - self.mean) / self.scale

    def inverse(self, outputs) -> Any:
        """outputs * scale + mean.

        Args:
            outputs: What `call` returned, (batch, ..., channels).
        """
        return outputs * ops.convert_to_tensor(self.scale) + ops.convert_to_tensor(self.mean)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)
