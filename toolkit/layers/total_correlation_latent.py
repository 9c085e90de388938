"""The latent variable of a β-TCVAE, whose numbers are pressed to be independent of one another."""

import math
from typing import Any

import keras
from keras import ops

from toolkit.layers.gaussian_latent import GaussianLatent


def total_correlation(draw: Any, mean: Any, log_variance: Any) -> Any:
    """Estimates KL(q(z) || prod_l q(z_l)) from a batch, but for a constant.

    TC = mean_j [log sum_i q(z_j | x_i) - sum_l log sum_i q(z_jl | x_i)], over the batch's examples i: the constants of
    minibatch-weighted sampling, log of the batch's and the data's size, are left out.

    Args:
        draw: z, (batch, units), drawn from each example's posterior.
        mean: m, (batch, units).
        log_variance: log s².

    Returns:
        A float32 scalar, in nats.

    Example:

    >>> one = ops.zeros((1, 3))
    >>> float(total_correlation(one, one, one))
    0.0

    Reference: Chen et al. 2018, arXiv 1802.04942, section 3 and appendix C.
    """
    draw, mean, log_variance = (ops.cast(each, "float32") for each in (draw, mean, log_variance))
    distance = ops.square(draw[:, None] - mean[None]) * ops.exp(-log_variance)[None]
    log_density = -0.5 * (distance + log_variance[None] + math.log(2 * math.pi))  # (drawn, examples, units)
    joint = ops.logsumexp(ops.sum(log_density, axis=2), axis=1)
    return ops.mean(joint - ops.sum(ops.logsumexp(log_density, axis=1), axis=1))


@keras.saving.register_keras_serializable(package="toolkit")
class TotalCorrelationLatent(GaussianLatent):
    """Draws as `GaussianLatent` does, and adds D + (beta - 1) TC to the loss.

    D is the batch's mean divergence in nats and TC the `total_correlation` of its draws.

    Args:
        units: Length of z.
        beta: Weight of the total correlation; 1 is the plain VAE.
        seed: Seed of the noise.
        always_draw: As in `GaussianLatent`.
        metrics_name: As in `GaussianLatent`.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, channels).

    Output shape: (batch, units).

    Raises:
        ValueError: Where `units` is below 1 or beta negative.

    Example:

    >>> layer = TotalCorrelationLatent(10, beta=6.0)
    >>> layer(ops.ones((2, 8)), training=True).shape, len(layer.losses)
    (TensorShape([2, 10]), 1)

    Reference: Chen et al. 2018, arXiv 1802.04942, equation 4; Locatello et al. 2019, arXiv 1811.12359, appendix.
    """

    _arguments = ("units", "beta", "seed", "always_draw", "metrics_name")

    def __init__(
        self,
        units: int,
        beta: float = 6.0,
        seed: int | None = None,
        always_draw: bool = False,
        metrics_name: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(units, seed=seed, always_draw=always_draw, metrics_name=metrics_name, **kwargs)
        if not beta >= 0:
            raise ValueError(f"beta must be at least 0; got {beta}.")
        self.beta = beta

    def penalty(self, draw: Any, mean: Any, log_variance: Any, training: bool | None = None) -> Any:
        """Computes D + (beta - 1) TC.

        Args:
            draw: z, float32 (batch, units).
            mean: m, of the same shape.
            log_variance: log s².
            training: Is not looked at.

        Returns:
            A float32 scalar.
        """
        dependence = total_correlation(draw, mean, log_variance)
        return ops.mean(self._nats(mean, log_variance)) + (self.beta - 1.0) * dependence
