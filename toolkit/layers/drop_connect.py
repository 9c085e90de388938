"""Dropout of the weights by which a recurrent layer sees its own past."""

import keras

from toolkit.layers.perturbed_weights import PerturbedWeights


@keras.saving.register_keras_serializable(package="toolkit")
class DropConnect(PerturbedWeights):
    """Calls a recurrent layer, in training, without a random share of its recurrent weights.

    A call has recurrent_kernel * m / (1 - rate) in the place of each recurrent kernel, each m of 0 or 1, 0 with
    probability `rate`: one draw for all its batch and all its steps, so that what a cell remembers is not disturbed
    from step to step, and a fused or unrolled recurrence stays as it is. Outside of training the whole weights are
    used. Other weights stay as they are.

    Args:
        layer: The layer, or a model that has recurrent layers; as in `WeightNoise` it is reached as before. One that
            is called with several tensors must be built.
        rate: Share of the recurrent weights that a call does without (AWD-LSTM: 0.5).
        seed: Seed of the masks.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: the layer's: (batch, time, features).

    Output shape: the layer's: (batch, time, units).

    Raises:
        ValueError: Where the rate is out of range, or, at the first call in training, the layer has no recurrent
            weights.

    Example:

    >>> layer = DropConnect(keras.layers.LSTM(16, return_sequences=True), rate=0.5)
    >>> layer(keras.ops.ones((2, 5, 3)), training=True).shape
    TensorShape([2, 5, 16])

    Reference: Wan et al. 2013, "Regularization of neural networks using DropConnect"; Merity, Keskar and Socher 2018,
    arXiv 1708.02182, section 2 (of recurrent weights).
    """

    def __init__(self, layer, rate: float = 0.5, seed: int | None = None, **kwargs) -> None:
        super().__init__(layer, seed, **kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"rate must be at least 0 and less than 1; got {rate}.")
        self.rate = rate

    def perturbed(self) -> list:
        """Draws what a call in training has in the place of each recurrent kernel that is trained."""
        found = [variable for variable in self.layer.weights if variable.name == "recurrent_kernel"]
        if not found:
            raise ValueError(f"{self.name}: expected a recurrent layer; {self.layer.name!r} has no recurrent_kernel.")
        dropped = (variable for variable in found if variable.trainable)
        return [
            (variable, keras.random.dropout(variable.value, self.rate, seed=self.seed_generator))
            for variable in dropped
        ]

    def get_config(self) -> dict:
        return {**super().get_config(), "rate": self.rate}
