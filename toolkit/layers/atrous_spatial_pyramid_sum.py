"""What surrounds each place at several distances at once, added up (DeepLab v2)."""

from collections.abc import Sequence

import keras

from toolkit.layers.atrous_convolution_2d import AtrousConv2D


@keras.saving.register_keras_serializable(package="toolkit")
class AtrousSpatialPyramidSum(keras.layers.Layer):
    """Scores of several branches, added: each a 3 x 3 convolution of its rate, and 1 x 1 ones up to the scores.

    With `filters` a branch is 3 x 3, ReLU, 1 x 1, ReLU, 1 x 1, as on VGG-16 (its fc6, fc7 and fc8); without, it is the
    3 x 3 convolution alone, as on ResNet-101. One rate alone, 12, is LargeFOV.

    Args:
        outputs: Scores of each place, such as classes.
        rates: Of the branches. The paper's: 6, 12, 18, 24 (ASPP-L); 2, 4, 8, 12 (ASPP-S).
        filters: Of the layers between; 0: there are none. The paper's: 1024.
        dropout: Share of what these layers give that is left out in training.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), for example (8, 41, 41, 512).

    Output shape: (batch, height, width, outputs), for outputs=21 (8, 41, 41, 21).

    Raises:
        ValueError: Where a size is out of range, there is no rate, or the input has not four axes.

    Example:

    >>> tuple(AtrousSpatialPyramidSum(5, rates=(1, 2), filters=8)(keras.ops.ones((1, 9, 9, 3))).shape)
    (1, 9, 9, 5)

    Reference: Chen et al. 2016, arXiv 1606.00915, section 3.2 and figure 7.
    """

    def __init__(
        self,
        outputs: int,
        rates: Sequence[int] = (6, 12, 18, 24),
        filters: int = 0,
        dropout: float = 0.5,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if outputs < 1 or filters < 0 or not rates or min(rates) < 1:
            raise ValueError(
                f"{self.name}: outputs and rates must be at least 1, filters 0; got {outputs}, {tuple(rates)}, "
                f"{filters}."
            )
        self.outputs, self.rates, self.filters, self.dropout = outputs, tuple(rates), filters, dropout
        self.branches = [self._branch(number, rate) for number, rate in enumerate(self.rates)]

    def _branch(self, number, rate):
        def convolution(filters, size, name, activation=None):
            how = {"dilation_rate": rate if size > 1 else 1, "dtype": self.dtype_policy}
            return AtrousConv2D(filters, size, activation=activation, name=f"branch_{number}_{name}", **how)

        if not self.filters:
            return [convolution(self.outputs, 3, "scores")]
        return [
            convolution(self.filters, 3, "fc6", "relu"),
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy),
            convolution(self.filters, 1, "fc7", "relu"),
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy),
            convolution(self.outputs, 1, "scores"),
        ]

    def build(self, input_shape) -> None:
        if len(input_shape) != 4:
            raise ValueError(f"{self.name}: expected (batch, height, width, channels); got shape {input_shape}.")
        for branch in self.branches:
            shape = input_shape
            for layer in branch:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        self.built = True

    def call(self, inputs, training=None):
        total = 0.0
        for branch in self.branches:
            x = inputs
            for layer in branch:
                x = layer(x, training=training) if isinstance(layer, keras.layers.Dropout) else layer(x)
            total = total + x
        return total

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape[:3], self.outputs)

    def get_config(self) -> dict:
        own = {"outputs": self.outputs, "rates": list(self.rates), "filters": self.filters, "dropout": self.dropout}
        return {**super().get_config(), **own}
