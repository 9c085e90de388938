"""Images enlarged by a whole factor, bilinearly, also where their size is only known when the model runs."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class BilinearUpsampling2D(keras.layers.Layer):
    """Enlarges images bilinearly: pixel i is the input at (i + 1/2) / size - 1/2, at the border the outermost pixel.

    So the input's pixels are the middles of squares, as after pooling by 2 x 2. With `align="first"` it is the input at
    i / size: pixel j of the input stands at j * size, as after strided convolutions that pad alike on both sides.

    The first is the same as `keras.layers.UpSampling2D(size, interpolation="bilinear")` and `keras.ops.image.resize`,
    which both raise where height and width are only known when the model runs. Where they are known,
    `keras.ops.image.resize` is one operation, and faster in a .tflite; but compiled by XLA for a CPU it reads wrong
    pixels.

    Args:
        size: The factor, of height and of width.
        align: "center" or "first".
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), for example (8, 17, 17, 21); and perhaps an image of the size that is
    wanted, (batch, rows, columns, any), for example (8, 65, 66, 3).

    Output shape: (batch, height * size, width * size, channels), for size=4 (8, 68, 68, 21); with such an image what
    lies beyond its size is cut off: (8, 65, 66, 21).

    Raises:
        ValueError: Where the size is less than 1, or the input has not four axes.

    Example:

    >>> image = keras.ops.reshape([0.0, 4.0], (1, 1, 2, 1))
    >>> keras.ops.convert_to_numpy(BilinearUpsampling2D(2)(image))[0, 0, :, 0].tolist()
    [0.0, 1.0, 3.0, 4.0]

    Reference: Chen et al. 2016, arXiv 1606.00915, section 3.1 ("bi-linear interpolation to increase by a factor").
    """

    def __init__(self, size: int = 2, align: str = "center", **kwargs) -> None:
        super().__init__(**kwargs)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{self.name}: size must be an integer, at least 1; got {size!r}.")
        if align not in ("center", "first"):
            raise ValueError(f"{self.name}: align must be center or first; got {align!r}.")
        self.size, self.align = size, align

    def build(self, inputs_shape, like_shape=None) -> None:
        if len(inputs_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {inputs_shape}.")
        self.built = True

    def call(self, inputs, like=None):
        # Not ops.image.resize where the size is known: compiled by XLA for a CPU it reads wrong pixels. Products with
        # the weights of each row and column, so that the gradient is a product too: several times as fast as that
        # of slices that are added up, and what lies beyond the wanted size is never computed.
        batch, height, width, channels = ops.shape(inputs)
        rows, columns = (height * self.size, width * self.size) if like is None else ops.shape(like)[1:3]
        x = ops.matmul(self._weights(width, columns), inputs)
        x = ops.matmul(self._weights(height, rows), ops.reshape(x, (-1, height, columns * channels)))
        return ops.reshape(x, (-1, rows, columns, channels))

    def _weights(self, length, wanted):
        """What each of the `wanted` pixels of a line takes from each of its `length` ones; (wanted, length)."""
        middle = 0.5 if self.align == "center" else 0.0
        places = (ops.arange(wanted, dtype="float32") + middle) / self.size - middle
        places = ops.clip(places, 0, ops.cast(length - 1, "float32"))
        distances = ops.abs(places[:, None] - ops.arange(length, dtype="float32"))
        return ops.cast(ops.relu(1 - distances), self.compute_dtype)

    def compute_output_shape(self, inputs_shape, like_shape=None) -> tuple:
        batch, *sides, channels = inputs_shape
        if like_shape is not None:
            return (batch, *like_shape[1:3], channels)
        return (batch, *(None if side is None else side * self.size for side in sides), channels)

    def compute_output_spec(self, inputs, like=None):
        shape = self.compute_output_shape(inputs.shape, None if like is None else like.shape)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "size": self.size, "align": self.align}
