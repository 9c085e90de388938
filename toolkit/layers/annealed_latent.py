"""The latent variable of an AnnealedVAE, whose divergence is held at a capacity that grows."""

from typing import Any

import keras
from keras import ops

from toolkit.layers.gaussian_latent import GaussianLatent


@keras.saving.register_keras_serializable(package="toolkit")
class AnnealedLatent(GaussianLatent):
    """Draws as `GaussianLatent` does, and adds gamma |D - C| to the loss, D the batch's mean divergence in nats.

    The capacity C grows from 0 to `capacity` over the first `num_steps` training steps, so that the code learns to say
    more and more: C = capacity min(1, t / num_steps), t the training steps before this one.

    Args:
        units: Length of z.
        gamma: Weight of the distance from the capacity.
        capacity: Nats an example in the end.
        num_steps: Training steps until then.
        seed: Seed of the noise.
        always_draw: As in `GaussianLatent`.
        metrics_name: As in `GaussianLatent`.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, ..., channels).

    Output shape: (batch, ..., units).

    Raises:
        ValueError: Where `units` or `num_steps` is below 1, or another number negative.

    Example:

    >>> layer = AnnealedLatent(10, capacity=25.0, num_steps=100)
    >>> layer(ops.ones((2, 8)), training=True).shape, float(layer.current_capacity())
    (TensorShape([2, 10]), 0.25)

    Reference: Burgess et al. 2018, arXiv 1804.03599, equation 8; Locatello et al. 2019, arXiv 1811.12359, appendix.
    """

    _arguments = ("units", "gamma", "capacity", "num_steps", "seed", "always_draw", "metrics_name")

    def __init__(
        self,
        units: int,
        gamma: float = 1000.0,
        capacity: float = 25.0,
        num_steps: int = 100_000,
        seed: int | None = None,
        always_draw: bool = False,
        metrics_name: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(units, seed=seed, always_draw=always_draw, metrics_name=metrics_name, **kwargs)
        if not (gamma >= 0 and capacity >= 0 and num_steps >= 1):
            raise ValueError(
                f"gamma and capacity must be at least 0 and num_steps at least 1; got {gamma}, {capacity} and "
                f"{num_steps}."
            )
        self.gamma, self.capacity, self.num_steps = gamma, capacity, int(num_steps)

    def build(self, input_shape):
        how = {"trainable": False, "dtype": "int32", "autocast": False, "aggregation": "only_first_replica"}
        self.step = self.add_weight(name="step", shape=(), initializer="zeros", **how)
        super().build(input_shape)

    def current_capacity(self) -> Any:
        """Returns C of the next training step, a float32 scalar, in nats."""
        return self.capacity * ops.minimum(ops.cast(self.step, "float32") / self.num_steps, 1.0)

    def penalty(self, draw: Any, mean: Any, log_variance: Any, training: bool | None = None) -> Any:
        """Computes gamma |D - C|, and counts the step.

        Args:
            draw: Is not looked at.
            mean: m, float32 (batch, ..., units).
            log_variance: log s².
            training: Whether this is a training step.

        Returns:
            A float32 scalar.
        """
        paid = self.gamma * ops.abs(ops.mean(self._nats(mean, log_variance)) - self.current_capacity())
        if training and self.trainable:
            self.step.assign(self.step + 1)
        return paid
