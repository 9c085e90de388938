"""An LSTM whose derivatives are clipped at each step, as Graves trains his."""

from typing import Any

import keras
from keras import ops

from toolkit.layers.peephole_lstm_cell import PeepholeLSTMCell, cell_backward, cell_forward, peephole_gradients


def step_before(sequence, first, t) -> Any:
    """Takes a sequence's step t - 1.

    Args:
        sequence: (time, batch, channels).
        first: What comes before it, (batch, channels).
        t: The step, a scalar tensor.

    Returns:
        (batch, channels).
    """
    return ops.where(t > 0, sequence[ops.maximum(t - 1, 0)], first)


def shifted(sequence, first) -> Any:
    """Delays a time-major sequence by one step.

    Args:
        sequence: (time, batch, channels).
        first: What comes before it, (batch, channels).

    Returns:
        (time, batch, channels): `first`, and the sequence without its last step.
    """
    return ops.concatenate([first[None], sequence[:-1]], axis=0)


def time_product(left, right) -> Any:
    """Computes a weight matrix's gradient over all steps, as one product.

    Args:
        left: What the matrix was multiplied with, (time, batch, rows).
        right: Derivatives of the products, (time, batch, columns).

    Returns:
        (rows, columns).
    """
    left = ops.reshape(left, (-1, left.shape[-1]))
    return ops.matmul(ops.transpose(left), ops.reshape(right, (-1, right.shape[-1])))


def time_sum(derivatives) -> Any:
    """Computes a bias' gradient: the sum over all steps, as a product with ones, which is faster than a sum on a CPU.

    Args:
        derivatives: (time, batch, channels).

    Returns:
        (channels,).
    """
    return time_product(ops.ones_like(derivatives[..., :1]), derivatives)[0]


def time_major(sequence) -> Any:
    """Swaps the first two axes.

    Args:
        sequence: (batch, time, channels) or (time, batch, channels).
    """
    return ops.transpose(sequence, (1, 0, 2))


def last_step(sequence, mask) -> Any:
    """Takes a sequence's last step that counts.

    Args:
        sequence: (batch, time, channels).
        mask: (batch, time), True where a step counts, or None.

    Returns:
        (batch, channels).
    """
    if mask is None:
        return sequence[:, -1]
    last = ops.maximum(ops.sum(ops.cast(mask, "int32"), axis=1) - 1, 0)
    return ops.take_along_axis(sequence, last[:, None, None], axis=1)[:, 0]


def upstreams(args, upstream) -> tuple:
    """Gives the derivatives a custom gradient was called with, whichever way the backend hands them over.

    Args:
        args: The gradient function's positional arguments.
        upstream: Its keyword argument.

    Returns:
        A tuple, one derivative for each output.
    """
    given = args if upstream is None else upstream
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    return tuple(given)


