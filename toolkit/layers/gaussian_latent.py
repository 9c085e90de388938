"""The latent variable of a variational autoencoder."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class GaussianLatent(keras.layers.Layer):
    """Draws z = m + s e, e ~ N(0, 1), m and log s² linear in the inputs, and adds the KL divergence to the loss.

    The draw is a function of m and s, so that the gradient passes through it (the reparametrisation). The loss added is
    scale * KL(N(m, s²) || N(0, 1)) = scale * sum (s² + m² - 1 - log s²) / 2, in nats an example, its mean over the
    batch. Beside a reconstruction loss in nats an example the scale is 1, beside one in nats a dimension 1 over the
    number of dimensions.

    In training z is drawn; outside of it z is m, unless the layer is told to draw always: a bound on the likelihood, in
    validation too, needs draws. All is computed in float32.

    Args:
        units: Length of z.
        scale: What the divergence is multiplied by.
        seed: Seed of the noise.
        always_draw: Whether z is drawn outside of training as well.
        metrics_name: Of the metric that shows the divergence in a training, in nats an example; None: there is none.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, height, width, channels), or any between batch and channels.

    Output shape: (batch, height, width, units).

    Raises:
        ValueError: Where `units` is below 1 or the scale negative.

    Example:

    >>> layer = GaussianLatent(16, scale=1 / 3072)
    >>> layer(ops.ones((2, 8, 8, 64)), training=True).shape, len(layer.losses)
    (TensorShape([2, 8, 8, 16]), 1)

    Reference: Kingma and Welling 2014, arXiv 1312.6114, sections 2.3 and 2.4, appendix B.
    """

    _arguments = ("units", "scale", "seed", "always_draw", "metrics_name")

    def __init__(
        self,
        units: int,
        scale: float = 1.0,
        seed: int | None = None,
        always_draw: bool = False,
        metrics_name: str | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if units < 1 or not scale >= 0:
            raise ValueError(f"units must be at least 1 and scale at least 0; got {units} and {scale}.")
        self.units = int(units)
        self.scale = scale
        self.seed, self.always_draw, self.metrics_name = seed, always_draw, metrics_name
        self.seed_generator = keras.random.SeedGenerator(seed)
        # With JAX `fit` keeps the state of metrics from a layer's call.
        shown = metrics_name is not None and keras.backend.backend() != "jax"
        self.nats = keras.metrics.Mean(name=metrics_name) if shown else None
        self.posterior = keras.layers.Dense(2 * self.units, dtype=self.dtype_policy, name="posterior")

    def build(self, input_shape):
        self.posterior.build(input_shape)
        self.built = True

    def moments(self, inputs) -> tuple[Any, Any]:
        """Computes the posterior that the inputs lead to.

        Args:
            inputs: (batch, ..., channels).

        Returns:
            Its mean m and log s², both float32 (batch, ..., units).
        """
        mean, log_variance = ops.split(ops.cast(self.posterior(inputs), "float32"), 2, axis=-1)
        return mean, log_variance

    def divergence(self, inputs) -> Any:
        """Computes the divergence of each example: near 0 nats the latent is not used.

        Args:
            inputs: (batch, ..., channels).

        Returns:
            The divergence from N(0, 1), without the scale, float32 (batch,).
        """
        return self._nats(*self.moments(inputs))

    def penalty(self, draw: Any, mean: Any, log_variance: Any, training: bool | None = None) -> Any:
        """Computes what is added to the loss, which a layer of another objective overrides.

        Args:
            draw: z, float32 (batch, ..., units).
            mean: m, of the same shape.
            log_variance: log s².
            training: Whether this is a training step.

        Returns:
            A float32 scalar: scale times the mean of the divergences.
        """
        return self.scale * ops.mean(self._nats(mean, log_variance))

    def _nats(self, mean, log_variance):
        paid = 0.5 * (ops.exp(log_variance) + ops.square(mean) - 1.0 - log_variance)
        return ops.sum(paid, axis=list(range(1, len(paid.shape))))

    def call(self, inputs, training=None):
        mean, log_variance = self.moments(inputs)
        draw = mean
        if training or self.always_draw:
            noise = keras.random.normal(ops.shape(mean), dtype="float32", seed=self.seed_generator)
            draw = mean + ops.exp(0.5 * log_variance) * noise
        self.add_loss(self.penalty(draw, mean, log_variance, training))
        if training is not None and self.nats is not None:
            self.nats.update_state(self._nats(mean, log_variance))
        return ops.cast(draw, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in self._arguments}}
