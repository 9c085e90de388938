"""One step of Graves' window over a text: the recurrence that `GaussianWindow` runs over a whole sequence."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.layers.peephole_lstm_cell import cell_forward

# exp(+-15) is far outside of what a window needs; without the bound one bad step ends in infinities.
RAW_LIMIT = 15.0


@keras.saving.register_keras_serializable(package="toolkit")
class GaussianWindowCell(keras.layers.Layer):
    """One step of `GaussianWindow`, which has the formulas; it owns the weights.

    Args:
        units: LSTM cells.
        num_gaussians: Gaussians K in the window (paper: 10).
        initial_advance: How far the untrained window moves at a step, in characters.
        peepholes: Whether the LSTM's gates see its cell state.
        kernel_initializer: Initializer of the input kernels.
        recurrent_initializer: Initializer of the recurrent kernel.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, features).
        states: [output (batch, units), cell (batch, units), window (batch, channels), position (batch, num_gaussians)].
        text: (batch, characters, channels), zero vectors at the padding.

    Input shape: (batch, features) and (batch, characters, channels).

    Output shape: output (batch, units), window (batch, channels), weights (batch, characters); and the new states.

    Raises:
        ValueError: Where `initial_advance` is not positive.

    Example:

    >>> cell = GaussianWindowCell(8, num_gaussians=2)
    >>> text = ops.ones((1, 5, 4))
    >>> (output, window, weights), states = cell(ops.ones((1, 3)), cell.initial_state(text), text)
    >>> weights.shape
    TensorShape([1, 5])

    Reference: Graves 2013, arXiv 1308.0850, section 5.1, equations 46-51.
    """

    def __init__(
        self,
        units: int,
        num_gaussians: int = 10,
        initial_advance: float = 0.04,
        peepholes: bool = False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ) -> None:
        # Nothing is cast on the way in: the states stay in float32 under mixed precision.
        super().__init__(autocast=False, **kwargs)
        if not initial_advance > 0:
            raise ValueError(f"initial_advance must be positive; got {initial_advance}.")
        self.units = units
        self.num_gaussians = num_gaussians
        self.initial_advance = initial_advance
        self.peepholes = peepholes
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, inputs_shape, text_shape) -> None:
        features, channels = inputs_shape[-1], text_shape[-1]
        if features is None or channels is None:
            raise ValueError(f"{self.name}: last axes must be known; got shapes {inputs_shape} and {text_shape}.")
        units, gaussians = self.units, self.num_gaussians
        self.kernel = self.add_weight(name="kernel", shape=(features, 4 * units), initializer=self.kernel_initializer)
        self.window_kernel = self.add_weight(
            name="window_kernel", shape=(channels, 4 * units), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(units, 4 * units), initializer=self.recurrent_initializer
        )

        def bias(shape, dtype=None):
            return ops.cast(np.repeat([0.0, 1.0, 0.0, 0.0], units), dtype)

        def position_bias(shape, dtype=None):
            return ops.cast(np.repeat([-math.log(gaussians), 0.0, math.log(self.initial_advance)], gaussians), dtype)

        self.bias = self.add_weight(name="bias", shape=(4 * units,), initializer=bias)
        if self.peepholes:
            self.peephole_kernel = self.add_weight(name="peephole_kernel", shape=(3, units), initializer="zeros")
        # The window is kept in float32: a position of fifty characters has no digits left for the advance in float16.
        self.position_kernel = self.add_weight(
            name="position_kernel", shape=(units, 3 * gaussians), initializer=self.kernel_initializer, autocast=False
        )
        self.position_bias = self.add_weight(
            name="position_bias", shape=(3 * gaussians,), initializer=position_bias, autocast=False
        )
        self.built = True

    def initial_state(self, text) -> list:
        """Makes states of zeros.

        Args:
            text: (batch, characters, channels).
        """
        batch = ops.shape(text)[0]
        sizes = (self.units, self.units, text.shape[-1], self.num_gaussians)
        return [ops.zeros((batch, size), "float32") for size in sizes]

    def call(self, inputs, states, text):
        hidden, cell, window, position = states
        dtype = self.compute_dtype

        def product(left, right):
            return ops.cast(ops.matmul(ops.cast(left, dtype), ops.cast(right, dtype)), "float32")

        recurrent = ops.concatenate([self.recurrent_kernel, self.window_kernel], axis=0)
        gates = product(inputs, self.kernel) + ops.cast(self.bias, "float32")
        gates = gates + product(ops.concatenate([hidden, window], axis=-1), recurrent)
        peepholes = ops.unstack(ops.cast(self.peephole_kernel, "float32")) if self.peepholes else []
        hidden, cell = cell_forward(gates, cell, peepholes)
        height, width, advance = window_parameters(hidden, self.position_kernel, self.position_bias)
        position = position + advance
        weights = window_weights(height, width, position, ops.shape(text)[1])
        window = window_vector(weights, ops.cast(text, "float32"))
        return (hidden, window, weights), [hidden, cell, window, position]

    def compute_output_spec(self, inputs, states, text):
        batch, characters, channels = text.shape
        sizes = (self.units, self.units, channels, self.num_gaussians)
        outputs = tuple(
            keras.KerasTensor((batch, size), dtype="float32") for size in (self.units, channels, characters)
        )
        return outputs, [keras.KerasTensor((batch, size), dtype="float32") for size in sizes]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "num_gaussians": self.num_gaussians,
            "initial_advance": self.initial_advance,
            "peepholes": self.peepholes,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }


def window_parameters(hidden, kernel, bias) -> tuple:
    """Computes the window's heights a, widths b and advance exp(k̂) from the LSTM's output.

    Args:
        hidden: (..., units).
        kernel: (units, 3 * num_gaussians).
        bias: (3 * num_gaussians,).

    Returns:
        Three tensors (..., num_gaussians), all positive.
    """
    raw = ops.clip(ops.matmul(hidden, kernel) + bias, -RAW_LIMIT, RAW_LIMIT)
    return tuple(ops.exp(part) for part in ops.split(raw, 3, axis=-1))


def window_weights(height, width, position, num_characters) -> Any:
    """Computes phi(u) = sum_j a_j exp(-b_j (k_j - u)^2) for u = 1 ... num_characters.

    Args:
        height: a, (..., num_gaussians).
        width: b, likewise.
        position: k, likewise, in characters.
        num_characters: How many characters to weigh.

    Returns:
        (..., num_characters).
    """
    distance = position[..., None] - ops.cast(ops.arange(1, num_characters + 1), "float32")
    return ops.sum(height[..., None] * ops.exp(-width[..., None] * ops.square(distance)), axis=-2)


def window_vector(weights, text) -> Any:
    """Computes w = sum_u phi(u) c_u.

    Args:
        weights: (batch, characters).
        text: (batch, characters, channels).

    Returns:
        (batch, channels).
    """
    return ops.matmul(weights[:, None], text)[:, 0]
