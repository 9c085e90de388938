"""The vocabulary of a network that reads tokens, kept with it."""

from collections.abc import Sequence

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class Vocabulary(keras.layers.Layer):
    """Passes token numbers on, those outside the vocabulary as 0, and keeps what the numbers mean in its config.

    So a saved network tells itself what it reads: `model.get_layer("vocabulary").tokens`.

    Args:
        tokens: The tokens, each once; number 0 is the unknown one, where there is one.
        level: What a token is: "char", "byte" or "word".
        **kwargs: As in `keras.layers.Layer`.

    Input shape: any, integers.

    Output shape: the input's, int32.

    Raises:
        ValueError: Where there is no token, or one twice.

    Example:

    >>> ops.convert_to_numpy(Vocabulary(["<unk>", "a", "b"])(ops.convert_to_tensor([1, 2, 7, -1])))
    array([1, 2, 0, 0], dtype=int32)

    Reference: Graves 2013, arXiv 1308.0850, section 3.1.
    """

    def __init__(self, tokens: Sequence[str], level: str = "char", **kwargs) -> None:
        super().__init__(**kwargs)
        if not tokens or len(set(tokens)) != len(tokens):
            raise ValueError(f"tokens must hold each token once, and at least one; got {len(tokens)}.")
        self.tokens = list(tokens)
        self.level = level
        self.built = True

    def call(self, inputs):
        numbers = ops.cast(inputs, "int32")
        return ops.where(ops.logical_or(numbers < 0, numbers >= len(self.tokens)), 0, numbers)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> dict:
        return {**super().get_config(), "tokens": self.tokens, "level": self.level}
