"""What surrounds each place at several distances at once, side by side (DeepLab v3 and v3+)."""

from collections.abc import Sequence

import keras
from keras import ops

from toolkit.layers.atrous_convolution_2d import AtrousConv2D, AtrousDepthwiseConv2D
from toolkit.layers.fused_batch_normalization import FusedBatchNormalization


@keras.saving.register_keras_serializable(package="toolkit")
class AtrousSpatialPyramidPooling(keras.layers.Layer):
    """One 1 x 1 convolution, a 3 x 3 convolution for each rate, and the image's mean, concatenated and mixed by 1 x 1.

    Each branch is convolution, batch normalization, ReLU, and so is the mix. A rate of r leaves r - 1 places out
    between a kernel's taps: the field grows, the number of weights does not. Where the features are smaller than a
    rate, all of that branch's taps but the middle one lie outside, and it is a 1 x 1 convolution.

    Args:
        filters: Of each branch and of the mix.
        rates: Of the 3 x 3 convolutions. The paper's: 6, 12, 18 at output stride 16, and twice that at 8.
        separable: Whether each 3 x 3 convolution is a depthwise one and then 1 x 1, as in v3+.
        image_pooling: Whether the mean over the image is a branch.
        momentum: Of the moving statistics.
        epsilon: Added to the variance.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), for example (8, 33, 33, 2048).

    Output shape: (batch, height, width, filters), for filters=256 (8, 33, 33, 256).

    Raises:
        ValueError: Where a size is less than 1, there is no rate, or the input has not four axes.

    Example:

    >>> pyramid = AtrousSpatialPyramidPooling(4, rates=(2, 4))
    >>> tuple(pyramid(keras.ops.ones((1, 9, 9, 3))).shape)
    (1, 9, 9, 4)

    Reference: Chen et al. 2017, arXiv 1706.05587, section 3.3 and figure 5; separable: Chen et al. 2018,
    arXiv 1802.02611, section 3.1.
    """

    def __init__(
        self,
        filters: int = 256,
        rates: Sequence[int] = (6, 12, 18),
        *,
        separable: bool = False,
        image_pooling: bool = True,
        momentum: float = 0.99,
        epsilon: float = 1e-5,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if filters < 1 or not rates or min(rates) < 1:
            raise ValueError(f"{self.name}: filters and rates must be at least 1; got {filters} and {tuple(rates)}.")
        self.filters, self.rates = filters, tuple(rates)
        self.separable, self.image_pooling = separable, image_pooling
        self.momentum, self.epsilon = momentum, epsilon
        self.branches = [self._convolution(1, 1, "branch_0")]
        self.branches += [self._convolution(3, rate, f"branch_{i}") for i, rate in enumerate(self.rates, 1)]
        self.pooled = self._convolution(1, 1, "pooled") if image_pooling else []
        self.mix = self._convolution(1, 1, "mix")

    def _convolution(self, size, rate, name):
        how = {"use_bias": False, "dilation_rate": rate, "dtype": self.dtype_policy}
        if self.separable and size > 1:
            return [
                AtrousDepthwiseConv2D(size, **how, name=f"{name}_depthwise"),
                *self._normalized(f"{name}_depthwise"),
                *self._convolution(1, 1, f"{name}_pointwise"),
            ]
        return [AtrousConv2D(self.filters, size, **how, name=name), *self._normalized(name)]

    def _normalized(self, name):
        how = {"momentum": self.momentum, "epsilon": self.epsilon, "dtype": self.dtype_policy}
        return [
            FusedBatchNormalization(**how, name=f"{name}_normalization"),
            keras.layers.ReLU(dtype=self.dtype_policy, name=f"{name}_relu"),
        ]

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {input_shape}.")
        batch, _, _, channels = input_shape
        for branch in self.branches:
            _build(branch, input_shape)
        _build(self.pooled, (batch, 1, 1, channels))
        number = len(self.branches) + bool(self.pooled)
        _build(self.mix, (*input_shape[:3], number * self.filters))
        self.built = True

    def call(self, inputs, training=None):
        found = [_applied(branch, inputs, training) for branch in self.branches]
        if self.pooled:
            mean = ops.mean(inputs, axis=(1, 2), keepdims=True)
            found.append(ops.broadcast_to(_applied(self.pooled, mean, training), ops.shape(found[0])))
        return _applied(self.mix, ops.concatenate(found, axis=-1), training)

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape[:3], self.filters)

    def get_config(self) -> dict:
        names = ("filters", "rates", "separable", "image_pooling", "momentum", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "rates": list(self.rates)}


def _build(layers, shape):
    for layer in layers:
        layer.build(shape)
        shape = layer.compute_output_shape(shape)


def _applied(layers, x, training):
    for layer in layers:
        x = layer(x, training=training) if isinstance(layer, keras.layers.BatchNormalization) else layer(x)
    return x
