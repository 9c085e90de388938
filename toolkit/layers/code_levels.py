"""Discrete codes in place of a WaveNet's sample levels."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class CodeLevels(keras.layers.Layer):
    """Rounds numbers to codes, for a WaveNet whose input is codes instead of samples; `inverse` leads back.

    It takes the place of `MuLaw`, and has its methods but `companded`. It works in float32 under every dtype policy:
    half precision cannot hold all integers up to 65,536.

    Args:
        num_levels: Number of codes, at most 65,536.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: any, codes as numbers of any type; what is out of range counts as the nearest.

    Output shape: the input's, int32, from 0 to `num_levels` - 1.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> layer = CodeLevels(512)
    >>> ops.convert_to_numpy(layer(ops.convert_to_tensor([0.0, 7.0, 600.0])))
    array([  0,   7, 511], dtype=int32)

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3 (a prior of codes).
    """

    # The code that is read before the first one, as a sample of 0 is before the first sample.
    silence = 0

    def __init__(self, num_levels: int, **kwargs) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not 2 <= num_levels <= 65_536:
            raise ValueError(f"num_levels must be between 2 and 65,536; got {num_levels}.")
        self.num_levels = int(num_levels)
        self.supports_masking = True
        self.built = True

    def call(self, inputs):
        codes = ops.clip(ops.round(ops.cast(inputs, "float32")), 0, self.num_levels - 1)
        return ops.clip(ops.cast(codes, "int32"), 0, self.num_levels - 1)  # NaN too, whose cast to int32 is undefined

    def inverse(self, levels) -> Any:
        """Gives codes as a WaveNet reads and writes them.

        Args:
            levels: Integers from 0 to `num_levels` - 1, of any shape.

        Returns:
            The same numbers, float32.
        """
        return ops.cast(levels, "float32")

    def on_grid(self, audio) -> Any:
        """Rounds to codes.

        Args:
            audio: Numbers, any shape.

        Returns:
            `inverse(self(audio))`, float32 of the same shape.
        """
        return self.inverse(self(audio))

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> dict:
        return {**super().get_config(), "num_levels": self.num_levels}
