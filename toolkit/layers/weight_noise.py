"""Gaussian noise on the weights of any layer while it trains."""

import itertools
import math

import keras
from keras import ops

from toolkit.layers.perturbed_weights import PerturbedWeights


@keras.saving.register_keras_serializable(package="toolkit")
class WeightNoise(PerturbedWeights):
    """Calls a layer, in training, with weight + stddev * e in the place of each trainable weight, e ~ N(0, 1).

    A call draws its noise anew, one draw for all its batch: for noise at each sequence, as Graves has it, the batch is
    one sequence. The gradient at the noisy weights goes to the clean ones; outside of training they alone are used. The
    wrapped layer may be a whole model, with weights, layers and outputs that are reached as before, free of noise:

        noisy = keras.Model(model.input, WeightNoise(model)(model.input))
        noisy.compile(...), noisy.fit(...), model.predict(...)

    Args:
        layer: The layer or model. One that is called with several tensors, not with a list of them, must be built.
        stddev: The noise's standard deviation (Graves: 0.075).
        seed: Seed of the noise.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: the layer's: (batch, time, features).

    Output shape: the layer's: (batch, time, units).

    Raises:
        ValueError: Where the standard deviation is negative.

    Example:

    >>> layer = WeightNoise(keras.layers.LSTM(16, return_sequences=True), stddev=0.075)
    >>> layer(ops.ones((2, 5, 3)), training=True).shape
    TensorShape([2, 5, 16])

    Reference: Jim, Giles and Horne 1996, "An analysis of noise in recurrent neural networks"; Graves 2013, arXiv
    1308.0850, sections 3.1 and 4.2.
    """

    def __init__(self, layer, stddev: float = 0.075, seed: int | None = None, **kwargs) -> None:
        super().__init__(layer, seed, **kwargs)
        if not stddev >= 0:
            raise ValueError(f"stddev must be at least 0; got {stddev}.")
        self.stddev = stddev

    def noise_levels(self) -> list:
        """Lists each variable that gets noise with the noise's standard deviation."""
        return [(variable, self.stddev) for variable in self.layer.trainable_variables]

    def perturbed(self) -> list:
        """Draws what a call in training has in the place of each trainable weight."""
        levels = self.noise_levels()
        sizes = [math.prod(variable.shape) for variable, _ in levels]
        draw = keras.random.normal((sum(sizes),), dtype="float32", seed=self.seed_generator)
        noisy = []
        for (variable, stddev), size, end in zip(levels, sizes, itertools.accumulate(sizes), strict=True):
            noise = stddev * ops.reshape(draw[end - size : end], variable.shape)
            noisy.append((variable, variable + ops.cast(noise, variable.dtype)))
        return noisy

    def get_config(self) -> dict:
        return {**super().get_config(), "stddev": self.stddev}
