"""How far a density's mean is from the data."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class SquaredDistance(keras.metrics.Metric):
    """Mean over points of |y_true - E[y]|^2, the on/off channel left out.

    Args:
        distribution: Any of `toolkit.distributions` with `mean(params)` and `event_size`.
        scale: Optional size of one unit along each of the `event_size` dimensions, such as the standard deviations
            that the data was divided by, to have the distance in real units.
        name: The metric's name.

    Call arguments:
        y_true: Events, (batch, time, channels).
        y_pred: Raw parameters, (batch, time, num_params).
        sample_weight: (batch, time), 0 at the padding; give it with `compile(weighted_metrics=...)`.

    Example:

    >>> from toolkit.distributions import GaussianMixture
    >>> metric = SquaredDistance(GaussianMixture(num_mixtures=1, event_size=2))
    >>> metric.update_state(ops.ones((1, 10, 2)), ops.zeros((1, 10, 5)))
    >>> float(metric.result())
    2.0

    Reference: Graves 2013, arXiv 1308.0850, table 3 ("SSE").
    """

    def __init__(self, distribution, scale=None, name: str = "squared_error_per_point") -> None:
        super().__init__(name=name, dtype="float32")
        self.distribution = distribution
        self.scale = None if scale is None else np.asarray(scale, "float32")
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        size = self.distribution.event_size
        error = ops.cast(y_true, "float32")[..., :size] - self.distribution.mean(y_pred)[..., :size]
        if self.scale is not None:
            error = error * self.scale
        squared = ops.sum(ops.square(error), axis=-1)
        weight = ops.ones_like(squared) if sample_weight is None else ops.cast(sample_weight, "float32")
        self.total.assign_add(ops.sum(squared * weight))
        self.count.assign_add(ops.sum(weight))

    def result(self):
        return self.total / ops.maximum(self.count, 1.0)

    def get_config(self) -> dict:
        return {
            "distribution": keras.saving.serialize_keras_object(self.distribution),
            "scale": None if self.scale is None else self.scale.tolist(),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict) -> "SquaredDistance":
        distribution = keras.saving.deserialize_keras_object(config["distribution"])
        return cls(**{**config, "distribution": distribution})