@keras.saving.register_keras_serializable(package="toolkit")
class ClippedLSTM(keras.layers.Layer):
    """An LSTM that clips, at each step of back-propagation, the derivatives towards its gates' pre-activations.

    The equations and weights are those of `keras.layers.LSTM`; with dz_t the derivative of the loss towards the
    pre-activations of step t, what is passed on to the weights, the input and step t - 1 is clip(dz_t, -limit, limit).
    Clipping weight gradients afterwards is not the same: there the explosion has already happened.

    The products with the input and those that make the weight gradients are each one large product over all steps, so
    on a CPU a training step takes less time than `keras.layers.LSTM`'s. On a GPU, without clipping, `keras.layers.LSTM`
    has a fused kernel and is the faster one.

    Args:
        units: Cells.
        gradient_clip: The limit, in units of the differentiated loss (Graves: 10 for handwriting, 1 for text, with the
            loss in nats a sequence); None: no clipping.
        return_sequences: Whether to return every step's output or the last.
        return_state: Whether to return also the last output and cell state.
        peepholes: Whether the gates see the cell state, as in `PeepholeLSTMCell`, which has the equations.
        kernel_initializer: Initializer of the input kernel.
        recurrent_initializer: Initializer of the recurrent kernel.
        recurrent_dropout: Share of the candidates that training leaves out of the cells, others at each step:
            c_t = f_t c_{t-1} + i_t m_t g_t, with m_t 0 or 1 / (1 - share). What a cell remembers stays, where Keras'
            LSTM, in what it calls so, leaves out outputs before they are multiplied.
        seed: Seed of the m_t.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, time, features).
        mask: (batch, time), True where a step counts. Padding must come after the steps that count; outputs there are
            0.
        initial_state: [output, cell], each (batch, units); zeros without it.
        training: Whether candidates are left out.

    Input shape: (batch, time, features).

    Output shape: (batch, time, units); or (batch, units) without `return_sequences`.

    Raises:
        ValueError: Where an argument is out of range, or the features' size is unknown at build.

    Example:

    >>> ClippedLSTM(16, gradient_clip=10.0)(ops.ones((2, 5, 3))).shape
    TensorShape([2, 5, 16])

    Reference: Hochreiter and Schmidhuber 1997; Graves 2013, arXiv 1308.0850, section 2.1 (the clipping); Semeniuta,
    Severyn and Barth 2016, arXiv 1603.05118, section 3 (the dropout).
    """

    def __init__(
        self,
        units: int,
        gradient_clip: float | None = None,
        return_sequences: bool = True,
        return_state: bool = False,
        peepholes: bool = False,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        # Nothing is cast on the way in: the states stay in float32 under mixed precision.
        super().__init__(autocast=False, **kwargs)
        if gradient_clip is not None and not gradient_clip > 0:
            raise ValueError(f"gradient_clip must be positive or None; got {gradient_clip}.")
        if not 0 <= recurrent_dropout < 1:
            raise ValueError(f"recurrent_dropout must be at least 0 and less than 1; got {recurrent_dropout}.")
        self.units = units
        self.gradient_clip = gradient_clip
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.peepholes = peepholes
        self.recurrent_dropout = recurrent_dropout
        self.seed = seed
        if recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(seed)
        # It owns the weights and is the single step that generation runs.
        self.cell = (PeepholeLSTMCell if peepholes else keras.layers.LSTMCell)(
            units,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            dtype=self.dtype_policy,
            name="cell",
        )
        self.supports_masking = True

    def build(self, input_shape) -> None:
        if len(input_shape) != 3 or input_shape[-1] is None:
            raise ValueError(f"{self.name}: expected inputs (batch, time, features); got shape {input_shape}.")
        self.cell.build((input_shape[0], input_shape[-1]))
        self.built = True

    def call(self, inputs, mask=None, initial_state=None, training=None):
        if initial_state is None:
            zeros = ops.zeros((ops.shape(keras.tree.flatten(inputs)[0])[0], self.units), "float32")
            initial_state = [zeros, zeros]
        cell = self.cell
        kernel, recurrent = (ops.cast(w, self.compute_dtype) for w in (cell.kernel, cell.recurrent_kernel))
        projected = ops.cast(self.project(inputs, kernel), "float32")
        run = _whole_sequence(self.compute_dtype, self.gradient_clip, self.peepholes)
        states = (ops.cast(state, "float32") for state in initial_state)
        others = ops.unstack(ops.cast(cell.peephole_kernel, "float32")) if self.peepholes else []
        if training and self.recurrent_dropout:
            ones = ops.ones_like(projected[..., : self.units])
            others = [*others, keras.random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)]
        hidden, cells = run(projected, recurrent, ops.cast(cell.bias, "float32"), *states, *others)
        hidden, cells = time_major(hidden), time_major(cells)
        state = [last_step(hidden, mask), last_step(cells, mask)]
        if mask is not None:
            hidden = ops.where(ops.expand_dims(mask, -1), hidden, 0.0)
        outputs = ops.cast(hidden if self.return_sequences else state[0], self.compute_dtype)
        return (outputs, *state) if self.return_state else outputs

    def project(self, inputs, kernel) -> Any:
        """Computes the product of the inputs with the input kernel.

        Args:
            inputs: (batch, time, features).
            kernel: (features, 4 * units), in the compute dtype.

        Returns:
            (time, batch, 4 * units).
        """
        return ops.matmul(time_major(ops.cast(inputs, self.compute_dtype)), kernel)

    def compute_mask(self, inputs, mask=None):
        output_mask = mask if self.return_sequences else None
        return [output_mask, None, None] if self.return_state else output_mask

    def compute_output_shape(self, input_shape):
        last = (input_shape[0], self.units)
        outputs = (*input_shape[:2], self.units) if self.return_sequences else last
        return (outputs, last, last) if self.return_state else outputs

    def compute_output_spec(self, inputs, mask=None, initial_state=None, training=None):
        shapes = self.compute_output_shape(inputs.shape)
        if not self.return_state:
            return keras.KerasTensor(shapes, dtype=self.compute_dtype)
        dtypes = (self.compute_dtype, "float32", "float32")
        return tuple(keras.KerasTensor(shape, dtype=dtype) for shape, dtype in zip(shapes, dtypes, strict=True))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "gradient_clip": self.gradient_clip,
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "peepholes": self.peepholes,
            "kernel_initializer": keras.initializers.serialize(self.cell.kernel_initializer),
            "recurrent_initializer": keras.initializers.serialize(self.cell.recurrent_initializer),
            "recurrent_dropout": self.recurrent_dropout,
            "seed": self.seed,
        }


