"""Companding: few levels for sound, close together where it is quiet."""

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class MuLaw(keras.layers.Layer):
    """Rounds samples to levels; `inverse` leads back.

    f(x) = sign(x) log(1 + mu |x|) / log(1 + mu), level = floor((f(x) + 1) / 2 (num_levels - 1) + 1/2); x beyond [-1, 1]
    is clipped. `inverse` is exact on the grid: `layer(layer.inverse(level)) == level` for every level. With an even
    number of levels silence lies between two of them, and is the upper one.

    It works in float32 under every dtype policy: half precision is too coarse for the borders of levels.

    Args:
        num_levels: Number of levels, at most 65,536.
        mu: How unequal the levels are; None: `num_levels` - 1, as in telephony with 256; 0: all alike, f(x) = x.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: any, samples in [-1, 1].

    Output shape: the input's, int32, from 0 to `num_levels` - 1.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> layer = MuLaw()
    >>> ops.convert_to_numpy(layer(ops.convert_to_tensor([-1.0, -0.01, 0.0, 0.01, 1.0])))
    array([  0,  98, 128, 157, 255], dtype=int32)

    Reference: ITU-T G.711; van den Oord et al. 2016, arXiv 1609.03499, section 2.2.
    """

    def __init__(self, num_levels: int = 256, mu: float | None = None, **kwargs) -> None:
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)
        if not 2 <= num_levels <= 65_536:
            raise ValueError(f"num_levels must be between 2 and 65,536; got {num_levels}.")
        if mu is not None and not 0 <= mu <= 65_535:
            raise ValueError(f"mu must be between 0 and 65,535; got {mu}.")
        self.num_levels = int(num_levels)
        self.mu = mu
        self.supports_masking = True
        self.built = True

    def on_grid(self, audio) -> Any:
        """Rounds samples to where their levels lie.

        At the border between two levels a sample's last bit decides, and two runtimes may differ in it; samples on the
        grid are far from every border.

        Args:
            audio: Samples, any shape.

        Returns:
            `inverse(self(audio))`, float32 of the same shape.
        """
        return self.inverse(self(audio))

    @property
    def silence(self) -> int:
        """The level of a sample of 0."""
        return self.num_levels // 2

    @property
    def _mu(self):
        return self.num_levels - 1.0 if self.mu is None else float(self.mu)

    def call(self, inputs):
        x = ops.clip(ops.cast(inputs, "float32"), -1.0, 1.0)
        if self._mu:
            x = ops.sign(x) * ops.log(1.0 + self._mu * ops.abs(x)) / math.log(1.0 + self._mu)
        levels = ops.cast(ops.floor((x + 1.0) * ((self.num_levels - 1) / 2) + 0.5), "int32")
        return ops.clip(levels, 0, self.num_levels - 1)  # NaN too, whose cast to int32 is undefined

    def inverse(self, levels) -> Any:
        """Converts levels to samples.

        Args:
            levels: Integers from 0 to `num_levels` - 1, of any shape.

        Returns:
            float32 in [-1, 1], of the same shape.
        """
        x = self.companded(levels)
        if self._mu:
            x = ops.sign(x) * (ops.exp(ops.abs(x) * math.log(1.0 + self._mu)) - 1.0) / self._mu
        return ops.clip(x, -1.0, 1.0)

    def companded(self, levels) -> Any:
        """Computes f(x) of levels: their places in [-1, 1], equally spaced.

        Args:
            levels: Integers from 0 to `num_levels` - 1, of any shape.

        Returns:
            float32 in [-1, 1], of the same shape.
        """
        return ops.cast(levels, "float32") * (2.0 / (self.num_levels - 1)) - 1.0

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def compute_output_spec(self, inputs) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype="int32")

    def get_config(self) -> dict:
        return {**super().get_config(), "num_levels": self.num_levels, "mu": self.mu}
