"""The latent variable of a DIP-VAE, whose numbers are pressed to have the covariance of the prior."""

from typing import Any

import keras
from keras import ops

from toolkit.layers.gaussian_latent import GaussianLatent

KINDS = ("i", "ii")


@keras.saving.register_keras_serializable(package="toolkit")
class DIPLatent(GaussianLatent):
    """Draws as `GaussianLatent` does, and adds D + a sum_{i != j} C_ij² + b sum_i (C_ii - 1)² to the loss.

    D is the batch's mean divergence in nats. C is the covariance over the batch, of the posteriors' means (kind "i"),
    or of draws from the posteriors ("ii"): Cov(m) + diag(mean s²). DIP stands for disentangled inferred prior.

    Args:
        units: Length of z.
        kind: "i" or "ii".
        off_diagonal_weight: a.
        diagonal_weight: b; None: ten times a of kind "i", a of kind "ii", as the study of disentanglement has it.
        seed: Seed of the noise.
        always_draw: As in `GaussianLatent`.
        metrics_name: As in `GaussianLatent`.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, channels).

    Output shape: (batch, units).

    Raises:
        ValueError: Where `units` is below 1, the kind unknown or a weight negative.

    Example:

    >>> layer = DIPLatent(10, kind="ii", off_diagonal_weight=5.0)
    >>> layer(ops.ones((2, 8)), training=True).shape, len(layer.losses)
    (TensorShape([2, 10]), 1)

    Reference: Kumar et al. 2018, arXiv 1711.00848, equations 6 and 7; Locatello et al. 2019, arXiv 1811.12359.
    """

    _arguments = ("units", "kind", "off_diagonal_weight", "diagonal_weight", "seed", "always_draw", "metrics_name")

    def __init__(
        self,
        units: int,
        kind: str = "i",
        off_diagonal_weight: float = 10.0,
        diagonal_weight: float | None = None,
        seed: int | None = None,
        always_draw: bool = False,
        metrics_name: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(units, seed=seed, always_draw=always_draw, metrics_name=metrics_name, **kwargs)
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")
        if diagonal_weight is None:
            diagonal_weight = off_diagonal_weight * (10.0 if kind == "i" else 1.0)
        if not (off_diagonal_weight >= 0 and diagonal_weight >= 0):
            raise ValueError(f"the weights must be at least 0; got {off_diagonal_weight} and {diagonal_weight}.")
        self.kind, self.off_diagonal_weight, self.diagonal_weight = kind, off_diagonal_weight, diagonal_weight

    def penalty(self, draw: Any, mean: Any, log_variance: Any, training: bool | None = None) -> Any:
        """Computes D and what the covariance differs from the prior's by.

        Args:
            draw: Is not looked at.
            mean: m, float32 (batch, units).
            log_variance: log s².
            training: Is not looked at.

        Returns:
            A float32 scalar.
        """
        centred = mean - ops.mean(mean, axis=0, keepdims=True)
        covariance = ops.mean(centred[:, :, None] * centred[:, None, :], axis=0)
        own = ops.eye(self.units)
        if self.kind == "ii":
            covariance = covariance + own * ops.mean(ops.exp(log_variance), axis=0)
        apart = ops.sum(ops.square(covariance * (1.0 - own)))
        scales = ops.sum(ops.square((covariance - 1.0) * own))
        paid = self.off_diagonal_weight * apart + self.diagonal_weight * scales
        return ops.mean(self._nats(mean, log_variance)) + paid
