"""Images enlarged by a whole factor with straight lines between their pixels, also where their size is not known."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class BilinearUpsampling2D(keras.layers.Layer):
    """What lies at (i + 1/2) / size - 1/2 in the input, between its pixels; beyond the outermost, their value.

    The same as `keras.layers.UpSampling2D(size, interpolation="bilinear")` and `keras.ops.image.resize`, which both
    raise where height and width are only known when the model runs. Here the factor is enough. Where they are known,
    `keras.ops.image.resize` is one operation and faster in a .tflite; under XLA on a CPU it takes wrong pixels.

    Args:
        size: The factor, of height and of width.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), for example (8, 17, 17, 21).

    Output shape: (batch, height * size, width * size, channels), for size=4 (8, 68, 68, 21).

    Raises:
        ValueError: Where the size is less than 1, or the input has not four axes.

    Example:

    >>> image = keras.ops.reshape([0.0, 4.0], (1, 1, 2, 1))
    >>> keras.ops.convert_to_numpy(BilinearUpsampling2D(2)(image))[0, 0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]

    Reference: Chen et al. 2016, arXiv 1606.00915, section 3.1 ("bi-linear interpolation to increase by a factor").
    """

    def __init__(self, size: int = 2, **kwargs) -> None:
        super().__init__(**kwargs)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{self.name}: size must be an integer, at least 1; got {size!r}.")
        self.size = size

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {input_shape}.")
        self.built = True

    def call(self, inputs):
        # Not ops.image.resize where the size is known: under XLA on a CPU that takes wrong pixels.
        return self._stretched(self._stretched(inputs, axis=1), axis=2)

    def _stretched(self, x, axis):
        """Each row as `size` rows: a mean of it and of the one before or after it."""
        before = ops.concatenate([_part(x, axis, 0, 1), _part(x, axis, 0, -1)], axis=axis)
        after = ops.concatenate([_part(x, axis, 1, None), _part(x, axis, -1, None)], axis=axis)
        places = [(j + 0.5) / self.size - 0.5 for j in range(self.size)]
        rows = [(1 - abs(at)) * x + abs(at) * (before if at < 0 else after) for at in places]
        shape = list(ops.shape(x))
        shape[axis] *= self.size
        return ops.reshape(ops.stack(rows, axis=axis + 1), [-1, *shape[1:]])

    def compute_output_shape(self, input_shape) -> tuple:
        batch, *sides, channels = input_shape
        return (batch, *(None if side is None else side * self.size for side in sides), channels)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size}


def _part(x, axis, first, last):
    return x[:, first:last] if axis == 1 else x[:, :, first:last]
