"""Training of what VAAL asks by: an autoencoder and a discriminator that tells labelled images from unlabelled ones."""

from typing import Any

import keras
from keras import ops

from toolkit.lazy import tensorflow as tf
from toolkit.models import vae as vae_models


class VAAL(keras.Model):
    """Trains an autoencoder on all images, so that a discriminator takes all of their codes for labelled ones.

    With ℓ the bound on a set's likelihood, L the labelled images and U the unlabelled ones, D the discriminator's
    probability and μ the mean of an image's code, the autoencoder pays

        ℓ(L) + ℓ(U) + adversary_weight (BCE(D(μ_L), 1) + BCE(D(μ_U), 1))

    and the discriminator BCE(D(μ_L), 1) + BCE(D(μ_U), 0), each a mean over its images. No label is looked at: the
    classifier that the images are wanted for is trained apart. Where D is low, an image is unlike what is labelled.

    Args:
        vae: What `models.vae.vae` returned; the paper's code has 32 numbers and beta 1.
        discriminator: What `models.latent_discriminator.latent_discriminator` returned, of as many numbers; the
            paper's code has four layers of 512 units, `negative_slope=0`.
        discriminator_optimizer: The discriminator's, built here; the paper's code has Adam(5e-4) for both.
        adversary_weight: See above; published with 1.
        num_vae_steps: Steps of the autoencoder for each one of the discriminator, each of them on its own share of the
            batch, and the discriminator's on the last; published with 2.
        **kwargs: As in `keras.Model`.

    Raises:
        ValueError: Where a weight is negative, there is no step, or the discriminator is for other codes.

    Example:

    >>> from toolkit import methods, models
    >>> vae = models.vae.vae(16, network="dense", units=1, latent_size=3, decoder="bernoulli")
    >>> judge = models.latent_discriminator.latent_discriminator(3, units=8, num_layers=1)
    >>> model = VAAL(vae, judge, keras.optimizers.Adam(5e-4))
    >>> model.compile(keras.optimizers.Adam(5e-4), methods.evidence_bound.loss(vae))
    >>> images, is_labelled = pair(ops.zeros((4, 16, 16, 1)))
    >>> sorted(model.train_on_batch(images, is_labelled, return_dict=True))
    ['adversary_loss', 'discriminator_loss', 'kl_nats', 'loss']

    Reference: Sinha, Ebrahimi and Darrell 2019, arXiv 1904.00370, equations 2 to 5 and algorithm 1, whose published
    code sums the code's divergence over a batch but averages the pixels' error, with which a code says nothing; here
    both are of one image, as in equation 2.
    """

    def __init__(
        self,
        vae: keras.Model,
        discriminator: keras.Model,
        discriminator_optimizer: keras.optimizers.Optimizer,
        adversary_weight: float = 1.0,
        num_vae_steps: int = 2,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        codes = (None, vae_models.latent_size(vae))
        if not adversary_weight >= 0 or num_vae_steps < 1:
            raise ValueError(
                "adversary_weight must be at least 0 and num_vae_steps at least 1; got "
                f"{adversary_weight} and {num_vae_steps}."
            )
        if tuple(discriminator.input_shape) != codes:
            raise ValueError(f"the discriminator takes {discriminator.input_shape}; the codes are {codes}.")
        self.vae, self.discriminator = vae, discriminator
        self.adversary_weight, self.num_vae_steps = adversary_weight, num_vae_steps
        self.discriminator_optimizer = discriminator_optimizer
        self.discriminator_optimizer.build(discriminator.trainable_variables)

    def call(self, inputs, training=None):
        return self.vae(inputs, training=training)

    def build(self, input_shape=None):
        self.built = True

    def train_step(self, batch):
        """Takes `num_vae_steps` steps of the autoencoder and one of the discriminator.

        Args:
            batch: (images, is_labelled): (batch, height, width, channels), 0 to 255, and (batch,), over 0 where an
                image is labelled; as many are as are not, in each of `num_vae_steps` equal shares.

        Returns:
            The metrics: "loss", the autoencoder's, and the two parts of it and of the discriminator's that are cross
            entropies.
        """
        images, is_labelled, _ = keras.utils.unpack_x_y_sample_weight(batch)
        replicas = self.distribute_strategy.num_replicas_in_sync
        size = ops.shape(images)[0] // self.num_vae_steps
        for step in range(self.num_vae_steps):
            share = slice(step * size, None if step + 1 == self.num_vae_steps else (step + 1) * size)
            some, labelled = images[share], is_labelled[share]
            with tf.GradientTape() as tape:
                # The mean over both halves together is half the sum of the means over each.
                bound = 2.0 * self.compute_loss(some, some / 255.0, self.vae(some, training=True), training=True)
                adversary = _cross_entropy(self._judged(some), labelled, of_unlabelled=1.0)
                loss = bound + self.adversary_weight * adversary / replicas
                paid = self.optimizer.scale_loss(loss)
            weights = self.vae.trainable_variables
            self.optimizer.apply(tape.gradient(paid, weights), weights)
        codes = ops.stop_gradient(self._codes(some))
        with tf.GradientTape() as tape:
            told = _cross_entropy(self.discriminator(codes), labelled, of_unlabelled=0.0) / replicas
        weights = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(told, weights), weights)
        self._loss_tracker.update_state(loss * replicas, sample_weight=size)
        return {**self.get_metrics_result(), "adversary_loss": adversary, "discriminator_loss": told * replicas}

    def _codes(self, images):
        return ops.cast(vae_models.posterior(self.vae, images)[0], "float32")

    def _judged(self, images):
        return self.discriminator(self._codes(images))


def pair(image: Any, label: Any = None) -> tuple[Any, Any]:
    """Turns a batch whose images are in turn labelled and not into what `VAAL` is fitted to, for `Batches.map`.

    The batches are those of `Batches.subset(concatenate([labelled, unlabelled]), data.plans.paired_plan(...))`.

    Args:
        image: (batch, height, width, channels), 0 to 255.
        label: Is not looked at.

    Returns:
        (image, is_labelled): the image, and float32 (batch,): 1, 0, 1, 0 ...

    Example:

    >>> pair(ops.zeros((4, 8, 8, 1)))[1].numpy().tolist()
    [1.0, 0.0, 1.0, 0.0]
    """
    return image, ops.cast((ops.arange(ops.shape(image)[0]) + 1) % 2, "float32")


def _cross_entropy(logits, is_labelled, of_unlabelled):
    """The mean over the labelled of BCE(D, 1) and the mean over the others of BCE(D, `of_unlabelled`)."""
    labelled = ops.cast(is_labelled > 0, "float32")
    both = ((labelled, ops.softplus(-logits)), (1.0 - labelled, ops.softplus(-logits if of_unlabelled else logits)))
    return sum(ops.sum(part * nats) / ops.maximum(ops.sum(part), 1.0) for part, nats in both)
