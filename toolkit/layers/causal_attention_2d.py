"""Attention from each place of a map to those before it, row by row from the left."""

import math
from typing import Any

import keras
from keras import ops

# What is subtracted from where nothing may be seen, in float32: its exponential is 0.
_FAR = -1e30


@keras.saving.register_keras_serializable(package="toolkit")
class CausalAttention2D(keras.layers.Layer):
    """o_i = concat_h sum_{j < i} softmax_{j < i}(q_i^h . k_j^h / sqrt(key_dim)) v_j^h, places i, j counted row by row.

    q = W_q x and [k, v] = W_k y, each with a bias. A place does not see itself, so y may hold what is to be predicted
    there. The first place sees none, and its output is zero.

    The weights are made for `block_size` places at once, and anew for the gradient: what is held grows as the number
    of places times `block_size`, not as its square. TensorFlow's graphs make up to ten such blocks side by side.

    Args:
        num_heads: h.
        key_dim: Channels of a head's queries and keys.
        value_dim: Channels of a head's values; None: `key_dim`.
        block_size: Places whose weights are held at once; None: 64, and all of a map of up to 256 places.
        **kwargs: As in `keras.layers.Layer`.

    Call arguments:
        query: x.
        value: y, of which keys and values are made; None: x.

    Input shape: (batch, height, width, channels), twice.

    Output shape: (batch, height, width, num_heads * value_dim): of (2, 8, 8, 5) and 2 heads of 4, (2, 8, 8, 8).

    Raises:
        ValueError: Where an argument is below 1, or a shape is another.

    Example:

    >>> layer = CausalAttention2D(num_heads=2, key_dim=4)
    >>> layer(ops.ones((2, 8, 8, 5)), ops.ones((2, 8, 8, 3))).shape
    TensorShape([2, 8, 8, 8])

    Reference: Chen et al. 2018, arXiv 1712.09763, section 2.2; in blocks: Rabe and Staats 2021, arXiv 2112.05682.
    """

    def __init__(
        self, num_heads: int, key_dim: int, value_dim: int | None = None, block_size: int | None = None, **kwargs
    ) -> None:
        super().__init__(**kwargs)
        value_dim = key_dim if value_dim is None else value_dim
        sizes = {"num_heads": num_heads, "key_dim": key_dim, "value_dim": value_dim, "block_size": block_size}
        for name, size in sizes.items():
            if size is not None and size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}.")
        self.num_heads, self.key_dim, self.value_dim, self.block_size = num_heads, key_dim, value_dim, block_size

    def build(self, query_shape, value_shape=None) -> None:
        value_shape = query_shape if value_shape is None else value_shape
        for name, shape in (("query", query_shape), ("value", value_shape)):
            if len(shape) != 4 or shape[-1] is None:
                raise ValueError(
                    f"{self.name}: expected {name} (batch, height, width, channels), the channels known; got shape "
                    f"{tuple(shape)}."
                )
        self.query_projection = keras.layers.Dense(
            self.num_heads * self.key_dim, dtype=self.dtype_policy, name="query_projection"
        )
        self.query_projection.build(query_shape)
        self.value_projection = keras.layers.Dense(
            self.num_heads * (self.key_dim + self.value_dim), dtype=self.dtype_policy, name="value_projection"
        )
        self.value_projection.build(value_shape)
        self.built = True

    def call(self, query, value=None):
        value = query if value is None else value
        queries = self._heads(self.query_projection(query))
        both = self.value_projection(value)
        cut = self.num_heads * self.key_dim
        keys, values = self._heads(both[..., :cut]), self._heads(both[..., cut:])
        seen = attend_before(queries, keys, values, self.block_size)
        channels = self.num_heads * self.value_dim
        return ops.reshape(ops.transpose(seen, (0, 2, 1, 3)), (*ops.shape(query)[:-1], channels))

    def _heads(self, x):
        """(batch, height, width, channels) -> (batch, heads, places, channels of a head)."""
        batch, height, width = ops.shape(x)[:3]
        x = ops.reshape(x, (batch, height * width, self.num_heads, x.shape[-1] // self.num_heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def compute_output_shape(self, query_shape, value_shape=None) -> tuple:
        return (*query_shape[:-1], self.num_heads * self.value_dim)

    def get_config(self) -> dict:
        names = ("num_heads", "key_dim", "value_dim", "block_size")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def attend_before(queries, keys, values, block_size: int | None = None) -> Any:
    """Averages, for each place, the values before it by how well their keys fit its query.

    Args:
        queries: (batch, heads, places, key channels).
        keys: Likewise.
        values: (batch, heads, places, value channels).
        block_size: Places whose weights are held at once; None: 64, and all of up to 256 places.

    Returns:
        (batch, heads, places, value channels), zeros at the first place.

    Example:

    >>> values = ops.reshape(ops.array([1.0, 3.0, 8.0]), (1, 1, 3, 1))
    >>> ops.convert_to_numpy(attend_before(ops.zeros((1, 1, 3, 2)), ops.zeros((1, 1, 3, 2)), values)).ravel().tolist()
    [0.0, 1.0, 2.0]

    Reference: Chen et al. 2018, arXiv 1712.09763, section 2.2; the gradient: Dao et al. 2022, arXiv 2205.14135,
    appendix B.
    """
    scale = 1.0 / math.sqrt(queries.shape[-1])
    number = ops.shape(queries)[2]
    block_size = block_size or (256 if isinstance(number, int) and number <= 256 else 64)
    places = ops.arange(number, dtype="int32")

    @ops.custom_gradient
    def attend(queries, keys, values):
        def forward(block):
            query, place = block
            scores = _product(query, keys) * scale
            before = places < place[:, None]
            scores = ops.where(before, scores, _FAR)
            most = ops.max(scores, axis=-1, keepdims=True)
            shares = ops.exp(ops.where(before, scores - most, _FAR))
            total = ops.maximum(ops.sum(shares, axis=-1, keepdims=True), 1e-30)  # of the first place, which sees none
            seen = ops.matmul(ops.cast(shares / total, values.dtype), values)
            return seen, most + ops.log(total)

        seen, log_total = _by_blocks(forward, (queries, places), block_size)

        def grad(*args, upstream=None):
            (upstream,) = args if upstream is None else (upstream,)
            # The gradient of a score is its share times how much more its value helps than the average does.
            average = ops.sum(ops.cast(upstream, "float32") * ops.cast(seen, "float32"), axis=-1, keepdims=True)

            def towards_queries(block):
                query, upstream, log_total, average, place = block
                before = places < place[:, None]
                shares = ops.exp(ops.where(before, _product(query, keys) * scale - log_total, _FAR))
                d_scores = shares * (_product(upstream, values) - average) * scale
                return ops.matmul(ops.cast(d_scores, keys.dtype), keys)

            def towards_values(block):
                key, value, place = block
                after = places > place[:, None]
                log_totals, averages = ops.swapaxes(log_total, -1, -2), ops.swapaxes(average, -1, -2)
                shares = ops.exp(ops.where(after, _product(key, queries) * scale - log_totals, _FAR))
                d_scores = shares * (_product(value, upstream) - averages) * scale
                d_keys = ops.matmul(ops.cast(d_scores, queries.dtype), queries)
                return d_keys, ops.matmul(ops.cast(shares, upstream.dtype), upstream)

            by_query = (queries, upstream, log_total, average, places)
            d_queries = _by_blocks(towards_queries, by_query, block_size)
            return (d_queries, *_by_blocks(towards_values, (keys, values, places), block_size))

        return seen, grad

    return attend(queries, keys, values)


def _product(left, right):
    return ops.cast(ops.matmul(left, ops.swapaxes(right, -1, -2)), "float32")


def _by_blocks(function, arrays, size):
    """The function of blocks of places, axis -2 of arrays of rank 4 and axis 0 of those of rank 1; side by side."""
    number = ops.shape(arrays[0])[2]
    if isinstance(number, int) and number <= size:
        return function(arrays)
    num_blocks = -(-number // size)
    added = num_blocks * size - number

    def cut(x):
        if len(x.shape) == 1:
            return ops.reshape(ops.pad(x, ((0, added),)), (num_blocks, size))
        batch, heads = ops.shape(x)[:2]
        x = ops.pad(x, ((0, 0), (0, 0), (0, added), (0, 0)))
        return ops.transpose(ops.reshape(x, (batch, heads, num_blocks, size, x.shape[-1])), (2, 0, 1, 3, 4))

    def joined(x):
        batch, heads = ops.shape(x)[1:3]
        x = ops.reshape(ops.transpose(x, (1, 2, 0, 3, 4)), (batch, heads, num_blocks * size, x.shape[-1]))
        return x[:, :, :number]

    return keras.tree.map_structure(joined, ops.map(function, tuple(cut(x) for x in arrays)))