def _whole_sequence(compute_dtype, limit, has_peepholes):
    """(projected input, recurrent kernel, bias, first output and cell, others) -> (outputs, cells), time-major.

    The others are the three peepholes, where there are, and the candidates' factors, where there are.
    """

    def product(left, right):
        return ops.cast(ops.matmul(ops.cast(left, compute_dtype), right), "float32")

    @ops.custom_gradient
    def run(projected, recurrent, bias, hidden, cell, *others):
        peepholes, dropped = (others[:3], others[3:]) if has_peepholes else ((), others)
        # Sequences are read by index: ops.scan would copy them first, and on TensorFlow needs to know their length.
        steps = ops.arange(ops.shape(projected)[0])

        def forward(carry, t):
            hidden, cell, _ = carry
            gates = projected[t] + bias + product(hidden, recurrent)
            carry = (*cell_forward(gates, cell, peepholes, *(kept[t] for kept in dropped)), gates)
            return carry, carry

        start = (hidden, cell, ops.zeros_like(projected[0]))
        if projected.shape[0] == 1:  # a step of generation is in a loop already
            sequences = [part[None] for part in forward(start, 0)[0]]
        else:
            _, sequences = ops.scan(forward, start, steps)
        outputs, cells, gates = sequences

        def grad(*args, upstream=None):
            d_outputs, d_cells = upstreams(args, upstream)
            backwards = ops.transpose(recurrent)

            def backward(carry, t):
                d_gates, d_cell = carry
                d_gates, d_cell = cell_backward(
                    d_outputs[t] + product(d_gates, backwards),
                    d_cells[t] + d_cell,
                    gates[t],
                    step_before(cells, cell, t),
                    cells[t],
                    limit,
                    peepholes,
                    *(kept[t] for kept in dropped),
                )
                carry = (d_gates, d_cell)
                return carry, carry

            # Not of `projected`, which would be kept until here for its shape.
            start = (ops.zeros_like(gates[0]), ops.zeros_like(cell))
            (d_first, d_cell), (d_gates, _) = ops.scan(backward, start, steps, reverse=True)
            before = ops.cast(shifted(outputs, hidden), compute_dtype)
            d_recurrent = time_product(before, ops.cast(d_gates, compute_dtype))
            d_peepholes = peephole_gradients(d_gates, shifted(cells, cell), cells) if peepholes else ()
            d_others = (*d_peepholes, *(ops.zeros_like(kept) for kept in dropped))
            return d_gates, d_recurrent, time_sum(d_gates), product(d_first, backwards), d_cell, *d_others

        return (outputs, cells), grad

    return run
