"""Averages of the weights that an optimizer keeps: they are validated and kept as the best, the weights train on."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from toolkit.training.checkpoints import assign


class AveragedWeights:
    """Has weights give way to their exponential moving averages for a while.

    Keras validates the weights themselves, and overwrites them at the end of each `model.fit`: a training that went on
    in the middle of an epoch, by a fit of its own, would not be the undisturbed one. From here on it does not.

    Args:
        optimizers: Optimizers that are built. Those with `use_ema`, also inside a `LossScaleOptimizer`, average the
            weights that they train.

    Example:

    >>> import keras
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> model.set_weights([np.zeros((1, 1))])
    >>> model.compile(keras.optimizers.SGD(0.25, use_ema=True, ema_momentum=0.5), loss="mse")
    >>> model.optimizer.build(model.trainable_variables)
    >>> averaged = AveragedWeights([model.optimizer])
    >>> _ = model.fit(np.ones((2, 1)), np.ones((2, 1)), batch_size=1, verbose=0)  # the weight is 1/2, then 3/4
    >>> averaged.show()
    >>> model.get_weights()[0].item()
    0.625
    >>> averaged.hide()
    >>> model.get_weights()[0].item()
    0.75
    """

    def __init__(self, optimizers: Iterable[Any] = ()) -> None:
        inner = [getattr(each, "inner_optimizer", each) for each in optimizers]
        self._optimizers = [each for each in inner if each.use_ema]
        self._weights = []  # the weights that have given way, and their values
        for optimizer in self._optimizers:
            optimizer.finalize_variable_values = lambda variables: None  # what `model.fit` calls in the end

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self._optimizers)

    def show(self) -> None:
        """Puts the averages in the weights' places."""
        if self._weights:
            return
        # Not the model's: an optimizer may have been built with some of them, and averages go by its own order.
        weights = [weight for each in self._optimizers for weight in each._trainable_variables]
        self._weights = [(weight, np.array(weight)) for weight in weights]
        for optimizer in self._optimizers:
            if np.asarray(optimizer.iterations):  # before its first step the averages are zeros
                type(optimizer).finalize_variable_values(optimizer, optimizer._trainable_variables)

    def hide(self) -> None:
        """Puts the weights back."""
        for weight, value in self._weights:
            assign(weight, value)
        self._weights = []
