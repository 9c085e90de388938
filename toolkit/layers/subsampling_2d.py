"""Every s-th row and column of an image, the first of each included."""

import keras


@keras.saving.register_keras_serializable(package="toolkit")
class Subsampling2D(keras.layers.Layer):
    """outputs[b, i, j] = inputs[b, s i, s j].

    A 1 x 1 convolution with stride s is this, then a 1 x 1 convolution: the same function and the same weights. Written
    so, it is safe: where TensorFlow computes with oneDNN (on by itself on processors with AVX-512), the gradient of the
    strided one towards its kernel writes outside its memory on few channels, which ends the process or changes weights.

    Args:
        strides: The step, of rows and of columns.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), for example (8, 32, 33, 16).

    Output shape: (batch, ceil(height / strides), ceil(width / strides), channels), for strides=2 (8, 16, 17, 16).

    Raises:
        ValueError: Where the strides are less than 1, or the input has not four axes.

    Example:

    >>> image = keras.ops.reshape(keras.ops.arange(9), (1, 3, 3, 1))
    >>> keras.ops.convert_to_numpy(Subsampling2D(2)(image))[0, :, :, 0].tolist()
    [[0, 2], [6, 8]]

    Reference: He et al. 2016, arXiv 1512.03385, section 3.3 (shortcuts "performed with a stride of 2").
    """

    def __init__(self, strides: int = 2, **kwargs) -> None:
        super().__init__(**kwargs)
        if isinstance(strides, bool) or not isinstance(strides, int) or strides < 1:
            raise ValueError(f"{self.name}: strides must be an integer, at least 1; got {strides!r}.")
        self.strides = strides

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {input_shape}.")
        self.built = True

    def call(self, inputs):
        return inputs[:, :: self.strides, :: self.strides, :]

    def compute_output_shape(self, input_shape) -> tuple:
        batch, *sides, channels = input_shape
        return (batch, *(side if side is None else -(-side // self.strides) for side in sides), channels)

    def get_config(self) -> dict:
        return {**super().get_config(), "strides": self.strides}
