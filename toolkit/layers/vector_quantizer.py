"""Vectors replaced by the nearest of a learnt codebook: the discrete latents of a VQ-VAE."""

import math
from typing import Any

import keras
from keras import ops

from toolkit.layers.code_usage import CodeUsage, code_counts, code_places

# Distances that are held at once; 4 MB.
_DISTANCES = 2**20


@keras.saving.register_keras_serializable(package="toolkit")
class VectorQuantizer(keras.layers.Layer):
    """Replaces each vector z by the nearest code e_k of a codebook, k = argmin_j |z - e_j|^2.

    The gradient is copied straight through, from the output to z. To the loss it adds
    commitment_cost * mean((z - sg[e_k])^2), and, where the codebook is learnt by gradient, mean((sg[z] - e_k)^2); means
    over all elements, sg[x] a constant. With several codebooks z is cut in as many equal parts, each with its own.

    With a momentum g the codebook is not learnt by gradient but follows the vectors that fall to each code. Of each
    training step, n_j is the share of vectors nearest to e_j, and s_j their sum over the number of vectors;

    N_j <- g N_j + (1 - g) n_j, m_j <- g m_j + (1 - g) s_j, e_j = m_j / N_j

    with averages freed of the bias towards their zero start, and N_j smoothed: (N_j + epsilon / n) / (1 + K epsilon /
    n) for n vectors and K codes; a code to which nothing ever fell stays where it is. In the first `num_start_steps`
    training steps it is k-means: the codebook is vectors of the first batch, each batch moves the codes to the means of
    what falls to them (g = 0), and a code to which nothing falls is drawn anew from the batch. Where the first batch
    has fewer vectors than there are codes, some are drawn more than once, and the duplicates drawn anew from later
    batches. After that a code is drawn anew where N_j < revive_below / K. Under a distribution strategy the vectors of
    all replicas count.

    The codebook is left alone outside of training and while `trainable` is False.

    Metrics: `codebook_perplexity` and `codebook_usage`, over the epoch (`CodeUsage`). They count the calls of `fit`,
    `evaluate` and all others with `training=True` or `training=False`, but none without `training`, so that nothing is
    counted in an export. On Keras' JAX backend there are none.

    Args:
        num_embeddings: K, codes of each codebook.
        num_codebooks: Into how many parts a vector is cut.
        commitment_cost: What draws z towards its code (paper: 0.25; 0.1 to 2 did as well).
        momentum: g; None: the codebook is learnt by gradient, and begins with random values.
        num_start_steps: Steps of k-means; 0: the averages follow from the first step, from random values.
        revive_below: The part of the even share 1 / K below which a code is drawn anew; 0: never.
        epsilon: In counts of vectors, keeps N_j from zero.
        metrics_name: What the metrics' names begin with, for a model with several such layers.
        seed: Of the first values and the draws.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: (batch, ..., features), for example (8, 32, 32, 64).

    Output shape: The same; of the codes (8, 32, 32), with several codebooks (8, 32, 32, num_codebooks).

    Raises:
        ValueError: Where a number is out of range, or the features are unknown or cannot be cut in equal parts.

    Example:

    >>> layer = VectorQuantizer(16, num_codebooks=2)
    >>> layer(ops.ones((4, 5, 6))).shape, layer.encode(ops.ones((4, 5, 6))).shape, layer.embeddings.shape
    (TensorShape([4, 5, 6]), TensorShape([4, 5, 2]), TensorShape([2, 16, 3]))

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 3 and appendix A.1; Razavi et al. 2019, arXiv
    1906.00446, section 2.1.
    """

    def __init__(
        self,
        num_embeddings: int,
        *,
        num_codebooks: int = 1,
        commitment_cost: float = 0.25,
        momentum: float | None = 0.99,
        num_start_steps: int = 10,
        revive_below: float = 0.01,
        epsilon: float = 1e-5,
        metrics_name: str = "codebook",
        seed: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if min(num_embeddings, num_codebooks) < 1:
            raise ValueError(
                f"{self.name}: num_embeddings and num_codebooks must be at least 1; got {num_embeddings} and "
                f"{num_codebooks}."
            )
        if not (momentum is None or 0 <= momentum < 1) or not 0 <= revive_below < 1:
            raise ValueError(
                f"{self.name}: momentum (or None) and revive_below must be at least 0 and less than 1; got {momentum} "
                f"and {revive_below}."
            )
        if not (commitment_cost >= 0 and num_start_steps >= 0 and epsilon > 0):
            raise ValueError(
                f"{self.name}: commitment_cost and num_start_steps must be at least 0 and epsilon over 0; got "
                f"{commitment_cost}, {num_start_steps} and {epsilon}."
            )
        self.num_embeddings, self.num_codebooks = num_embeddings, num_codebooks
        self.commitment_cost, self.momentum = commitment_cost, momentum
        self.num_start_steps, self.revive_below, self.epsilon = num_start_steps, revive_below, epsilon
        self.metrics_name, self.seed = metrics_name, seed
        # With JAX `fit` keeps the state of metrics from a layer's call.
        on_jax = keras.backend.backend() == "jax"
        self.usage = None if on_jax else CodeUsage(num_embeddings, num_codebooks, name=metrics_name)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, input_shape) -> None:
        features = input_shape[-1]
        if len(input_shape) < 2 or features is None or features % self.num_codebooks:
            raise ValueError(
                f"{self.name}: expected (batch, ..., features) with features known and divisible by num_codebooks, "
                f"{self.num_codebooks}; got shape {tuple(input_shape)}."
            )
        shape = (self.num_codebooks, self.num_embeddings, features // self.num_codebooks)
        limit = math.sqrt(3 / shape[-1])  # vectors of length 1, about
        # All replicas compute the same values.
        how = {"dtype": "float32", "autocast": False, "aggregation": "only_first_replica"}
        self.codebook = self.add_weight(
            name="codebook",
            shape=shape,
            initializer=keras.initializers.RandomUniform(-limit, limit, seed=self.seed),
            trainable=self.momentum is None,
            **(how if self.momentum is not None else {**how, "aggregation": "mean"}),
        )
        if self.momentum is not None:
            how = {**how, "initializer": "zeros", "trainable": False}
            self.shares = self.add_weight(name="shares", shape=shape[:2], **how)
            self.sums = self.add_weight(name="sums", shape=shape, **how)
            self.num_steps = self.add_weight(name="num_steps", shape=(), **{**how, "dtype": "int32"})
        self.built = True

    @property
    def embeddings(self) -> Any:
        """The codes, float32 (num_codebooks, num_embeddings, features / num_codebooks)."""
        return ops.convert_to_tensor(self.codebook)

    def call(self, inputs, training=None):
        codebook, vectors = self.embeddings, self._vectors(inputs)
        learns = training and self.trainable and self.momentum is not None
        if learns:
            drawn = self._drawn(vectors)
            first = ops.logical_and(ops.equal(self.num_steps, 0), self.num_start_steps > 0)
            codebook = ops.where(first, drawn, codebook)
        codes = self._nearest(vectors, codebook)
        if learns:
            self._follow(vectors, codes, codebook, drawn)
        if training is not None and self.usage is not None:
            self.usage.update_state(codes)
        found = ops.reshape(self._looked_up(codes, codebook), ops.shape(inputs))
        exact = ops.cast(inputs, "float32")
        self.add_loss(self.commitment_cost * ops.mean(ops.square(exact - ops.stop_gradient(found))))
        if self.momentum is None:
            self.add_loss(ops.mean(ops.square(ops.stop_gradient(exact) - found)))
        # The difference is zero, so that the output is the code to the last bit.
        return ops.stop_gradient(ops.cast(found, inputs.dtype)) + (inputs - ops.stop_gradient(inputs))

    def encode(self, inputs) -> Any:
        """Finds the nearest codes.

        Args:
            inputs: (..., features).

        Returns:
            int32 (...,) with one codebook, (..., num_codebooks) with several.
        """
        inputs = ops.convert_to_tensor(inputs)
        codes = self._nearest(self._vectors(inputs), self.embeddings)
        several = (self.num_codebooks,) if self.num_codebooks > 1 else ()
        return ops.reshape(codes, (*ops.shape(inputs)[:-1], *several))

    def decode(self, codes) -> Any:
        """Looks codes up.

        Args:
            codes: Integers as `encode` returns them; those out of range are taken for the first or last code.

        Returns:
            float32 (..., features).
        """
        codes = ops.convert_to_tensor(codes)
        outer = ops.shape(codes) if self.num_codebooks == 1 else ops.shape(codes)[:-1]
        codes = ops.clip(ops.cast(codes, "int32"), 0, self.num_embeddings - 1)
        return ops.reshape(self._looked_up(codes, self.embeddings), (*outer, self._features))

    @property
    def _features(self):
        return self.num_codebooks * self.codebook.shape[-1]

    def _vectors(self, inputs):
        """(vectors, num_codebooks, features / num_codebooks), constants in float32."""
        shape = (-1, self.num_codebooks, self.codebook.shape[-1])
        return ops.reshape(ops.stop_gradient(ops.cast(inputs, "float32")), shape)

    def _nearest(self, vectors, codebook):
        """int32 (vectors, num_codebooks)."""
        codebook = ops.stop_gradient(codebook)
        return ops.stack([_nearest(vectors[:, i], codebook[i]) for i in range(self.num_codebooks)], axis=1)

    def _looked_up(self, codes, codebook):
        """(vectors, num_codebooks, features / num_codebooks)."""
        rows = ops.reshape(codebook, (-1, codebook.shape[-1]))
        return ops.take(rows, code_places(codes, self.num_codebooks, self.num_embeddings), axis=0)

    def _drawn(self, vectors):
        """A random vector of the batch for each code, no vector twice where there are enough; of the codebook's shape.

        All replicas get the same. Each offers one vector, with a pseudo-random weight that depends on it, raised to a
        high power; the weighted mean over replicas is then about the offer of the greatest weight.
        """
        number, codes = ops.shape(vectors)[0], self.num_embeddings
        where = ops.arange(codes, dtype="float32") + keras.random.uniform(self.shares.shape, seed=self.seed_generator)
        where = ops.cast(where * (ops.cast(number, "float32") / codes), "int32")
        where = ops.minimum(where, number - 1) * self.num_codebooks
        where = where + ops.arange(self.num_codebooks, dtype="int32")[:, None]
        offered = ops.take(ops.reshape(vectors, (-1, vectors.shape[-1])), where, axis=0)
        mixed = 1e3 * ops.sum(
            offered * keras.random.uniform(offered.shape, seed=self.seed_generator), -1, keepdims=True
        )
        weights = ops.power(0.5 + 0.5 * (mixed - ops.floor(mixed)), 96.0)
        total = _mean_over_replicas(ops.concatenate([weights, weights * offered], axis=-1))
        return total[..., 1:] / total[..., :1]

    def _follow(self, vectors, codes, codebook, drawn):
        """Moves the averages, and the codes with them."""
        places = ops.reshape(code_places(codes, self.num_codebooks, self.num_embeddings), (-1,))
        counts = code_counts(codes, self.num_codebooks, self.num_embeddings)
        rows = ops.reshape(vectors, (-1, vectors.shape[-1]))
        sums = ops.segment_sum(rows, places, self.num_codebooks * self.num_embeddings)
        number = ops.cast(ops.shape(vectors)[0], "float32")
        # Ratios of means over replicas, so that replicas with unlike numbers of vectors count by them.
        number, counts, sums = (_mean_over_replicas(x) for x in (number, counts, sums))
        shares = ops.reshape(counts / number, self.shares.shape)
        sums = ops.reshape(sums / number, self.sums.shape)
        starts = self.num_steps < self.num_start_steps
        # What is new weighs (1 - g) / (1 - g^t): the average without the bias towards zero. t = 1 while k-means runs.
        t = ops.cast(ops.maximum(self.num_steps - max(self.num_start_steps - 1, 0), 0) + 1, "float32")
        g = ops.convert_to_tensor(self.momentum, "float32")
        rate = ops.minimum((1.0 - g) / (1.0 - ops.power(g, t)), 1.0)
        shares = (1.0 - rate) * self.shares + rate * shares
        sums = (1.0 - rate) * self.sums + rate * sums
        few = self.epsilon / number
        moved = sums / ((shares + few) / (1.0 + self.num_embeddings * few))[..., None]
        moved = ops.where(shares[..., None] > 0, moved, codebook)  # where nothing ever fell, it stays
        dead = shares < self.revive_below / self.num_embeddings
        dead = ops.logical_or(dead, ops.logical_and(starts, ops.equal(shares, 0.0)))
        even = 1.0 / self.num_embeddings
        self.shares.assign(ops.where(dead, even, shares))
        self.sums.assign(ops.where(dead[..., None], even * drawn, sums))
        self.codebook.assign(ops.where(dead[..., None], drawn, moved))
        self.num_steps.assign(self.num_steps + 1)

    def compute_output_shape(self, input_shape) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        names = ("num_embeddings", "num_codebooks", "commitment_cost", "momentum", "num_start_steps", "revive_below")
        names = (*names, "epsilon", "metrics_name", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _mean_over_replicas(x):
    # Elsewhere it raises; JAX' arrays are those of all devices already.
    return ops.moments(x[None], [0], synchronized=True)[0] if keras.backend.backend() == "tensorflow" else x


def _nearest(vectors, codes):
    """The number of the code nearest to each vector, int32 (vectors,); distances in blocks of vectors."""
    columns, squares = -2.0 * ops.transpose(codes), ops.sum(ops.square(codes), axis=-1)
    numbers = ops.arange(codes.shape[0], dtype="int32")

    def nearest(block):
        distances = ops.add(ops.matmul(block, columns), squares)  # but for |z|^2, the same for all codes
        least = ops.min(distances, axis=-1, keepdims=True)
        # Not ops.argmin, which is slower, and for which TFLite has no builtin; a distance that is no number: the last.
        return ops.min(ops.where(distances <= least, numbers, codes.shape[0] - 1), axis=-1)

    size, number = max(_DISTANCES // codes.shape[0], 64), ops.shape(vectors)[0]
    if isinstance(number, int) and number <= size:
        return nearest(vectors)
    num_blocks = -(-number // size)
    padded = ops.pad(vectors, ((0, num_blocks * size - number), (0, 0)))
    found = ops.map(nearest, ops.reshape(padded, (num_blocks, size, vectors.shape[-1])))
    return ops.reshape(found, (-1,))[:number]
