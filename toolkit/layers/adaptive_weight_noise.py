"""Weight noise whose strength is learnt for each weight: a diagonal Gaussian posterior."""

import math
from typing import Any

import keras
from keras import ops

from toolkit.layers.weight_noise import WeightNoise


@keras.saving.register_keras_serializable(package="toolkit")
class AdaptiveWeightNoise(WeightNoise):
    """Learns a Gaussian N(w_i, s_i^2) over each trainable weight of a layer, and the description length of it.

    In training a call uses w_i + s_i e_i, e ~ N(0, 1), drawn anew, one draw for all its batch; outside of training the
    means w_i, which are the layer's own weights. To the loss it adds `scale` times the nats that the posterior takes to
    describe, given a Gaussian prior,

    KL = sum_i log(s / s_i) + ((w_i - m)^2 + s_i^2 - s^2) / (2 s^2)

    The prior is one for all weights of the wrapped layer, and fitted to them at every step, in closed form:

    m = mean_i w_i, s^2 = mean_i (s_i^2 + (w_i - m)^2), so that KL = sum_i log(s / s_i)

    Wrap a whole model, and the prior is one for the whole network, as in the paper. With `scale` = 1 / (number of
    training examples) and a loss that is the mean over a batch of an example's nats, the total is the nats an example
    to describe the training set: minimum description length, or the variational bound.

    The derivatives towards s_i come from the draw itself, without the paper's approximation of second derivatives by
    squared first ones; those of KL from automatic differentiation.

    Args:
        layer: The layer or model. One that is called with several tensors, not with a list of them, must be built.
        initial_stddev: s_i at first (Graves: 0.075).
        scale: What the nats of the weights are multiplied with: 1 / (number of training examples).
        seed: Seed of the noise.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: the layer's: (batch, time, features).

    Output shape: the layer's: (batch, time, units).

    Raises:
        ValueError: Where a number is out of range.

    Example:

    >>> layer = AdaptiveWeightNoise(keras.layers.Dense(4), scale=1 / 1000)
    >>> layer(ops.ones((2, 3)), training=True).shape, len(layer.losses), len(layer.trainable_variables)
    (TensorShape([2, 4]), 1, 4)

    Reference: Graves 2011, "Practical variational inference for neural networks", section 4.2; Graves 2013, arXiv
    1308.0850, section 4.2.
    """

    def __init__(
        self, layer, initial_stddev: float = 0.075, scale: float = 1.0, seed: int | None = None, **kwargs
    ) -> None:
        if not initial_stddev > 0:
            raise ValueError(f"initial_stddev must be positive; got {initial_stddev}.")
        super().__init__(layer, stddev=initial_stddev, seed=seed, **kwargs)
        if not scale >= 0:
            raise ValueError(f"scale must be at least 0; got {scale}.")
        self.initial_stddev = initial_stddev
        self.scale = scale

    def build(self, input_shape=None) -> None:
        super().build(input_shape)
        # By position: a layer may be frozen later, and then has fewer trainable variables but the same weights.
        self._noisy = [index for index, weight in enumerate(self.layer.weights) if weight.trainable]
        initializer = keras.initializers.Constant(math.log(self.initial_stddev))
        self.log_stddevs = [
            self.add_weight(name=f"log_stddev_{index}", shape=self.layer.weights[index].shape, initializer=initializer)
            for index in self._noisy
        ]

    def noise_levels(self) -> list:
        """Lists each weight with its s_i; a weight that was frozen later has no noise, and is left out."""
        weights = self.layer.weights
        pairs = zip((weights[index] for index in self._noisy), self.log_stddevs, strict=True)
        return [(weight, ops.exp(log_stddev)) for weight, log_stddev in pairs if weight.trainable]

    def prior(self) -> tuple:
        """Fits the prior to all weights: its mean and standard deviation, two scalars."""
        levels = self.noise_levels()
        size = sum(math.prod(weight.shape) for weight, _ in levels)
        mean = sum(ops.sum(weight) for weight, _ in levels) / size
        squares = sum(ops.sum(ops.square(stddev) + ops.square(weight - mean)) for weight, stddev in levels)
        return mean, ops.sqrt(squares / size)

    def divergence(self) -> Any:
        """Computes KL(posterior || prior), the description length of the weights in nats; a scalar."""
        _, stddev = self.prior()
        return sum(ops.sum(ops.log(stddev / own)) for _, own in self.noise_levels())

    def call(self, inputs, *args, training=None, **kwargs):
        if training:
            self.add_loss(self.scale * self.divergence())
        return super().call(inputs, *args, training=training, **kwargs)

    def get_config(self) -> dict:
        config = super().get_config()
        del config["stddev"]
        return {**config, "initial_stddev": self.initial_stddev, "scale": self.scale}
