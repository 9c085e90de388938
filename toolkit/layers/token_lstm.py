"""An LSTM over one-hot tokens, which are looked up as rows of its kernel."""

from typing import Any

import keras
from keras import ops

from toolkit.layers.clipped_lstm import ClippedLSTM, time_major


@keras.saving.register_keras_serializable(package="toolkit")
class TokenLSTM(ClippedLSTM):
    """A `ClippedLSTM` over one-hot tokens, and over the layer below where there is one.

    It computes what `ClippedLSTM` does on [one_hot(token_t), below_t], with the same weights: the kernel's first
    `vocabulary_size` rows are looked up, which costs the same for 50 characters and for 10,000 words. A second input is
    what Graves' skip connections give each layer above the first.

    The tokens' rows have an initializer of their own: a one-hot vector has a single 1, so the scale that suits as many
    inputs as there are tokens is far too small here (tinyshakespeare, 512 units, after 200 steps of Adam:
    3.24 bits a character from "glorot_uniform", 2.46 from a standard normal distribution).

    Args:
        vocabulary_size: Number of tokens.
        units: Cells.
        token_initializer: Initializer of the kernel's rows for the tokens; None: normal, with standard deviation 1.
        **kwargs: As in `ClippedLSTM`.

    Call arguments:
        tokens: (batch, time), integers in [0, vocabulary_size).
        below: (batch, time, features), or None.
        mask, initial_state, training: As in `ClippedLSTM`.

    Input shape: (batch, time), and (batch, time, features).

    Output shape: (batch, time, units); or (batch, units) without `return_sequences`.

    Raises:
        ValueError: Where an argument is out of range, or the inputs are of another rank.

    Example:

    >>> TokenLSTM(vocabulary_size=10_000, units=16)(ops.zeros((2, 5), "int32")).shape
    TensorShape([2, 5, 16])

    Reference: Graves 2013, arXiv 1308.0850, sections 2 and 3.
    """

    def __init__(
        self,
        vocabulary_size: int,
        units: int,
        token_initializer=None,
        **kwargs,
    ) -> None:
        super().__init__(units, **kwargs)
        standard_normal = keras.initializers.RandomNormal(stddev=1.0)
        self.token_initializer = keras.initializers.get(token_initializer) or standard_normal
        if vocabulary_size < 1:
            raise ValueError(f"vocabulary_size must be at least 1; got {vocabulary_size}.")
        self.vocabulary_size = vocabulary_size

    def build(self, tokens_shape, below_shape=None) -> None:
        if len(tokens_shape) != 2:
            raise ValueError(f"{self.name}: expected tokens (batch, time); got shape {tokens_shape}.")
        if below_shape is not None and (len(below_shape) != 3 or below_shape[-1] is None):
            raise ValueError(f"{self.name}: expected below (batch, time, features); got shape {below_shape}.")
        features = self.vocabulary_size + (0 if below_shape is None else below_shape[-1])
        plain = self.cell.kernel_initializer

        def by_rows(shape, dtype=None):
            tokens = self.token_initializer((self.vocabulary_size, shape[1]), dtype=dtype)
            others = shape[0] - self.vocabulary_size
            return ops.concatenate([tokens, plain((others, shape[1]), dtype=dtype)]) if others else tokens

        self.cell.kernel_initializer = by_rows
        self.cell.build((tokens_shape[0], features))
        self.cell.kernel_initializer = plain  # the one that the config names
        self.built = True

    def call(self, tokens, below=None, mask=None, initial_state=None, training=None):
        return super().call((tokens, below), mask=mask, initial_state=initial_state, training=training)

    def project(self, inputs, kernel) -> Any:
        """Adds the kernel's rows of the tokens to the product of its other rows with the layer below.

        Args:
            inputs: Tokens (batch, time), and (batch, time, features) or None.
            kernel: (vocabulary_size + features, 4 * units), in the compute dtype.

        Returns:
            (time, batch, 4 * units).
        """
        tokens, below = inputs
        looked_up = ops.take(kernel, ops.transpose(tokens), axis=0)
        if below is None:
            return looked_up
        return looked_up + ops.matmul(time_major(ops.cast(below, self.compute_dtype)), kernel[self.vocabulary_size :])

    def compute_mask(self, tokens, below=None, mask=None):
        return super().compute_mask(tokens, mask)

    def compute_output_shape(self, tokens_shape, below_shape=None):
        return super().compute_output_shape(tokens_shape)

    def compute_output_spec(self, tokens, below=None, mask=None, initial_state=None, training=None):
        return super().compute_output_spec(tokens, mask, initial_state)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "token_initializer": keras.initializers.serialize(self.token_initializer),
        }
