"""How probable the data is under a model that emits a density."""

import math

import keras
from keras import ops

_NATS = {"nats": 1.0, "bits": math.log(2.0)}  # in a unit


@keras.saving.register_keras_serializable(package="toolkit")
class LogLoss(keras.metrics.Metric):
    """Mean of -log p(y_true), in nats or bits, a point or a sequence.

    It can be negative, as densities have no upper bound.

    Args:
        distribution: Any of `toolkit.distributions`: an object with `log_prob(params, value)`.
        per: "point": the sum over all points divided by their number; "sequence": by the number of sequences.
        name: The metric's name.
        unit: "nats", or "bits": nats / log 2.

    Call arguments:
        y_true: Events, (batch, time, channels).
        y_pred: Raw parameters, (batch, time, num_params).
        sample_weight: (batch, time), 0 at the padding; give it with `compile(weighted_metrics=...)`.

    Raises:
        ValueError: Where `per` or `unit` is none of these.

    Example:

    >>> from toolkit.distributions import GaussianMixture
    >>> metric = LogLoss(GaussianMixture(num_mixtures=1, event_size=2), per="sequence")
    >>> metric.update_state(ops.zeros((1, 10, 2)), ops.zeros((1, 10, 5)))
    >>> round(float(metric.result()), 3)  # 10 log(2 pi)
    18.379

    Reference: Graves 2013, arXiv 1308.0850, table 3.
    """

    def __init__(self, distribution, per: str = "point", name: str | None = None, unit: str = "nats") -> None:
        super().__init__(name=name or f"log_loss_{unit}_per_{per}", dtype="float32")
        if per not in ("point", "sequence"):
            raise ValueError(f"per must be 'point' or 'sequence'; got {per!r}.")
        if unit not in _NATS:
            raise ValueError(f"unit must be 'nats' or 'bits'; got {unit!r}.")
        self.unit = unit
        self.distribution = distribution
        self.per = per
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        nats = -self.distribution.log_prob(y_pred, y_true)
        weight = ops.ones_like(nats) if sample_weight is None else ops.cast(sample_weight, "float32")
        self.total.assign_add(ops.sum(nats * weight) / _NATS[self.unit])
        counted = weight if self.per == "point" else ops.max(weight, axis=-1)
        self.count.assign_add(ops.sum(counted))

    def result(self):
        return self.total / ops.maximum(self.count, 1.0)

    def get_config(self) -> dict:
        distribution = keras.saving.serialize_keras_object(self.distribution)
        return {"distribution": distribution, "per": self.per, "name": self.name, "unit": self.unit}

    @classmethod
    def from_config(cls, config: dict) -> "LogLoss":
        distribution = keras.saving.deserialize_keras_object(config["distribution"])
        return cls(**{**config, "distribution": distribution})
