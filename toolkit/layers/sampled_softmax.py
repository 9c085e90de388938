"""A softmax over many tokens that trains on a sample of them."""

import math

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class SampledSoftmax(keras.layers.Layer):
    """Scores the next token, or computes -log p of the one that came, in nats.

    Without targets: logits = inputs · kernelᵀ + bias. With targets: -log softmax(logits)[target], in float32. In
    training, with `num_sampled` > 0, the sum over all tokens in that softmax is estimated from the target and a sample
    S of tokens drawn with replacement from q(k) = log((k + 2) / (k + 1)) / log(size + 1):

    nats = log(exp(l_target) + sum_{k in S, k != target} exp(l_k) / (|S| q(k))) - l_target

    so that a step costs |S| products instead of 10,000. q fits tokens that are sorted by falling frequency. Outside of
    training the nats are exact.

    Args:
        vocabulary_size: Number of tokens.
        num_sampled: Tokens in the sample; 0: every step of the training is exact too.
        seed: Seed of the sample.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        inputs: (batch, time, features).
        targets: (batch, time), integers; below 0: padding, which takes 0 nats. Or None.

    Input shape: (batch, time, features), and (batch, time).

    Output shape: (batch, time, vocabulary_size) without targets, (batch, time) with them.

    Raises:
        ValueError: Where an argument is out of range.

    Example:

    >>> layer = SampledSoftmax(10_000, num_sampled=100)
    >>> layer(ops.ones((2, 5, 8))).shape, layer(ops.ones((2, 5, 8)), ops.ones((2, 5), "int32"), training=True).shape
    (TensorShape([2, 5, 10000]), TensorShape([2, 5]))

    Reference: Bengio and Senécal 2008, "Adaptive importance sampling to accelerate training of a neural probabilistic
    language model"; Jean et al. 2015, arXiv 1412.2007, section 3.
    """

    def __init__(self, vocabulary_size: int, num_sampled: int = 0, seed: int | None = None, **kwargs) -> None:
        super().__init__(**kwargs)
        if vocabulary_size < 1 or num_sampled < 0:
            raise ValueError(
                "vocabulary_size must be at least 1 and num_sampled at least 0; got "
                f"{vocabulary_size} and {num_sampled}."
            )
        self.vocabulary_size = vocabulary_size
        self.num_sampled = num_sampled
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, inputs_shape, targets_shape=None) -> None:
        # A token's weights are a row: a sample is a lookup, and the product is the one TFLite has for dense layers.
        shape = (self.vocabulary_size, inputs_shape[-1])
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer="glorot_uniform")
        self.bias = self.add_weight(name="bias", shape=shape[:1], initializer="zeros")

    def call(self, inputs, targets=None, training=None):
        if targets is None or not (training and self.num_sampled):
            logits = ops.cast(ops.matmul(inputs, ops.transpose(self.kernel)), "float32")
            logits = logits + ops.cast(self.bias, "float32")
            if targets is None:
                return logits
            chosen = ops.take_along_axis(logits, ops.maximum(targets, 0)[..., None], axis=-1)[..., 0]
            nats = ops.logsumexp(logits, axis=-1) - chosen
        else:
            nats = self._estimated(inputs, ops.maximum(targets, 0))
        return ops.where(targets < 0, 0.0, nats)

    def _estimated(self, inputs, targets):
        span = math.log(self.vocabulary_size + 1)
        draw = keras.random.uniform((self.num_sampled,), dtype="float32", seed=self.seed_generator)
        sampled = ops.cast(ops.exp(draw * span) - 1.0, "int32")
        sampled = ops.clip(sampled, 0, self.vocabulary_size - 1)

        def with_bias(products, tokens):
            return ops.cast(products, "float32") + ops.cast(ops.take(self.bias, tokens), "float32")

        expected = ops.log1p(1.0 / (ops.cast(sampled, "float32") + 1.0)) / span * self.num_sampled
        right = with_bias(ops.sum(inputs * ops.take(self.kernel, targets, axis=0), axis=-1), targets)
        wrong = with_bias(ops.matmul(inputs, ops.transpose(ops.take(self.kernel, sampled, axis=0))), sampled)
        wrong = wrong - ops.log(expected)
        wrong = ops.where(targets[..., None] == sampled, -1e30, wrong)
        return ops.logsumexp(ops.concatenate([right[..., None], wrong], axis=-1), axis=-1) - right

    def compute_output_shape(self, inputs_shape, targets_shape=None) -> tuple:
        return (*inputs_shape[:-1], self.vocabulary_size) if targets_shape is None else tuple(inputs_shape[:-1])

    def compute_output_spec(self, inputs, targets=None, training=None) -> keras.KerasTensor:
        shape = self.compute_output_shape(inputs.shape, None if targets is None else targets.shape)
        return keras.KerasTensor(shape, dtype="float32")

    def get_config(self) -> dict:
        config = super().get_config()
        return {
            **config,
            "vocabulary_size": self.vocabulary_size,
            "num_sampled": self.num_sampled,
            "seed": self.seed,
        }
