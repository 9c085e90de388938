"""Conditions that change once a frame, brought to the rate of the samples."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class FrameUpsampling(keras.layers.Layer):
    """y_t = W[t mod hop] · frame_(t div hop) + b: a transposed convolution as wide as its stride, cut to a length.

    `keras.layers.Conv1DTranspose(filters, hop, strides=hop)` computes the same, as many samples as the frames have;
    this layer gives as many as there are in its second input, and can give one alone.

    Args:
        filters: Channels of y.
        hop: Samples of a frame.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        frames: The condition of each frame.
        samples: Of any channels; only their number counts.

    Input shape: (batch, frames, channels) and (batch, time, ...), of which frames * hop >= time.

    Output shape: (batch, time, filters).

    Raises:
        ValueError: Where an argument is out of range, or there are too few frames.

    Example:

    >>> layer = FrameUpsampling(filters=6, hop=80)
    >>> layer(ops.ones((2, 3, 4)), ops.zeros((2, 200))).shape
    TensorShape([2, 200, 6])

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.5.
    """

    def __init__(self, filters: int, hop: int, **kwargs) -> None:
        super().__init__(**kwargs)
        if filters < 1 or hop < 1:
            raise ValueError(f"filters and hop must be at least 1; got {filters} and {hop}.")
        self.filters = filters
        self.hop = hop

    def build(self, frames_shape, samples_shape=None) -> None:
        if len(frames_shape) != 3 or frames_shape[-1] is None:
            raise ValueError(
                f"{self.name}: expected frames (batch, frames, channels), the channels known; got {frames_shape}."
            )
        self.kernel = self.add_weight(
            name="kernel", shape=(self.hop, frames_shape[-1], self.filters), initializer=_glorot_each
        )
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        self.built = True

    def call(self, frames, samples):
        most, time = frames.shape[1], samples.shape[1]
        if most is not None and time is not None and most * self.hop < time:
            raise ValueError(f"{self.name}: {most} frames of {self.hop} samples are too few for {time} samples.")
        kernel = ops.transpose(ops.cast(self.kernel, self.compute_dtype), (1, 0, 2))
        wide = ops.matmul(frames, ops.reshape(kernel, (frames.shape[-1], self.hop * self.filters)))
        shape = ops.shape(frames)
        y = ops.reshape(wide, (shape[0], -1 if most is None else most * self.hop, self.filters))
        return y[:, : ops.shape(samples)[1]] + self.bias

    def step(self, frames, position) -> Any:
        """Computes one sample's.

        Args:
            frames: As in `call`.
            position: The sample's number, int32 (); beyond the last frame it is as in that.

        Returns:
            (batch, filters).
        """
        frame = ops.minimum(position // self.hop, ops.shape(frames)[1] - 1)
        return ops.matmul(frames[:, frame], ops.convert_to_tensor(self.kernel)[position % self.hop]) + self.bias

    def compute_output_shape(self, frames_shape, samples_shape) -> tuple:
        return (frames_shape[0], samples_shape[1], self.filters)

    def get_config(self) -> dict:
        return {**super().get_config(), "filters": self.filters, "hop": self.hop}


def middles(units: Any, hop: int) -> Any:
    """Takes what stands in the middle of each frame.

    Args:
        units: (batch, time), such as the number of the unit that each sample belongs to.
        hop: Samples of a frame.

    Returns:
        (batch, ceil(time / hop)).

    Example:

    >>> middles(ops.convert_to_tensor([[3, 3, 5, 5, 5]]), hop=2).numpy().tolist()
    [[3, 5, 5]]
    """
    time = units.shape[1]
    return ops.take(units, [min(start + hop // 2, time - 1) for start in range(0, time, hop)], axis=1)


def _glorot_each(shape, dtype=None):
    """Glorot's uniform range, with the fans of one of the `hop` products: each sample has one of its own."""
    limit = (6 / (shape[1] + shape[2])) ** 0.5
    return keras.random.uniform(shape, -limit, limit, dtype)
