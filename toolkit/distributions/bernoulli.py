"""Bernoulli distributions of independent numbers from 0 to 1, such as the pixels of black and white images."""

from typing import Any

import keras
from keras import ops

from toolkit.distributions.events import check_event_ndims, summed


@keras.saving.register_keras_serializable(package="toolkit")
class Bernoulli:
    """The distributions of zeros and ones whose raw parameter is, for each number, a logit a: p(1) = sigmoid(a).

    log p(x) = sum_i [x_i a_i - softplus(a_i)], the sum over the last `event_ndims` axes. Of a shade between 0 and 1
    this is the cross entropy, as much of the literature uses it: no density, and not comparable with one.

    Args:
        event_ndims: Axes of a value that are one event: 3 of an image (height, width, channels), 0 where each number is
            an event.

    Raises:
        ValueError: Where `event_ndims` is negative.

    Example:

    >>> round(float(Bernoulli().log_prob(ops.zeros((1, 1)), ops.ones((1,)))[0]), 4)  # log 1/2
    -0.6931

    Reference: Kingma and Welling 2014, arXiv 1312.6114, appendix C.1.
    """

    num_params = 1

    def __init__(self, event_ndims: int = 0) -> None:
        check_event_ndims(event_ndims)
        self.event_ndims = int(event_ndims)

    def mean(self, params: Any) -> Any:
        """Computes the probability of a one.

        Args:
            params: Logits (..., 1).

        Returns:
            float32 (...).
        """
        return ops.sigmoid(ops.cast(params, "float32")[..., 0])

    def log_prob(self, params: Any, value: Any) -> Any:
        """Computes log p(value), in nats.

        Args:
            params: Logits (..., *event, 1).
            value: (..., *event), 0 to 1.

        Returns:
            float32 (...).
        """
        logits = ops.cast(params, "float32")[..., 0]
        return summed(ops.cast(value, "float32") * logits - ops.softplus(logits), self.event_ndims)

    def sample(self, params: Any, noise: Any = None, seed: Any = None) -> Any:
        """Draws zeros and ones.

        Args:
            params: Logits (..., *event, 1).
            noise: Optional (..., *event), uniform in [0, 1).
            seed: An int or `keras.random.SeedGenerator`, used where `noise` is not given.

        Returns:
            float32 (..., *event).
        """
        mean = self.mean(params)
        noise = keras.random.uniform(ops.shape(mean), dtype="float32", seed=seed) if noise is None else noise
        return ops.cast(noise < mean, "float32")

    def get_config(self) -> dict:
        """Gives what makes the same family again."""
        return {"event_ndims": self.event_ndims}

    @classmethod
    def from_config(cls, config: dict) -> "Bernoulli":
        """Makes the family that a config describes.

        Args:
            config: What `get_config` gave.
        """
        return cls(**config)
