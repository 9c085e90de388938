"""The recurrent layer of Graves' handwriting synthesis: an LSTM that slides a soft window along a text."""

import keras
from keras import ops

from toolkit.layers.clipped_lstm import (
    last_step,
    shifted,
    step_before,
    time_major,
    time_product,
    time_sum,
    upstreams,
)
from toolkit.layers.gaussian_window_cell import (
    RAW_LIMIT,
    GaussianWindowCell,
    window_parameters,
    window_vector,
    window_weights,
)
from toolkit.layers.peephole_lstm_cell import cell_backward, cell_forward, peephole_gradients


@keras.saving.register_keras_serializable(package="toolkit")
class GaussianWindow(keras.layers.Layer):
    """An LSTM over strokes and a soft window over a text, each feeding the other.

    With h_t the LSTM's output for input [x_t, w_{t-1}], and (â, b̂, k̂)_t = W h_t + bias:

    a = exp(â), b = exp(b̂), k_t = k_{t-1} + exp(k̂_t)
    phi(t, u) = sum_j a_j exp(-b_j (k_j - u)^2), u = 1, 2, ...
    w_t = sum_u phi(t, u) c_u

    The position k only grows. Its bias starts so that the untrained window advances `initial_advance` characters at a
    step: give it 1 / (mean number of points in a character), without which the window often never learns to move.

    The loop over time holds only what must be in it: the products with the input and those that make the weight
    gradients are large products over all steps. The derivatives towards the gates' pre-activations are clipped inside
    the loop, as in `ClippedLSTM`.

    Args:
        units: LSTM cells (paper: 400).
        num_gaussians: Gaussians K in the window (paper: 10).
        initial_advance: Characters that the untrained window moves at a step (IAM-OnDB: about 1 / 25).
        gradient_clip: Limit of the derivatives towards the gates' pre-activations, at each step, in units of the
            differentiated loss (paper: 10, for nats a sequence); None: no clipping.
        return_weights: Whether to return also phi.
        return_state: Whether to return also the last states.
        peepholes: Whether the LSTM's gates see its cell state, as in `PeepholeLSTMCell`, which has the equations.
        kernel_initializer: Initializer of the input kernels.
        recurrent_initializer: Initializer of the recurrent kernel.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, time, features).
        text: (batch, characters, channels), zero vectors at the padding (as `CharacterOneHot` makes them).
        mask: (batch, time), True where a step counts. Padding must come after the steps that count; outputs there are
            0.
        text_mask: (batch, characters), True where a character counts.
        initial_state: [output, cell, window, position], as `cell.initial_state` makes them; zeros without it.

    Input shape: (batch, time, features) and (batch, characters, channels).

    Output shape: output (batch, time, units) and window (batch, time, channels); with `return_weights` then phi
    (batch, time, characters); with `return_state` then the four last states.

    Raises:
        ValueError: Where an argument is out of range, or the inputs are not of three axes with known last one.

    Example:

    >>> layer = GaussianWindow(16, num_gaussians=3)
    >>> hidden, window = layer(ops.ones((2, 30, 3)), ops.ones((2, 6, 4)))
    >>> hidden.shape, window.shape
    (TensorShape([2, 30, 16]), TensorShape([2, 30, 4]))

    Reference: Graves 2013, arXiv 1308.0850, section 5.1, equations 46-51.
    """

    def __init__(
        self,
        units: int,
        num_gaussians: int = 10,
        initial_advance: float = 0.04,
        gradient_clip: float | None = None,
        return_weights: bool = False,
        return_state: bool = False,
        peepholes: bool = False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        **kwargs,
    ) -> None:
        # Nothing is cast on the way in: the states stay in float32 under mixed precision.
        super().__init__(autocast=False, **kwargs)
        if gradient_clip is not None and not gradient_clip > 0:
            raise ValueError(f"gradient_clip must be positive or None; got {gradient_clip}.")
        self.cell = GaussianWindowCell(
            units,
            num_gaussians,
            initial_advance,
            peepholes,
            kernel_initializer,
            recurrent_initializer,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.gradient_clip = gradient_clip
        self.return_weights = return_weights
        self.return_state = return_state
        self.supports_masking = True

    def build(self, inputs_shape, text_shape) -> None:
        if len(inputs_shape) != 3 or len(text_shape) != 3:
            raise ValueError(
                f"{self.name}: expected inputs (batch, time, features) and text (batch, characters, channels); "
                f"got shapes {inputs_shape} and {text_shape}."
            )
        self.cell.build(inputs_shape, text_shape)
        self.built = True

    def call(self, inputs, text, mask=None, text_mask=None, initial_state=None):
        cell, dtype = self.cell, self.compute_dtype
        text = ops.cast(text, "float32")
        if text_mask is not None:
            text = text * ops.cast(ops.expand_dims(text_mask, -1), "float32")
        if initial_state is None:
            initial_state = cell.initial_state(text)
        kernel, window_kernel, recurrent_kernel = (
            ops.cast(w, dtype) for w in (cell.kernel, cell.window_kernel, cell.recurrent_kernel)
        )
        projected = ops.cast(ops.matmul(time_major(ops.cast(inputs, dtype)), kernel), "float32")
        bias, position_kernel, position_bias = (
            ops.cast(w, "float32") for w in (cell.bias, cell.position_kernel, cell.position_bias)
        )
        run = _whole_sequence(dtype, self.gradient_clip, cell.units)
        sequences = run(
            projected,
            ops.concatenate([recurrent_kernel, window_kernel], axis=0),
            bias,
            position_kernel,
            position_bias,
            text,
            *(ops.cast(state, "float32") for state in initial_state),
            *(ops.unstack(ops.cast(cell.peephole_kernel, "float32")) if cell.peepholes else []),
        )
        hidden, cells, window, position = (time_major(sequence) for sequence in sequences)
        state = [last_step(sequence, mask) for sequence in (hidden, cells, window, position)]
        outputs = [hidden, window]
        if self.return_weights:
            height, width, _ = window_parameters(hidden, position_kernel, position_bias)
            outputs.append(window_weights(height, width, position, ops.shape(text)[1]))
        if mask is not None:
            outputs = [ops.where(ops.expand_dims(mask, -1), output, 0.0) for output in outputs]
        outputs[:2] = [ops.cast(output, dtype) for output in outputs[:2]]
        return (*outputs, *state) if self.return_state else tuple(outputs)

    def compute_mask(self, inputs, text=None, mask=None, text_mask=None):
        return [mask] * (2 + self.return_weights) + [None] * (4 * self.return_state)

    def compute_output_shape(self, inputs_shape, text_shape):
        batch, time = inputs_shape[:2]
        sizes = [self.cell.units, text_shape[-1]] + [text_shape[1]] * self.return_weights
        state = (self.cell.units, self.cell.units, text_shape[-1], self.cell.num_gaussians)
        sequences = [(batch, time, size) for size in sizes]
        return (*sequences, *((batch, size) for size in state)) if self.return_state else tuple(sequences)

    def compute_output_spec(self, inputs, text, mask=None, text_mask=None, initial_state=None):
        shapes = self.compute_output_shape(inputs.shape, text.shape)
        dtypes = [self.compute_dtype] * 2 + ["float32"] * (len(shapes) - 2)
        return tuple(keras.KerasTensor(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=True))

    def get_config(self) -> dict:
        cell = self.cell.get_config()
        return {
            **super().get_config(),
            **{name: value for name, value in cell.items() if name not in ("name", "dtype", "trainable")},
            "gradient_clip": self.gradient_clip,
            "return_weights": self.return_weights,
            "return_state": self.return_state,
        }


def _whole_sequence(compute_dtype, limit, units):
    """All steps at once, time-major, with their gradient: (projected input, [recurrent; window] kernel, bias, position
    kernel and bias, text, four first states, peepholes) -> (outputs, cells, windows, positions)."""

    def product(left, right):
        return ops.cast(ops.matmul(ops.cast(left, compute_dtype), right), "float32")

    @ops.custom_gradient
    def run(
        projected, recurrent, bias, position_kernel, position_bias, text, hidden, cell, window, position, *peepholes
    ):
        num_characters = ops.shape(text)[1]
        # Sequences are read by index: ops.scan would copy them first, and on TensorFlow needs to know their length.
        steps = ops.arange(ops.shape(projected)[0])

        def forward(carry, t):
            hidden, cell, window, position, _ = carry
            gates = projected[t] + bias + product(ops.concatenate([hidden, window], axis=-1), recurrent)
            hidden, cell = cell_forward(gates, cell, peepholes)
            height, width, advance = window_parameters(hidden, position_kernel, position_bias)
            position = position + advance
            window = window_vector(window_weights(height, width, position, num_characters), text)
            carry = (hidden, cell, window, position, gates)
            return carry, carry

        start = (hidden, cell, window, position, ops.zeros_like(projected[0]))
        _, (outputs, cells, windows, positions, gates) = ops.scan(forward, start, steps)

        def grad(*args, upstream=None):
            d_outputs, d_cells, d_windows, d_positions = upstreams(args, upstream)
            raw = ops.matmul(outputs, position_kernel) + position_bias
            inside = ops.cast(ops.abs(raw) < RAW_LIMIT, "float32")
            height, width, advance = window_parameters(outputs, position_kernel, position_bias)
            backwards, position_backwards = ops.transpose(recurrent), ops.transpose(position_kernel)
            characters = ops.cast(ops.arange(1, num_characters + 1), "float32")

            def backward(carry, t):
                d_gates, d_cell, d_position, _, _ = carry
                d_both = product(d_gates, backwards)
                d_window = d_windows[t] + d_both[:, units:]
                # phi is a sum of bumps a exp(-b (k - u)^2); towards â, b̂ and k, with d = k - u, each has the derivative
                # bump, -b d^2 bump and -2 b d bump.
                d_weights = ops.matmul(text, d_window[..., None])[:, None, :, 0]
                distance = positions[t][..., None] - characters
                d_bumps = d_weights * height[t][..., None] * ops.exp(-width[t][..., None] * ops.square(distance))
                towards = d_bumps * distance
                d_position = d_position + d_positions[t] - 2.0 * width[t] * ops.sum(towards, axis=-1)
                d_height, d_width = ops.sum(d_bumps, axis=-1), -width[t] * ops.sum(towards * distance, axis=-1)
                d_raw = ops.concatenate([d_height, d_width, d_position * advance[t]], axis=-1) * inside[t]
                d_gates, d_cell = cell_backward(
                    d_outputs[t] + d_both[:, :units] + ops.matmul(d_raw, position_backwards),
                    d_cells[t] + d_cell,
                    gates[t],
                    step_before(cells, cell, t),
                    cells[t],
                    limit,
                    peepholes,
                )
                carry = (d_gates, d_cell, d_position, d_raw, d_window)
                return carry, carry

            # Not of `projected`, which would be kept until here for its shape.
            start = [ops.zeros_like(x) for x in (gates[0], cell, position, raw[0], window)]
            (d_first, d_cell, d_position, _, _), (d_gates, _, _, d_raw, d_window) = ops.scan(
                backward, tuple(start), steps, reverse=True
            )
            before = ops.concatenate([shifted(outputs, hidden), shifted(windows, window)], axis=-1)
            d_recurrent = time_product(ops.cast(before, compute_dtype), ops.cast(d_gates, compute_dtype))
            d_both = product(d_first, backwards)
            return (
                d_gates,
                d_recurrent,
                time_sum(d_gates),
                time_product(outputs, d_raw),
                time_sum(d_raw),
                ops.einsum("tbu,tbc->buc", window_weights(height, width, positions, num_characters), d_window),
                d_both[:, :units],
                d_cell,
                d_both[:, units:],
                d_position,
                *(peephole_gradients(d_gates, shifted(cells, cell), cells) if peepholes else ()),
            )

        return (outputs, cells, windows, positions), grad

    return run
