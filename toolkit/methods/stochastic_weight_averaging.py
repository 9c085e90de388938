"""Stochastic weight averaging: the plain mean of the weights along the end of a training."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np


@keras.saving.register_keras_serializable(package="toolkit")
class AveragingAdam(keras.optimizers.Adam):
    """Adam that keeps the mean of the weights after every so many of its steps: w̄ <- (n w̄ + w) / (n + 1).

    `training.Run.fit` takes that mean for the trained weights, as it takes a moving average (`use_ema`): the same
    variables hold it, and are part of a checkpoint. Before the first mean is taken they hold the weights themselves.

    Args:
        learning_rate: Constant, in a cycle of which the weights are averaged.
        every: Steps from one average to the next.
        **kwargs: As of `keras.optimizers.Adam`.

    Example:

    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    >>> optimizer = AveragingAdam(0.1, every=2)
    >>> optimizer.use_ema, optimizer.every
    (True, 2)

    Reference: Izmailov et al. 2018, arXiv 1803.05407, algorithm 1.
    """

    def __init__(self, learning_rate: Any = 5e-4, every: int = 1, **kwargs) -> None:
        if every < 1:
            raise ValueError(f"every={every}: expected 1 step or more.")
        super().__init__(learning_rate, **{**kwargs, "use_ema": True, "ema_momentum": 0.0})
        self.every = every

    def _update_model_variables_moving_average(self, trainable_variables):
        # Called after the step that is the (iterations + 1)-th.
        step = keras.ops.cast(self.iterations + 1, "float32")
        count = keras.ops.floor(step / self.every)
        due = keras.ops.equal(step, count * self.every)
        share = keras.ops.where(count < 1, 1.0, keras.ops.where(due, 1.0 / keras.ops.maximum(count, 1.0), 0.0))
        for variable, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            average.assign(average + keras.ops.cast(share, average.dtype) * (variable - average))

    def get_config(self) -> dict[str, Any]:
        """Gives what makes the same optimizer again."""
        config = {**super().get_config(), "every": self.every}
        for name in ("use_ema", "ema_momentum"):
            config.pop(name, None)
        return config


def renew_normalization(model: keras.Model, batches: Iterable[np.ndarray]) -> int:
    """Measures anew what batch normalization takes for mean and variance, for weights that were never trained with.

    The means over the batches of what each layer sees; layers are measured one after the other in a single pass, each
    on what the batches make of those before it in training mode.

    Args:
        model: Its moving means and variances are changed.
        batches: Images (batch, ...), all as large.

    Returns:
        How many layers were measured; 0 where the model normalizes nothing.

    Reference: Izmailov et al. 2018, section 3.2.
    """
    layers = [each for each in model._flatten_layers() if isinstance(each, keras.layers.BatchNormalization)]
    if not layers:
        return 0
    momenta, frozen = [each.momentum for each in layers], [each for each in model._flatten_layers() if _drops(each)]
    rates = [each.rate for each in frozen]
    try:
        for each in frozen:
            each.rate = 0.0
        for number, images in enumerate(batches):
            for each in layers:  # the mean of all so far
                each.momentum = number / (number + 1)
            model(keras.ops.convert_to_tensor(np.asarray(images, "float32")), training=True)
    finally:
        for each, momentum in zip(layers, momenta, strict=True):
            each.momentum = momentum
        for each, rate in zip(frozen, rates, strict=True):
            each.rate = rate
    return len(layers)


def _drops(layer):
    return isinstance(layer, keras.layers.Dropout)
