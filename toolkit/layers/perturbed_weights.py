"""A layer that is called, in training, with other values in the place of some of its weights."""

import keras


class PerturbedWeights(keras.layers.Wrapper):
    """Calls a layer, in training, with the values of `perturbed` in the place of weights; else with its own.

    The gradient at these values goes on to the weights that they are made of. The wrapped layer may be a whole model,
    with weights, layers and outputs that are reached as before:

        perturbed = keras.Model(model.input, WeightNoise(model)(model.input))
        perturbed.compile(...), perturbed.fit(...), model.predict(...)

    Args:
        layer: The layer or model. One that is called with several tensors, not with a list of them, must be built.
        seed: Seed of what is drawn.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: the layer's.

    Output shape: the layer's.

    Reference: Graves 2013, arXiv 1308.0850, section 3.1; Merity et al. 2018, arXiv 1708.02182, section 2.
    """

    def __init__(self, layer, seed: int | None = None, **kwargs) -> None:
        # Nothing is cast on the way in, and weights are read as they are stored: precision is the wrapped layer's.
        kwargs.setdefault("dtype", "float32")
        super().__init__(layer, autocast=False, **kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = layer.supports_masking

    def perturbed(self) -> list:
        """Lists (variable, value) of the weights that have another value in this call."""
        raise NotImplementedError(f"{type(self).__name__}: expected a method perturbed.")

    def call(self, inputs, *args, training=None, **kwargs):
        if not training:
            return self.layer(inputs, *args, **kwargs)
        outputs, losses = _call_with(self.layer, self.perturbed(), inputs, *args, **kwargs)
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
        return {**super().get_config(), "seed": self.seed}

    @classmethod
    def from_config(cls, config: dict, custom_objects=None) -> "PerturbedWeights":
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
