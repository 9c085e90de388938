"""Gaussians of independent numbers, each with a mean and a scale of its own, such as the channels of pixels."""

import math
from typing import Any

import keras
from keras import ops

from toolkit.distributions.events import check_event_ndims, summed


@keras.saving.register_keras_serializable(package="toolkit")
class DiagonalGaussian:
    """The Gaussians whose raw parameters are, for each number, its mean and the log of its scale.

    log p(x) = -sum_i [(x_i - m_i)² / 2 s_i² + log s_i + log(2 pi) / 2], the sum over the last `event_ndims` axes.

    The log of the scale is bounded from below, softly, so that a decoder which hits a number exactly does not drive its
    density without end: log s = b + softplus(r - b), r being the raw parameter and b `min_log_scale`. All is computed
    in float32.

    Args:
        event_ndims: Axes of a value that are one event: 3 of an image (height, width, channels), 0 where each number is
            an event.
        min_log_scale: b; None: s = exp(r).

    Raises:
        ValueError: Where `event_ndims` is negative or `min_log_scale` no finite number.

    Example:

    >>> family = DiagonalGaussian(event_ndims=1, min_log_scale=None)
    >>> round(float(family.log_prob(ops.zeros((1, 2, 2)), ops.zeros((1, 2)))[0]), 4)  # -log(2 pi)
    -1.8379

    Reference: Rybkin et al. 2020, arXiv 2006.13202, section 3 and appendix; Kingma and Welling 2014, arXiv 1312.6114.
    """

    num_params = 2

    def __init__(self, event_ndims: int = 0, min_log_scale: float | None = -6.0) -> None:
        check_event_ndims(event_ndims)
        if min_log_scale is not None and not math.isfinite(min_log_scale):
            raise ValueError(f"min_log_scale must be a finite number or None; got {min_log_scale}.")
        self.event_ndims = int(event_ndims)
        self.min_log_scale = min_log_scale

    def mean(self, params: Any) -> Any:
        """Takes the means.

        Args:
            params: Raw parameters (..., 2).

        Returns:
            float32 (...).
        """
        return ops.cast(params, "float32")[..., 0]

    def scale(self, params: Any) -> Any:
        """Computes the standard deviations.

        Args:
            params: Raw parameters (..., 2).

        Returns:
            float32 (...), more than 0.
        """
        return ops.exp(self._log_scale(params))

    def _log_scale(self, params):
        raw, least = ops.cast(params, "float32")[..., 1], self.min_log_scale
        return raw if least is None else least + ops.softplus(raw - least)

    def log_prob(self, params: Any, value: Any) -> Any:
        """Computes log p(value), in nats.

        Args:
            params: Raw parameters, (..., *event, 2).
            value: (..., *event).

        Returns:
            float32 (...).
        """
        log_scale = self._log_scale(params)
        distance = (ops.cast(value, "float32") - self.mean(params)) * ops.exp(-log_scale)
        return summed(-0.5 * ops.square(distance) - log_scale - 0.5 * math.log(2 * math.pi), self.event_ndims)

    def sample(self, params: Any, temperature: Any = 1.0, noise: Any = None, seed: Any = None) -> Any:
        """Draws one value for each event.

        Args:
            params: Raw parameters (..., *event, 2).
            temperature: The scales are multiplied by it; 0 draws the mean.
            noise: Optional (..., *event), of N(0, 1).
            seed: An int or `keras.random.SeedGenerator`, used where `noise` is not given.

        Returns:
            float32 (..., *event).
        """
        mean, scale = self.mean(params), self.scale(params)
        noise = keras.random.normal(ops.shape(mean), dtype="float32", seed=seed) if noise is None else noise
        return mean + temperature * scale * noise

    def get_config(self) -> dict:
        """Gives what makes the same family again."""
        return {"event_ndims": self.event_ndims, "min_log_scale": self.min_log_scale}

    @classmethod
    def from_config(cls, config: dict) -> "DiagonalGaussian":
        """Makes the family that a config describes.

        Args:
            config: What `get_config` gave.
        """
        return cls(**config)
