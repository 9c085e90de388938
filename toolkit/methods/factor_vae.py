"""Training a FactorVAE: a variational autoencoder and a discriminator that estimates its total correlation."""

from typing import Any

import keras
from keras import ops

from toolkit.lazy import tensorflow as tf


def permuted(codes: Any, seed: Any = None) -> Any:
    """Exchanges each number of a batch's codes with those of other codes, each number on its own.

    Args:
        codes: (batch, latent_size).
        seed: An int or `keras.random.SeedGenerator`.

    Returns:
        The like, of which each column is a permutation of the same column: a sample of prod_l q(z_l).

    Example:

    >>> codes = permuted(ops.array([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]), seed=1)
    >>> ops.convert_to_numpy(ops.sort(codes, axis=0)).tolist()
    [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]

    Reference: Kim and Mnih 2018, arXiv 1802.05983, algorithm 1.
    """
    order = ops.argsort(keras.random.uniform(ops.shape(codes), dtype="float32", seed=seed), axis=0)
    return ops.take_along_axis(codes, order, axis=0)


class FactorVAE(keras.Model):
    """Trains a variational autoencoder on its loss and gamma times its total correlation.

    The autoencoder's loss gets gamma mean d(z), d the discriminator's logit; the discriminator learns from the same
    batch to tell z, mean softplus(-d(z)) / 2, from z whose numbers come from different codes, mean softplus(d) / 2.
    Each has an optimizer of its own. What is validated is the bound, without the total correlation.

    Args:
        vae: What `models.vae.vae` returned.
        discriminator: What `models.latent_discriminator.latent_discriminator` returned, of as many numbers.
        gamma: Weight of the total correlation.
        discriminator_optimizer: The discriminator's, built here; the paper's is Adam(1e-4, 0.5, 0.9).
        seed: Seed of the permutations.
        **kwargs: As in `keras.Model`.

    Raises:
        ValueError: Where gamma is negative, or the discriminator is for other codes.

    Example:

    >>> from toolkit import methods, models
    >>> vae = models.vae.vae(16, network="dense", units=1, latent_size=3, decoder="bernoulli")
    >>> judge = models.latent_discriminator.latent_discriminator(3, units=8, num_layers=1)
    >>> model = FactorVAE(vae, judge, 10.0, keras.optimizers.Adam(1e-4, 0.5, 0.9))
    >>> model.compile("adam", methods.evidence_bound.loss(vae))
    >>> images = ops.zeros((4, 16, 16, 1))
    >>> sorted(model.train_on_batch(images, images, return_dict=True))
    ['discriminator_loss', 'kl_nats', 'loss', 'total_correlation_nats']

    Reference: Kim and Mnih 2018, arXiv 1802.05983, section 3 and algorithm 2.
    """

    def __init__(
        self,
        vae: keras.Model,
        discriminator: keras.Model,
        gamma: float,
        discriminator_optimizer: keras.optimizers.Optimizer,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        draw = vae.get_layer("latent").output
        if not gamma >= 0:
            raise ValueError(f"gamma must be at least 0; got {gamma}.")
        if tuple(draw.shape) != tuple(discriminator.input_shape):
            raise ValueError(f"the discriminator takes {discriminator.input_shape}; the codes are {tuple(draw.shape)}.")
        self.vae, self.discriminator, self.gamma = vae, discriminator, gamma
        self.discriminator_optimizer = discriminator_optimizer
        self.discriminator_optimizer.build(discriminator.trainable_variables)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self._both = keras.Model(vae.input, [draw, vae.output])

    def call(self, inputs, training=None):
        return self.vae(inputs, training=training)

    def build(self, input_shape=None):
        self.built = True

    def train_step(self, batch):
        """Takes a step of both.

        Args:
            batch: (images, x), as `methods.evidence_bound.pair` makes it.

        Returns:
            The metrics: "loss", which is the bound and the total correlation, that alone, and the discriminator's.
        """
        images, x, _ = keras.utils.unpack_x_y_sample_weight(batch)
        replicas = self.distribute_strategy.num_replicas_in_sync
        with tf.GradientTape(persistent=True) as tape:
            draw, params = self._both(images, training=True)
            draw = ops.cast(draw, "float32")
            dependence = ops.mean(self.discriminator(draw))
            loss = self.compute_loss(images, x, params, training=True) + self.gamma * dependence / replicas
            scaled = self.optimizer.scale_loss(loss)
            fixed = ops.stop_gradient(draw)
            told = ops.softplus(-self.discriminator(fixed)) + ops.softplus(
                self.discriminator(permuted(fixed, self.seed_generator))
            )
            discriminator_loss = 0.5 * ops.mean(told) / replicas
        for paid, optimizer, network in (
            (scaled, self.optimizer, self.vae),
            (discriminator_loss, self.discriminator_optimizer, self.discriminator),
        ):
            weights = network.trainable_variables
            optimizer.apply(tape.gradient(paid, weights), weights)
        self._loss_tracker.update_state(loss * replicas, sample_weight=ops.shape(images)[0])
        return {
            **self.get_metrics_result(),
            "total_correlation_nats": dependence,
            "discriminator_loss": discriminator_loss * replicas,
        }
