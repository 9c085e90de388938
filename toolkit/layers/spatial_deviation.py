"""How much each channel of a map varies over its places."""

import keras
from keras import ops

_LEAST = 1e-12  # of a variance: the root of 0 has no derivative


@keras.saving.register_keras_serializable(package="toolkit")
class SpatialDeviation(keras.layers.Layer):
    """The standard deviation of each channel over height and width: sqrt(mean of (x - mean of x)²).

    A mean over the places would keep how much of a feature there is; this keeps whether it is here and not there.
    Computed in float32. Where a channel is the same everywhere it gives 1e-6 and no gradient.

    Args:
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels).

    Output shape: (batch, channels).

    Raises:
        ValueError: Where the input has other axes.

    Example:

    >>> float(SpatialDeviation()(ops.reshape(ops.convert_to_tensor([1.0, 3.0]), (1, 1, 2, 1)))[0, 0])
    1.0

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656.
    """

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(
                f"{self.name}: expected (batch, height, width, channels); got the shape {tuple(input_shape)}."
            )
        self.built = True

    def call(self, inputs):
        centered = inputs - ops.mean(inputs, axis=(1, 2), keepdims=True)
        return ops.sqrt(ops.maximum(ops.mean(ops.square(centered), axis=(1, 2)), _LEAST))

    def compute_output_shape(self, input_shape) -> tuple:
        return (input_shape[0], input_shape[3])
