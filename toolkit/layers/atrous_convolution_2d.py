"""Atrous convolutions of small features, without the work for taps that lie outside of them."""

import keras
from keras import ops

_FIXED = {"padding": "same", "data_format": "channels_last"}


@keras.saving.register_keras_serializable(package="toolkit")
class AtrousConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` of stride 1 and padding "same": the same result, sooner where the rate is large.

    A tap that is i rows and j columns from the middle lies within the features for (height - |i|) (width - |j|) places
    only. On CPUs the zeros outside are multiplied too, and worse: at 12 x 15 places a rate of 18 takes five times as
    long as one of 1, though nothing of it is left but a 1 x 1 convolution. Where height and width are known and the
    rate is more than a third of one, this adds up a 1 x 1 convolution for each tap, of the places that it reaches.

    Args:
        filters: Channels of the result.
        kernel_size: Odd.
        dilation_rate: The rate.
        **kwargs: As in `keras.layers.Conv2D`, without strides and groups; padding and data_format are overridden.

    Input shape: (batch, height, width, channels), for example (8, 12, 15, 256).

    Output shape: (batch, height, width, filters), for filters=64 (8, 12, 15, 64).

    Raises:
        ValueError: Where the kernel's size is even, or there are strides or groups.

    Example:

    >>> tuple(AtrousConv2D(4, 3, 6)(keras.ops.ones((1, 9, 9, 3))).shape)
    (1, 9, 9, 4)

    Reference: Chen et al. 2017, arXiv 1706.05587, section 3.3 and figure 4 (how many taps are left).
    """

    def __init__(self, filters: int, kernel_size: int, dilation_rate: int = 1, **kwargs) -> None:
        super().__init__(filters, kernel_size, dilation_rate=dilation_rate, **{**kwargs, **_FIXED})
        _check(self)

    def convolution_op(self, inputs: keras.KerasTensor, kernel: keras.KerasTensor) -> keras.KerasTensor:
        """Convolves, without bias and activation.

        Args:
            inputs: (batch, height, width, channels).
            kernel: (rows, columns, channels, filters).
        """
        sides = inputs.shape[1:3]
        if None in sides or all(3 * rate <= side for rate, side in zip(self.dilation_rate, sides, strict=True)):
            return super().convolution_op(inputs, kernel)
        taps = [list(_taps(*each)) for each in zip(self.kernel_size, self.dilation_rate, sides, strict=True)]
        total = 0.0
        for row, rows, below in taps[0]:
            for column, columns, right in taps[1]:
                tap = kernel[row : row + 1, column : column + 1]
                x = ops.conv(inputs[:, rows, columns], tap, data_format="channels_last")
                total = total + ops.pad(x, ((0, 0), below, right, (0, 0)))
        return total


@keras.saving.register_keras_serializable(package="toolkit")
class AtrousDepthwiseConv2D(keras.layers.DepthwiseConv2D):
    """`keras.layers.DepthwiseConv2D` of stride 1 and padding "same", without bias and the taps that lie outside.

    Args:
        kernel_size: Odd.
        dilation_rate: The rate.
        **kwargs: As in `keras.layers.DepthwiseConv2D`, without strides; padding, data_format, use_bias and activation
            are overridden.

    Input shape: (batch, height, width, channels), for example (8, 12, 15, 256).

    Output shape: The same.

    Raises:
        ValueError: Where the kernel's size is even, or there are strides.

    Example:

    >>> tuple(AtrousDepthwiseConv2D(3, 6)(keras.ops.ones((1, 9, 5, 3))).shape)
    (1, 9, 5, 3)

    Reference: Chen et al. 2018, arXiv 1802.02611, section 3.1 (atrous separable convolution).
    """

    def __init__(self, kernel_size: int, dilation_rate: int = 1, **kwargs) -> None:
        fixed = {**_FIXED, "use_bias": False, "activation": None}
        super().__init__(kernel_size, dilation_rate=dilation_rate, **{**kwargs, **fixed})
        _check(self)

    def call(self, inputs):
        kept = [
            slice(None) if side is None else slice(*_within(size, rate, side))
            for size, rate, side in zip(self.kernel_size, self.dilation_rate, inputs.shape[1:3], strict=True)
        ]
        return ops.depthwise_conv(inputs, self.kernel[kept[0], kept[1]], dilation_rate=self.dilation_rate, **_FIXED)


def _within(size, rate, side):
    """Of a line of `size` taps, an odd number, the range of those that lie within the image at some place."""
    most = min(size // 2, (side - 1) // rate)
    return size // 2 - most, size // 2 + most + 1


def _taps(size, rate, side):
    """Of each such tap: its number, the places that it reads, and how many places (before, after) get nothing of it."""
    for number in range(*_within(size, rate, side)):
        away = rate * (number - size // 2)
        before, after = max(-away, 0), max(away, 0)
        yield number, slice(after, side - before), (before, after)


def _check(layer):
    for name in ("strides", "groups"):
        value = getattr(layer, name, 1)
        if value not in (1, (1, 1)):
            raise ValueError(f"{layer.name}: {name} must be 1; got {value}.")
    if not all(size % 2 for size in layer.kernel_size):
        raise ValueError(f"{layer.name}: kernel_size must be odd; got {layer.kernel_size}.")
