"""One step of an LSTM: its equations and their derivatives, and the cell whose gates see the cell state."""

import keras
import numpy as np
from keras import ops


def activated(gates, before, peepholes=()) -> tuple:
    """Computes an LSTM's input gate, forget gate and candidate from their pre-activations.

    Args:
        gates: Pre-activations (batch, 4 * units) of the input gate, forget gate, candidate and output gate.
        before: The cell state before, (batch, units).
        peepholes: Weights (units,) from the cell state to the input, forget and output gate; empty: none.

    Returns:
        i, f and g, and the output gate's pre-activation without its peephole; four tensors (batch, units).
    """
    i, f, g, o = ops.split(gates, 4, axis=-1)
    if peepholes:
        i, f = i + peepholes[0] * before, f + peepholes[1] * before
    return ops.sigmoid(i), ops.sigmoid(f), ops.tanh(g), o


def cell_forward(gates, before, peepholes=(), kept=None) -> tuple:
    """Computes one step of an LSTM from its pre-activations.

    Args:
        gates: As in `activated`.
        before: The cell state before, (batch, units).
        peepholes: As in `activated`.
        kept: Factors of the candidates, (batch, units); None: ones.

    Returns:
        Output and cell state, two tensors (batch, units).
    """
    i, f, g, o = activated(gates, before, peepholes)
    cell = f * before + i * (g if kept is None else g * kept)
    return ops.sigmoid(o + peepholes[2] * cell if peepholes else o) * ops.tanh(cell), cell


def cell_backward(d_output, d_cell, gates, before, cell, limit=None, peepholes=(), kept=None) -> tuple:
    """Computes the derivatives of `cell_forward`, those towards its pre-activations clipped.

    The gates are computed once more: kept, they would be four sequences beside that of the pre-activations.

    Args:
        d_output: Derivative towards the step's output, (batch, units).
        d_cell: Derivative towards its cell state from elsewhere, likewise.
        gates: As in `activated`.
        before: The cell state before it, (batch, units).
        cell: Its cell state, likewise.
        limit: Where the derivatives towards the pre-activations are clipped; what goes on from there, through the
            peepholes too, is what the clipping left. None: no clipping.
        peepholes: As in `activated`.
        kept: As in `cell_forward`.

    Returns:
        Derivatives towards the pre-activations (batch, 4 * units) and towards the cell state before (batch, units).
    """

    def clipped(derivative):
        return derivative if limit is None else ops.clip(derivative, -limit, limit)

    i, f, g, o = activated(gates, before, peepholes)
    o, squashed = ops.sigmoid(o + peepholes[2] * cell if peepholes else o), ops.tanh(cell)
    d_o = d_output * squashed * o * (1.0 - o)
    d_cell = d_cell + d_output * o * (1.0 - squashed * squashed)
    if peepholes:
        d_cell = d_cell + clipped(d_o) * peepholes[2]
    d_update = d_cell if kept is None else d_cell * kept
    parts = [d_update * g * i * (1.0 - i), d_cell * before * f * (1.0 - f), d_update * i * (1.0 - g * g), d_o]
    d_gates, d_before = clipped(ops.concatenate(parts, axis=-1)), d_cell * f
    if peepholes:
        d_i, d_f, *_ = ops.split(d_gates, 4, axis=-1)
        d_before = d_before + d_i * peepholes[0] + d_f * peepholes[1]
    return d_gates, d_before


def peephole_gradients(d_gates, before, cells) -> tuple:
    """Computes the gradients of the peephole weights over a whole sequence.

    Args:
        d_gates: Derivatives towards the pre-activations, (time, batch, 4 * units).
        before: The cell states before each step, (time, batch, units).
        cells: The cell states after it, likewise.

    Returns:
        Three tensors (units,).
    """
    d_i, d_f, _, d_o = ops.split(d_gates, 4, axis=-1)
    return tuple(ops.sum(d * state, axis=(0, 1)) for d, state in ((d_i, before), (d_f, before), (d_o, cells)))


@keras.saving.register_keras_serializable(package="toolkit")
class PeepholeLSTMCell(keras.layers.Layer):
    """One step of an LSTM whose gates see the cell state: the output gate the new one, the others the old one.

    i = sigmoid(W_xi x + W_hi h + w_ci * c + b_i)
    f = sigmoid(W_xf x + W_hf h + w_cf * c + b_f)
    c' = f * c + i * tanh(W_xc x + W_hc h + b_c)
    o = sigmoid(W_xo x + W_ho h + w_co * c' + b_o)
    h' = o * tanh(c')

    The peepholes w_ci, w_cf and w_co are vectors: a gate sees its own cell only. They start as zeros, which is
    `keras.layers.LSTMCell`; the forget gate's bias starts as ones. The states are kept in float32.

    Args:
        units: Cells.
        kernel_initializer: Initializer of the input kernel.
        recurrent_initializer: Initializer of the recurrent kernel.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, features).
        states: [output, cell], each (batch, units).

    Input shape: (batch, features).

    Output shape: (batch, units), and the two new states.

    Raises:
        ValueError: Where the features' size is unknown at build.

    Example:

    >>> keras.layers.RNN(PeepholeLSTMCell(16))(ops.ones((2, 5, 3))).shape
    TensorShape([2, 16])

    Reference: Gers and Schmidhuber 2000, "Recurrent nets that time and count"; Graves 2013, arXiv 1308.0850, equations
    7-11.
    """

    def __init__(
        self,
        units: int,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ) -> None:
        # Nothing is cast on the way in: the states stay in float32 under mixed precision.
        super().__init__(autocast=False, **kwargs)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.recurrent_initializer = keras.initializers.get(recurrent_initializer)

    def build(self, input_shape) -> None:
        if input_shape[-1] is None:
            raise ValueError(f"{self.name}: the last axis of the input must be known; got shape {input_shape}.")
        units = self.units
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 4 * units), initializer=self.kernel_initializer
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(units, 4 * units), initializer=self.recurrent_initializer
        )

        def bias(shape, dtype=None):
            return ops.cast(np.repeat([0.0, 1.0, 0.0, 0.0], units), dtype)

        self.bias = self.add_weight(name="bias", shape=(4 * units,), initializer=bias)
        self.peephole_kernel = self.add_weight(name="peephole_kernel", shape=(3, units), initializer="zeros")
        self.built = True

    def call(self, inputs, states):
        hidden, cell = (ops.cast(state, "float32") for state in states)
        dtype = self.compute_dtype

        def product(left, right):
            return ops.cast(ops.matmul(ops.cast(left, dtype), ops.cast(right, dtype)), "float32")

        gates = product(inputs, self.kernel) + product(hidden, self.recurrent_kernel) + ops.cast(self.bias, "float32")
        hidden, cell = cell_forward(gates, cell, ops.unstack(ops.cast(self.peephole_kernel, "float32")))
        return ops.cast(hidden, dtype), [hidden, cell]

    def compute_output_spec(self, inputs, states):
        shape = (inputs.shape[0], self.units)
        output = keras.KerasTensor(shape, dtype=self.compute_dtype)
        return output, [keras.KerasTensor(shape, dtype="float32") for _ in states]

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.recurrent_initializer),
        }
