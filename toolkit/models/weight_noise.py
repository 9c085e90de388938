"""Any network as it is trained on noisy weights, or without some of them."""

import keras

from toolkit.layers.adaptive_weight_noise import AdaptiveWeightNoise
from toolkit.layers.drop_connect import DropConnect
from toolkit.layers.weight_noise import WeightNoise


def noisy(
    model: keras.Model,
    *,
    weight_noise: float = 0.0,
    adaptive: bool = False,
    scale: float = 1.0,
    drop_connect: float = 0.0,
) -> keras.Model:
    """Wraps a network in noise on its weights, which it has in training alone.

    Args:
        model: The functional network; what is trained has its very weights, so it is evaluated and exported without
            the noise.
        weight_noise: The noise's standard deviation; 0: none.
        adaptive: Whether each weight's noise is learnt, and the weights' description length is added to the loss.
        scale: Where it is adaptive, the description length's factor: 1 / (number of training examples).
        drop_connect: Share of the recurrent weights that each call does without; 0: none.

    Returns:
        A model of the same inputs and outputs; `model` itself where no noise is asked for.

    Raises:
        ValueError: Where both kinds of noise are asked for.

    Example:

    >>> inputs = keras.Input((2,))
    >>> network = keras.Model(inputs, keras.layers.Dense(1)(inputs))
    >>> noisy(network) is network, len(noisy(network, adaptive=True).trainable_weights)
    (True, 4)

    Reference: Graves 2013, arXiv 1308.0850, sections 3.1 and 4.2; Graves 2011, "Practical variational inference for
    neural networks"; Merity, Keskar and Socher 2018, arXiv 1708.02182, section 2 (recurrent weights).
    """
    if weight_noise and adaptive:
        raise ValueError(f"weight_noise={weight_noise} and adaptive=True exclude each other.")
    if drop_connect:
        model = keras.Model(model.input, DropConnect(model, drop_connect)(model.input))
    if weight_noise:
        return keras.Model(model.input, WeightNoise(model, weight_noise)(model.input))
    if adaptive:
        return keras.Model(model.input, AdaptiveWeightNoise(model, scale=scale)(model.input))
    return model
