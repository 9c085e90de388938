"""Where each place of a map lies, as channels of its own."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class CoordinateChannels(keras.layers.Layer):
    """Appends to each place of a map its row and its column, from -0.5 at the first to 0.5 at the last.

    Where there is a single row or column, it is -0.5.

    Args:
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), such as (2, 8, 8, 5).

    Output shape: (batch, height, width, channels + 2): (2, 8, 8, 7).

    Raises:
        ValueError: Where the shape is another.

    Example:

    >>> ops.convert_to_numpy(CoordinateChannels()(ops.ones((1, 1, 3, 1))))[0, 0].tolist()
    [[1.0, -0.5, -0.5], [1.0, -0.5, 0.0], [1.0, -0.5, 0.5]]

    Reference: Liu et al. 2018, arXiv 1807.03247, section 3; before attention: Chen et al. 2018, arXiv 1712.09763.
    """

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {tuple(input_shape)}.")
        self.built = True

    def call(self, inputs):
        batch, height, width = ops.shape(inputs)[:3]
        where = ops.cast(coordinates(height, width), inputs.dtype)
        return ops.concatenate([inputs, ops.broadcast_to(where[None], (batch, height, width, 2))], axis=-1)

    def compute_output_shape(self, input_shape) -> tuple:
        channels = input_shape[-1]
        return (*input_shape[:-1], None if channels is None else channels + 2)


def coordinates(height: int, width: int) -> Any:
    """Computes row and column of each place, from -0.5 to 0.5.

    Args:
        height: Rows.
        width: Columns.

    Returns:
        float32 (height, width, 2).
    """
    rows, columns = (
        ops.cast(ops.arange(size), "float32") / ops.cast(ops.maximum(size - 1, 1), "float32") - 0.5
        for size in (height, width)
    )
    rows = ops.broadcast_to(rows[:, None], (height, width))
    return ops.stack([rows, ops.broadcast_to(columns[None], (height, width))], axis=-1)
