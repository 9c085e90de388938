"""Clipping of the derivative at one place of a network."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class GradientClip(keras.layers.Layer):
    """Leaves its input as it is and clips each element of the gradient that comes back to [-limit, limit].

    The limit is in units of the loss that is differentiated: a loss that is a mean has smaller derivatives than the sum
    that a paper's limit was chosen for, and float16 loss scaling has larger ones.

    Args:
        limit: Largest absolute derivative let through (Graves: 100 at the output layer, for nats a sequence).
        **kwargs: As in `keras.layers.Layer`.

    Input shape: any.

    Output shape: the input's.

    Raises:
        ValueError: Where `limit` is not positive.

    Example:

    >>> GradientClip(limit=100.0)(ops.ones((2, 3))).shape
    TensorShape([2, 3])

    Reference: Graves 2013, arXiv 1308.0850, section 2.1.
    """

    def __init__(self, limit: float, **kwargs) -> None:
        super().__init__(**kwargs)
        if not limit > 0:
            raise ValueError(f"limit must be positive; got {limit}.")
        self.limit = float(limit)
        self.supports_masking = True

    def build(self, input_shape) -> None:
        limit = self.limit

        @ops.custom_gradient
        def identity(inputs):
            def grad(*args, upstream=None):
                if upstream is None:
                    (upstream,) = args
                return ops.clip(upstream, -limit, limit)

            return inputs, grad

        self._identity = identity
        self.built = True

    def call(self, inputs):
        return self._identity(inputs)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "limit": self.limit}


def limit_in_a_mean(limit: float, batch_size: int, precision: str = "float32") -> float | None:
    """Turns a limit of the derivatives of one sequence's loss into one for the mean over a batch.

    The derivatives of a mean are as many times smaller as the batch is large, and the limit with them. float16
    multiplies all derivatives with its loss scale, so there limits inside the network make no sense.

    Args:
        limit: The limit for one sequence; 0: none.
        batch_size: Sequences in a batch.
        precision: Name of the dtype policy.

    Returns:
        The limit for `GradientClip` and clipped LSTMs; None for none.

    Example:

    >>> limit_in_a_mean(10.0, 32), limit_in_a_mean(0.0, 32), limit_in_a_mean(10.0, 32, "mixed_float16")
    (0.3125, None, None)
    """
    return limit / batch_size if limit and precision != "mixed_float16" else None


def limits_in_a_mean(batch_size: int, precision: str = "float32", **limits: float) -> dict[str, float | None]:
    """Turns several limits as `limit_in_a_mean` does one.

    Args:
        batch_size: Sequences in a batch.
        precision: Name of the dtype policy.
        **limits: Each for one sequence; 0: none.

    Returns:
        The limits, by the same names.

    Example:

    >>> limits_in_a_mean(32, lstm_gradient_clip=10.0, output_gradient_clip=0.0)
    {'lstm_gradient_clip': 0.3125, 'output_gradient_clip': None}
    """
    return {name: limit_in_a_mean(limit, batch_size, precision) for name, limit in limits.items()}
