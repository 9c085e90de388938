"""Learning discrete latents by the score function: the estimator that straight-through codes are compared with."""

import math
from typing import Any

import keras
from keras import ops


def vimco_loss(log_weights: Any, log_posterior: Any) -> Any:
    """Makes the loss whose gradient is the VIMCO estimate.

    The bound of K samples is L = log 1/K sum_k w_k, w = p(x, h) / q(h | x). The gradient towards what makes q is
    sum_k (L - L_-k) grad log q(h_k) + sum_k w_k / (sum_j w_j) grad log w_k, where L_-k is L with w_k replaced by the
    geometric mean of the other weights: a baseline for each sample out of the others, without bias since h_k has no
    part in it.

    Args:
        log_weights: log w, (samples, batch), two samples or more, of h drawn from q; differentiable.
        log_posterior: log q(h | x), (samples, batch).

    Returns:
        -L, float32 (batch,), with minus the estimate as its gradient.

    Raises:
        ValueError: Where the shapes differ or there are fewer than two samples.

    Example:

    >>> [round(float(x), 4) for x in vimco_loss(ops.ones((5, 2)), ops.zeros((5, 2)))]
    [-1.0, -1.0]

    Reference: Mnih and Rezende 2016, arXiv 1602.06725, section 2.4, equations 8 to 10.
    """
    log_weights, log_posterior = ops.cast(log_weights, "float32"), ops.cast(log_posterior, "float32")
    num_samples = log_weights.shape[0]
    if len(log_weights.shape) != 2 or log_weights.shape != log_posterior.shape or (num_samples or 0) < 2:
        raise ValueError(
            "expected log_weights and log_posterior of one shape (samples, batch) with at least 2 samples; got "
            f"{tuple(log_weights.shape)} and {tuple(log_posterior.shape)}."
        )
    bound = ops.logsumexp(log_weights, axis=0) - math.log(num_samples)
    others = (ops.sum(log_weights, axis=0) - log_weights) / (num_samples - 1)
    own = ops.eye(num_samples)[..., None]  # (left out, samples, 1)
    without = ops.logsumexp(log_weights * (1.0 - own) + others[:, None] * own, axis=1) - math.log(num_samples)
    signal = ops.stop_gradient(bound - without)
    # The second term is 0: it is there for its gradient.
    return -(bound + ops.sum(signal * (log_posterior - ops.stop_gradient(log_posterior)), axis=0))


@keras.saving.register_keras_serializable(package="toolkit")
class VIMCO(keras.Model):
    """An autoencoder with categorical codes, drawn, and trained by the bound of several draws.

    The posterior of an image has a categorical at each place of a map, of which the encoder gives the logits; the prior
    is uniform over the codes. A code is looked up as a vector, and the decoder gives the parameters of the pixels'
    density. The gradient towards the encoder is that of `vimco_loss`: nothing passes through the codes.

    Args:
        encoder: A model from images to logits (batch, height, width, num_embeddings).
        decoder: A model from vectors (batch, height, width, embedding_dim) to raw parameters, (batch, ..., num_params).
        distribution: Any of `toolkit.distributions` with `log_prob(params, value)`.
        num_samples: Draws of the codes, 2 or more.
        seed: Seed of the draws.
        **kwargs: As in `keras.Model`.

    Call arguments:
        inputs: Images, (batch, height, width, channels).

    Returns (of a call):
        Minus the bound of `num_samples` draws, in nats an image, float32 (batch,). It is its own loss:
        `compile(loss=losses.Precomputed())`, with anything (batch,) as the targets.

    Raises:
        ValueError: Where there are fewer than two draws.

    Example:

    >>> from toolkit import distributions, losses, models
    >>> how = {"units": 8, "residual_units": 8, "num_residual_blocks": 1}
    >>> encoder = models.vqvae.encoder((8, 8, 1), 16, num_downsamplings=2, **how)
    >>> decoder = models.vqvae.decoder((2, 2, 4), 1, num_upsamplings=2, **how)
    >>> model = VIMCO(encoder, decoder, distributions.LogisticMixture(1), num_samples=5)
    >>> model.compile("adam", losses.Precomputed())
    >>> model.train_on_batch(ops.zeros((2, 8, 8, 1)), ops.zeros(2)) > 0
    True

    Reference: Mnih and Rezende 2016, arXiv 1602.06725; van den Oord et al. 2017, arXiv 1711.00937, section 4.1.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        distribution: Any,
        num_samples: int = 10,
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if num_samples < 2:
            raise ValueError(f"num_samples must be at least 2, each a baseline of the others; got {num_samples}.")
        self.encoder = encoder
        self.decoder = decoder
        self.distribution = distribution
        self.num_samples = int(num_samples)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.embedding = keras.layers.Embedding(encoder.output_shape[-1], decoder.input_shape[-1], name="embedding")

    def call(self, inputs):
        log_probs = ops.log_softmax(ops.cast(self.encoder(inputs), "float32"), axis=-1)
        _, height, width, num_embeddings = log_probs.shape
        flat = ops.reshape(log_probs, (-1, num_embeddings))
        drawn = keras.random.categorical(flat, self.num_samples, seed=self.seed_generator)
        codes = ops.reshape(ops.transpose(drawn), (self.num_samples, -1, height, width))
        log_posterior = ops.sum(ops.one_hot(codes, num_embeddings) * log_probs, axis=(2, 3, 4))
        params = self.decoder(self.embedding(ops.reshape(codes, (-1, height, width))))
        params = ops.reshape(params, (self.num_samples, -1, *params.shape[1:]))
        log_likelihood = self.distribution.log_prob(params, ops.broadcast_to(inputs, ops.shape(params)[:-1]))
        log_likelihood = ops.sum(log_likelihood, axis=list(range(2, len(log_likelihood.shape))))
        log_prior = -height * width * math.log(num_embeddings)
        return vimco_loss(log_likelihood + log_prior - log_posterior, log_posterior)

    def get_config(self):
        parts = {"encoder": self.encoder, "decoder": self.decoder, "distribution": self.distribution}
        return {
            "name": self.name,
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "num_samples": self.num_samples,
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config):
        parts = ("encoder", "decoder", "distribution")
        return cls(**{**config, **{part: keras.saving.deserialize_keras_object(config[part]) for part in parts}})
