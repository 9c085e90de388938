"""Local response normalization: each channel is divided by the strength of its neighbouring channels."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class LocalResponseNormalization(keras.layers.Layer):
    """b_i = a_i / (bias + alpha * sum of a_j^2, j = i - size // 2 ... i + size // 2)^beta, over the channels i.

    As in the paper, alpha is not divided by the size. `tf.nn.local_response_normalization` is the same with
    depth_radius = size // 2; PyTorch and Caffe divide, and need alpha * size for the same result.

    Args:
        size: Channels in the sum, an odd number; at the ends there are fewer.
        bias: k of the paper.
        alpha: Factor of the sum.
        beta: Exponent.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, ..., channels).

    Output shape: the input's.

    Raises:
        ValueError: Where the size is not odd, bias not positive or alpha negative.

    Example:

    >>> layer = LocalResponseNormalization(size=3, bias=1.0, alpha=1.0, beta=0.5)
    >>> layer(ops.convert_to_tensor([[1.0, 0.0, 2.0]])).numpy().round(3)
    array([[0.707, 0.   , 0.894]], dtype=float32)

    Reference: Krizhevsky, Sutskever, Hinton 2012, ImageNet classification with deep convolutional neural networks,
    section 3.3.
    """

    def __init__(self, size: int = 5, bias: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size must be an odd number of channels; got {size}.")
        if not (bias > 0 and alpha >= 0):
            raise ValueError(f"bias must be positive and alpha not negative; got {bias} and {alpha}.")
        self.size = int(size)
        self.bias, self.alpha, self.beta = float(bias), float(alpha), float(beta)

    def call(self, inputs):
        # In float16, squares of features above 255 are infinite.
        a = ops.cast(inputs, "float32")
        channels, radius = a.shape[-1], self.size // 2
        squares = ops.pad(ops.square(a), [(0, 0)] * (len(a.shape) - 1) + [(radius, radius)])
        # Shifted slices: differences of a cumulative sum would lose what is small beside what came before.
        total = sum(squares[..., shift : shift + channels] for shift in range(self.size))
        return ops.cast(a * ops.power(self.bias + self.alpha * total, -self.beta), self.compute_dtype)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        config = {"size": self.size, "bias": self.bias, "alpha": self.alpha, "beta": self.beta}
        return {**super().get_config(), **config}
