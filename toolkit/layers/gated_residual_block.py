"""The layer of a WaveNet: a gated, dilated, causal convolution between a residual and a skip connection."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class GatedResidualBlock(keras.layers.Layer):
    """z = tanh(W_f * x + V_f h + U_f y) sigmoid(W_g * x + V_g h + U_g y); outputs x + R z and S z.

    W is causal and dilated, its zeros are before the first sample; h is one vector for all samples (a speaker), y one
    for each (what is said there). V, U, R and S are 1 x 1. W_f and W_g are the halves of one kernel, as are the others.

    Args:
        filters: Channels of z.
        skip_filters: Channels of S z.
        kernel_size: Samples that W reads, `dilation_rate` apart.
        dilation_rate: How far apart.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: x.
        global_condition: h, or None.
        local_condition: y, or None.

    Input shape: (batch, time, channels); (batch, global channels); (batch, time, local channels).

    Output shape: (batch, time, channels) and (batch, time, skip_filters): of x (2, 100, 32) and 512 skip filters,
    (2, 100, 32) and (2, 100, 512).

    Raises:
        ValueError: Where an argument is out of range, a shape is another, or a condition is given that the block was
            built without, or none where it was built with one.

    Example:

    >>> residual, skip = GatedResidualBlock(filters=8, skip_filters=16, dilation_rate=4)(ops.zeros((2, 20, 6)))
    >>> residual.shape, skip.shape
    (TensorShape([2, 20, 6]), TensorShape([2, 20, 16]))

    Reference: van den Oord et al. 2016, arXiv 1609.03499, sections 2.1, 2.3, 2.4 and 2.5.
    """

    def __init__(self, filters: int, skip_filters: int, kernel_size: int = 2, dilation_rate: int = 1, **kwargs) -> None:
        super().__init__(**kwargs)
        sizes = {"filters": filters, "skip_filters": skip_filters, "kernel_size": kernel_size}
        for name, size in {**sizes, "dilation_rate": dilation_rate}.items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}.")
        self.filters = filters
        self.skip_filters = skip_filters
        self.kernel_size = kernel_size
        self.dilation_rate = dilation_rate

    def build(self, inputs_shape, global_condition_shape=None, local_condition_shape=None) -> None:
        named = {"inputs": (inputs_shape, 3), "global_condition": (global_condition_shape, 2)}
        for name, (shape, rank) in {**named, "local_condition": (local_condition_shape, 3)}.items():
            if shape is not None and (len(shape) != rank or shape[-1] is None):
                axes = "(batch, time, channels)" if rank == 3 else "(batch, channels)"
                raise ValueError(f"{self.name}: expected {name} {axes}, the channels known; got shape {shape}.")

        def dense(units, shape, name, use_bias):
            if shape is None:
                return None
            layer = keras.layers.Dense(units, use_bias=use_bias, dtype=self.dtype_policy, name=name)
            layer.build(shape)
            return layer

        self.convolution = keras.layers.Conv1D(
            2 * self.filters,
            self.kernel_size,
            padding="causal",
            dilation_rate=self.dilation_rate,
            dtype=self.dtype_policy,
            name="convolution",
        )
        self.convolution.build(inputs_shape)
        self.global_projection = dense(2 * self.filters, global_condition_shape, "global_projection", False)
        self.local_projection = dense(2 * self.filters, local_condition_shape, "local_projection", False)
        gated = (*inputs_shape[:-1], self.filters)
        self.outward = dense(inputs_shape[-1] + self.skip_filters, gated, "outward", True)
        self.built = True

    def call(self, inputs, global_condition=None, local_condition=None):
        self._check(global_condition=global_condition, local_condition=local_condition)
        x = self.convolution(inputs)
        if global_condition is not None:
            x = x + self.global_projection(global_condition)[:, None]
        if local_condition is not None:
            x = x + self.local_projection(local_condition)
        return self._leave(inputs, x)

    def step(self, inputs, queue, global_condition=None, local_condition=None) -> tuple:
        """Computes one sample, those before it being in a queue.

        Args:
            inputs: x now, (batch, channels).
            queue: x before, (batch, (kernel_size - 1) * dilation_rate, channels), the oldest first; zeros at first.
            global_condition: h, (batch, global channels), or None.
            local_condition: y now, (batch, local channels), or None.

        Returns:
            The outputs, (batch, channels) and (batch, skip_filters), and the queue of the next sample.

        Example:

        >>> block = GatedResidualBlock(filters=8, skip_filters=16, dilation_rate=4)
        >>> x = keras.random.normal((1, 20, 6))
        >>> residual, _ = block(x)
        >>> queue = ops.zeros((1, 4, 6))
        >>> for t in range(20):
        ...     now, _, queue = block.step(x[:, t], queue)
        >>> bool(ops.max(ops.abs(now - residual[:, -1])) < 1e-6)
        True
        """
        self._check(global_condition=global_condition, local_condition=local_condition)
        held = ops.concatenate([queue, inputs[:, None]], axis=1)
        x = ops.convert_to_tensor(self.convolution.bias)
        for tap in range(self.kernel_size):
            x = x + ops.matmul(held[:, tap * self.dilation_rate], self.convolution.kernel[tap])
        if global_condition is not None:
            x = x + self.global_projection(global_condition)
        if local_condition is not None:
            x = x + self.local_projection(local_condition)
        return (*self._leave(inputs, x), held[:, 1:])

    def _check(self, **given):
        for name, condition in given.items():
            without = getattr(self, name.replace("condition", "projection")) is None
            if without != (condition is None):
                told = "without one, and is given one" if without else "with one, and is given none"
                raise ValueError(f"{self.name}, {name}: the block was built {told}.")

    def _leave(self, inputs, x):
        """The gate and the two 1 x 1 convolutions, as one product."""
        # Halves by `split`: the gradient of slices would be written out with zeros, a third of a step's time.
        opened, gate = ops.split(x, 2, axis=-1)
        outward = self.outward(ops.tanh(opened) * ops.sigmoid(gate))
        residual, skip = ops.split(outward, [inputs.shape[-1]], axis=-1)
        return inputs + residual, skip

    def compute_output_shape(self, inputs_shape, global_condition_shape=None, local_condition_shape=None) -> tuple:
        return tuple(inputs_shape), (*inputs_shape[:-1], self.skip_filters)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "skip_filters": self.skip_filters,
            "kernel_size": self.kernel_size,
            "dilation_rate": self.dilation_rate,
        }
