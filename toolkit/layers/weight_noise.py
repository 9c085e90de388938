"""Gaussian noise on the weights of any layer while it trains."""

import itertools
import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class WeightNoise(keras.layers.Wrapper):
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
        # Nothing is cast on the way in, and weights are read as they are stored: precision is the wrapped layer's.
        kwargs.setdefault("dtype", "float32")
        super().__init__(layer, autocast=False, **kwargs)
        if not stddev >= 0:
            raise ValueError(f"stddev must be at least 0; got {stddev}.")
        self.stddev = stddev
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = layer.supports_masking

    def noise_levels(self) -> list:
        """Lists each variable that gets noise with the noise's standard deviation."""
        return [(variable, self.stddev) for variable in self.layer.trainable_variables]

    def call(self, inputs, *args, training=None, **kwargs):
        if not training:
            return self.layer(inputs, *args, **kwargs)
        levels = self.noise_levels()
        sizes = [math.prod(variable.shape) for variable, _ in levels]
        draw = keras.random.normal((sum(sizes),), dtype="float32", seed=self.seed_generator)
        noisy = []
        for (variable, stddev), size, end in zip(levels, sizes, itertools.accumulate(sizes), strict=True):
            noise = stddev * ops.reshape(draw[end - size : end], variable.shape)
            noisy.append((variable, variable + ops.cast(noise, variable.dtype)))
        outputs, losses = _call_with(self.layer, noisy, inputs, *args, **kwargs)
        for loss in losses:
            self.add_loss(loss)
        return outputs

    def compute_mask(self, inputs, mask=None):
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, *args, **kwargs):
        return self.layer.compute_output_shape(*args, **kwargs)

    def compute_output_spec(self, inputs, *args, training=None, **kwargs):
        return self.layer.compute_output_spec(inputs, *args, **kwargs)

    def get_config(self) -> dict:
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> "WeightNoise":
        return super().from_config(dict(config), custom_objects)  # Keras' takes the layer out of what it is given


def _call_with(layer, values, *args, **kwargs):
    """Calls a layer with other values of some variables; returns its outputs and the losses it added.

    Derivatives pass through the values. What the call changes (a seed, a moving mean) is changed for good.
    """
    # The other variables are given as they are: this scope hides the values of one that may be around it.
    values = [*((variable, variable.value) for variable in layer.variables), *values]
    others = layer.non_trainable_variables
    with keras.StatelessScope(values, collect_losses=True) as scope:
        before = [scope.get_current_value(variable) for variable in others]
        outputs = layer(*args, **kwargs)
        after = [scope.get_current_value(variable) for variable in others]
    for variable, old, new in zip(others, before, after, strict=True):
        if new is not old:
            variable.assign(new)
    return outputs, scope.losses
