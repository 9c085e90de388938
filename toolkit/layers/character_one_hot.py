"""Text in, one-hot characters out, the alphabet kept with the model."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class CharacterOneHot(keras.layers.Layer):
    """Unicode code points to one-hot vectors over an alphabet.

    Padding (code point 0) and characters outside the alphabet become the zero vector. The alphabet is part of the
    layer's config, so a saved model, a SavedModel and a `.tflite` take plain code points and need no table beside them.

    Args:
        alphabet: The characters, each once, such as " abc".
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, characters), integers.

    Output shape: (batch, characters, len(alphabet)).

    Raises:
        ValueError: Where the alphabet is empty or has a character twice.

    Example:

    >>> layer = CharacterOneHot("ab")
    >>> np.asarray(layer(ops.convert_to_tensor([[97, 98, 0]])))
    array([[[1., 0.],
            [0., 1.],
            [0., 0.]]], dtype=float32)

    Reference: Graves 2013, arXiv 1308.0850, section 5.1.
    """

    def __init__(self, alphabet: str, **kwargs) -> None:
        super().__init__(**kwargs)
        if not alphabet or len(set(alphabet)) != len(alphabet):
            raise ValueError(f"alphabet must hold each of its characters once, and at least one; got {alphabet!r}.")
        self.alphabet = alphabet
        self.built = True

    def call(self, inputs):
        codes = np.array([ord(character) for character in self.alphabet], "int32")
        return ops.cast(ops.equal(ops.cast(inputs, "int32")[..., None], codes), self.compute_dtype)

    def encode(self, text: str, length: int | None = None) -> np.ndarray:
        """Encodes a text as the layer's input.

        Args:
            text: The text.
            length: Characters to pad to; without it, one more than the text has.

        Returns:
            int32 of shape (length,), with at least one zero at the end.

        Raises:
            ValueError: Where the text is empty, too long, or has characters outside the alphabet.
        """
        if not text:
            raise ValueError("The text is empty.")
        unknown = sorted(set(text) - set(self.alphabet))
        if unknown:
            raise ValueError(
                f"The text {text!r} has characters outside the model's alphabet: {''.join(unknown)!r}. "
                f"It knows {self.alphabet!r}."
            )
        length = len(text) + 1 if length is None else length
        if len(text) >= length:
            raise ValueError(f"The text has {len(text)} characters; this model takes at most {length - 1}.")
        return np.array([*map(ord, text), *[0] * (length - len(text))], "int32")

    def compute_output_shape(self, input_shape) -> tuple:
        return (*input_shape, len(self.alphabet))

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "alphabet": self.alphabet}
