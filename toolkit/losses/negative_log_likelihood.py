"""The loss of every model that ends in a density."""

import keras


@keras.saving.register_keras_serializable(package="toolkit")
class NegativeLogLikelihood(keras.losses.Loss):
    """-log p(y_true), in nats, where the model's output holds the parameters of p.

    Args:
        distribution: Any of `toolkit.distributions`: an object with `log_prob(params, value)`.
        reduction: As in `keras.losses.Loss`. "mean_with_sample_weight" gives nats a point where the sample weights mask
            the padding; "sum" with `compile(loss_weights=1 / batch_size)` gives nats a sequence, as Graves prints it.
        name: The loss's name.

    Call arguments:
        y_true: Events, (batch, time, channels).
        y_pred: Raw parameters, (batch, time, num_params).

    Example:

    >>> from toolkit.distributions import GaussianMixture
    >>> loss = NegativeLogLikelihood(GaussianMixture(num_mixtures=1, event_size=2))
    >>> round(float(loss(keras.ops.zeros((1, 1, 2)), keras.ops.zeros((1, 1, 5)))), 4)  # log(2 pi)
    1.8379
    """

    def __init__(
        self, distribution, reduction: str = "mean_with_sample_weight", name: str = "negative_log_likelihood"
    ) -> None:
        # float32 whatever the policy: a log-density in half precision is off by whole nats.
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.distribution = distribution

    def call(self, y_true, y_pred):
        return -self.distribution.log_prob(y_pred, y_true)

    def get_config(self) -> dict:
        return {
            "distribution": keras.saving.serialize_keras_object(self.distribution),
            "reduction": self.reduction,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict) -> "NegativeLogLikelihood":
        distribution = keras.saving.deserialize_keras_object(config["distribution"])
        return cls(**{**config, "distribution": distribution})
