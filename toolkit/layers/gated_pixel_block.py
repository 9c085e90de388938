"""The layer of a gated PixelCNN: a vertical stack of the rows above, a horizontal one of this row so far."""

from typing import Any

import keras
from keras import ops

MASK_TYPES = ("A", "B")


@keras.saving.register_keras_serializable(package="toolkit")
class GatedPixelBlock(keras.layers.Layer):
    """a = W_v * v + V_v c; v' = gate(a); h' = h + R gate(W_h * h + U a + V_h c); gate(f, g) = tanh(f) sigmoid(g).

    W_v reads the rows above and the columns beside, W_h what stands left in the row; U, R and V are 1 x 1. A block of
    mask "A" is the first: it leaves out the pixel itself, W_v its row and W_h its place, and has no residual
    connection. From then on neither stack knows the pixel, and blocks of mask "B" read their inputs there too. Nothing
    before a pixel is hidden from it: what the horizontal stack cannot see, above and to the right, the vertical one
    does.

    The kernels have only the taps that count, and the input is padded and cropped to match. A masked K x K kernel
    would multiply by zeros, about half of its taps, and mask them anew at each step.

    Args:
        filters: Channels of both outputs.
        kernel_size: K, odd: the width of W_v, K // 2 rows above, K // 2 places to the left.
        mask_type: "A" for the first block, "B" for the others.
        dropout: Share of the gated values that training leaves out.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        vertical: v.
        horizontal: h; the first block takes the pixels as both.
        condition: c, for each pixel, or with axes of length 1 for all (a class); or None.

    Input shape: (batch, height, width, channels) twice, the channels of h `filters` for a mask "B"; (batch, height or
        1, width or 1, condition channels).

    Output shape: v' and h', (batch, height, width, filters): of pixels (2, 8, 8, 3) and 16 filters, (2, 8, 8, 16)
    twice.

    Raises:
        ValueError: Where an argument is out of range, a shape is another, or a condition is given that the block was
            built without, or none where it was built with one.

    Example:

    >>> pixels = keras.random.normal((2, 8, 8, 3))
    >>> v, h = GatedPixelBlock(filters=16, kernel_size=5, mask_type="A")(pixels, pixels)
    >>> v, h = GatedPixelBlock(filters=16)(v, h, ops.zeros((2, 1, 1, 4)))
    >>> v.shape, h.shape
    (TensorShape([2, 8, 8, 16]), TensorShape([2, 8, 8, 16]))

    Reference: van den Oord et al. 2016, arXiv 1606.05328, sections 2.1 to 2.3, figure 2.
    """

    def __init__(
        self, filters: int, kernel_size: int = 3, mask_type: str = "B", dropout: float = 0.0, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        if filters < 1:
            raise ValueError(f"filters must be at least 1; got {filters}.")
        if kernel_size < 3 or kernel_size % 2 == 0:
            raise ValueError(f"kernel_size must be odd and at least 3; got {kernel_size}.")
        if mask_type not in MASK_TYPES:
            raise ValueError(f"mask_type must be one of {', '.join(MASK_TYPES)}; got {mask_type!r}.")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1; got {dropout}.")
        self.filters = filters
        self.kernel_size = kernel_size
        self.mask_type = mask_type
        self.dropout = dropout

    def build(self, vertical_shape, horizontal_shape, condition_shape=None) -> None:
        named = {"vertical": vertical_shape, "horizontal": horizontal_shape, "condition": condition_shape}
        for name, shape in named.items():
            if shape is not None and (len(shape) != 4 or shape[-1] is None):
                raise ValueError(
                    f"{self.name}: expected {name} (batch, height, width, channels), the channels known; got shape "
                    f"{shape}."
                )
        if self.mask_type == "B" and horizontal_shape[-1] != self.filters:
            raise ValueError(
                f"{self.name}: expected horizontal of {self.filters} channels, the filters; got shape "
                f"{horizontal_shape}."
            )
        reach = self.kernel_size // 2
        taps = reach + (self.mask_type == "B")

        def made(layer, channels):
            layer.build((None, None, None, channels))
            return layer

        def convolution(size, shape, name):
            layer = keras.layers.Conv2D(2 * self.filters, size, dtype=self.dtype_policy, name=name)
            return made(layer, shape[-1])

        def dense(units, channels, name, use_bias=True):
            layer = keras.layers.Dense(units, use_bias=use_bias, dtype=self.dtype_policy, name=name)
            return made(layer, channels)

        self.vertical_convolution = convolution((taps, self.kernel_size), vertical_shape, "vertical_convolution")
        self.horizontal_convolution = convolution((1, taps), horizontal_shape, "horizontal_convolution")
        self.vertical_to_horizontal = dense(2 * self.filters, 2 * self.filters, "vertical_to_horizontal", False)
        self.outward = dense(self.filters, self.filters, "outward")
        self.condition_projection = None
        if condition_shape is not None:
            # Of both stacks, the vertical one first.
            self.condition_projection = dense(4 * self.filters, condition_shape[-1], "condition_projection", False)
        self.vertical_dropout, self.horizontal_dropout = (
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name=f"{name}_dropout")
            for name in ("vertical", "horizontal")
        )
        self.built = True

    def call(self, vertical, horizontal, condition=None, training=None):
        if (self.condition_projection is None) != (condition is None):
            told = "without one, and is given one" if condition is not None else "with one, and is given none"
            raise ValueError(f"{self.name}, condition: the block was built {told}.")
        reach, columns, residual = self.kernel_size // 2, (self.kernel_size // 2,) * 2, horizontal
        if self.mask_type == "A":
            vertical, horizontal = vertical[:, :-1], horizontal[:, :, :-1]
        above = self.vertical_convolution(ops.pad(vertical, ((0, 0), (reach, 0), columns, (0, 0))))
        left = self.horizontal_convolution(ops.pad(horizontal, ((0, 0), (0, 0), (reach, 0), (0, 0))))
        if self.condition_projection is not None:
            shares = ops.split(self.condition_projection(condition), 2, axis=-1)
            above, left = above + shares[0], left + shares[1]
        vertical = self.vertical_dropout(gate(above), training=training)
        gated = self.horizontal_dropout(gate(left + self.vertical_to_horizontal(above)), training=training)
        horizontal = self.outward(gated)
        return vertical, horizontal if self.mask_type == "A" else residual + horizontal

    def compute_output_shape(self, vertical_shape, horizontal_shape, condition_shape=None) -> tuple:
        return ((*vertical_shape[:-1], self.filters),) * 2

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "mask_type": self.mask_type,
            "dropout": self.dropout,
        }


def gate(x) -> Any:
    """Opens the first half of the channels by the second.

    Args:
        x: (..., 2 F).

    Returns:
        (..., F), tanh of the first half times the sigmoid of the second.

    Example:

    >>> ops.convert_to_numpy(gate(ops.array([[9.0, 9.0, -99.0, 99.0]]))).round(3).tolist()
    [[0.0, 1.0]]

    Reference: van den Oord et al. 2016, arXiv 1606.05328, equation 2.
    """
    opened, closing = ops.split(x, 2, axis=-1)
    return ops.tanh(opened) * ops.sigmoid(closing)
