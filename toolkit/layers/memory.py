"""A memory of what was seen, however long ago and however rarely."""

from typing import Any

import keras
import numpy as np
from keras import ops

from toolkit.layers import memory_state
from toolkit.replicas import gathered


@keras.saving.register_keras_serializable(package="toolkit")
class Memory(keras.layers.Layer):
    """Recalls the value whose key is nearest to a query, and learns from a single example.

    It holds pairs of a key, of length 1, and a value, a number such as a class or a word. With q = query / |query|, the
    value is that of the nearest key, the greatest q . K. The confidence is the weight of the neighbours that have this
    value in softmax(t q . K) over the `num_neighbors` nearest, t = max(1, ln(0.2 num_neighbors) / margin).

    Given labels too it adds a loss, by which the queries learn: with K_p the first neighbour that has the label (where
    there is none, the slot of that label that was used last), and K_b the first that has another,

    loss = max(0, q . K_b - q . K_p + margin),

    a similarity being 0 where there is no such slot; the mean over labelled queries. Gradients go to the queries only.

    In training it then remembers them: where the nearest key has the label for its value, that key moves to (K + q) /
    |K + q|; elsewhere the query and its label are written to the oldest slot, that of the greatest age + noise, an
    empty one before all others. Slots that were used have age 0, all others are a step older. Queries of one batch are
    compared with the memory as it was before them, and no two of them are written to one slot. Under a distribution
    strategy all replicas remember the queries of all. Nothing is written while `trainable` is False.

    Under every dtype policy the memory and all that is computed are in float32.

    Args:
        memory_size: Slots (paper: 8192 for Omniglot).
        key_size: Numbers of a key.
        num_neighbors: k, neighbours that are looked at (paper: 256).
        margin: Of the loss (paper: 0.1).
        age_noise: The noise is uniform from minus to plus this, in steps (paper's code: 8).
        seed: Of the noise.
        num_classes: Labels are below it, which `update` sees to where they are a NumPy array; None: any number.
        **kwargs: As in `keras.layers.Layer`.

    Input shape: Queries (batch, ..., key_size), for example (16, 10, 64); labels, if given, integers (batch, ...),
    (16, 10), at least 0, or -1 for a query from which nothing is learned and that is not remembered, as in padding.

    Output shape: A dict of "value", int32 (16, 10), -1 while the memory is empty; "confidence", float32 (16, 10), from
    0 to 1; and "slot", int32 (16, 10).

    Attributes:
        keys: float32 (memory_size, key_size).
        values: int32 (memory_size,), -1 where a slot is empty.
        ages: int32 (memory_size,), steps since a slot was last used.

    Raises:
        ValueError: Where a number is out of range, queries have another size than keys, labels another shape than
            queries, `update` is given one of `num_classes` or more, or a batch whose size is known has more queries
            than there are slots.

    Example:

    >>> memory = Memory(8, 2, seed=0)
    >>> memory.update(ops.array([[1.0, 0.0], [0.0, 1.0]]), ops.array([3, 4]))
    >>> ops.convert_to_numpy(memory(ops.array([[0.9, 0.1], [0.2, 5.0]]))["value"])
    array([3, 4], dtype=int32)

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 2.
    """

    def __init__(
        self,
        memory_size: int,
        key_size: int,
        *,
        num_neighbors: int = 256,
        margin: float = 0.1,
        age_noise: float = 8.0,
        seed: int | None = None,
        num_classes: int | None = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if min(memory_size, key_size, num_neighbors, 1 if num_classes is None else num_classes) < 1:
            raise ValueError(
                f"{self.name}: memory_size, key_size, num_neighbors and num_classes must be at least 1; got "
                f"{memory_size}, {key_size}, {num_neighbors} and {num_classes}."
            )
        if not (0 < margin <= 2 and age_noise >= 0):
            raise ValueError(
                f"{self.name}: margin must be over 0 and at most 2, and age_noise at least 0; got {margin} and "
                f"{age_noise}."
            )
        self.memory_size, self.key_size, self.num_neighbors = memory_size, key_size, num_neighbors
        self.margin, self.age_noise, self.seed, self.num_classes = margin, age_noise, seed, num_classes
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, queries_shape, labels_shape=None) -> None:
        self._check_shapes(queries_shape, labels_shape)
        # All replicas compute the same values.
        how = {"trainable": False, "autocast": False, "aggregation": "only_first_replica"}
        slots = (self.memory_size,)
        self.keys = self.add_weight(
            name="keys", shape=(*slots, self.key_size), initializer="zeros", dtype="float32", **how
        )
        nothing = keras.initializers.Constant(-1)
        self.values = self.add_weight(name="values", shape=slots, initializer=nothing, dtype="int32", **how)
        self.ages = self.add_weight(name="ages", shape=slots, initializer="zeros", dtype="int32", **how)
        self.built = True

    @property
    def state(self) -> tuple[Any, Any, Any]:
        """Keys, values and ages, as the functions of `layers.memory_state` take them."""
        return tuple(ops.convert_to_tensor(each) for each in (self.keys, self.values, self.ages))

    def _check_shapes(self, queries_shape, labels_shape):
        memory_state.check_size(queries_shape, self.key_size, self.name)
        if labels_shape is not None and len(labels_shape) != len(queries_shape) - 1:
            raise ValueError(
                f"{self.name}: expected a label for each query, (batch, ...); got shape {tuple(labels_shape)} for "
                f"queries of shape {tuple(queries_shape)}."
            )

    def call(self, queries, labels=None, training=None):
        self._check_shapes(queries.shape, None if labels is None else labels.shape)
        outer = ops.shape(queries)[:-1]
        keys, values, ages = self.state
        queries = memory_state.unit(ops.reshape(queries, (-1, self.key_size)))
        number = min(self.num_neighbors, self.memory_size)
        similarities, slots = memory_state.neighbors(keys, values, ops.stop_gradient(queries), number)
        found = memory_state.read(values, similarities, slots, self.margin)
        if labels is not None:
            labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
            self.add_loss(self._loss(keys, values, queries, labels, slots, memory_state.newest(values, ages, labels)))
            if training and self.trainable:
                self._write(ops.stop_gradient(queries), labels, slots[:, 0])
        return {name: ops.reshape(each, outer) for name, each in found.items()}

    def update(self, queries, labels) -> None:
        """Remembers queries, as in training.

        Args:
            queries: (batch, ..., key_size).
            labels: Integers (batch, ...), -1 for those to leave out.
        """
        (self._check_shapes if self.built else self.build)(ops.shape(queries), ops.shape(labels))
        if self.num_classes is not None and isinstance(labels, np.ndarray) and np.any(labels >= self.num_classes):
            raise ValueError(f"{self.name}: expected labels below {self.num_classes}; got {labels.max()}.")
        queries = memory_state.unit(ops.reshape(queries, (-1, self.key_size)))
        _, slots = memory_state.neighbors(*self.state[:2], queries, 1)
        self._write(queries, ops.reshape(ops.cast(labels, "int32"), (-1,)), slots[:, 0])

    def clear(self) -> None:
        """Forgets everything."""
        self._assign(memory_state.empty(self.memory_size, self.key_size))

    def _loss(self, keys, values, queries, labels, slots, newest):
        held = ops.take(values, slots, axis=0)
        same = ops.equal(held, labels[:, None])
        other = ops.logical_and(held >= 0, ops.logical_not(same))
        positive = ops.where(ops.any(same, axis=1), _first(same, slots), newest)
        present = ops.equal(ops.take(values, positive, axis=0), labels)

        def similarity(slot, there):
            return ops.where(there, ops.sum(queries * ops.take(keys, slot, axis=0), axis=-1), 0.0)

        distance = similarity(_first(other, slots), ops.any(other, axis=1)) - similarity(positive, present)
        given = ops.cast(labels >= 0, "float32")
        return ops.sum(given * ops.relu(distance + self.margin)) / ops.maximum(ops.sum(given), 1.0)

    def _write(self, queries, labels, slots):
        queries, labels, slots = (gathered(each) for each in (queries, labels, slots))
        if isinstance(number := ops.shape(queries)[0], int) and number > self.memory_size:
            raise ValueError(
                f"{self.name}: a batch of {number} queries cannot be written to a memory of {self.memory_size} slots."
            )
        noise = keras.random.uniform(
            (self.memory_size,), -self.age_noise, self.age_noise, dtype="float32", seed=self.seed_generator
        )
        self._assign(memory_state.written(*self.state, queries, labels, slots, noise))

    def _assign(self, state):
        for variable, value in zip((self.keys, self.values, self.ages), state, strict=True):
            variable.assign(value)

    def compute_output_shape(self, queries_shape, labels_shape=None) -> dict:
        return {name: tuple(queries_shape[:-1]) for name in ("value", "confidence", "slot")}

    def compute_output_spec(self, queries, labels=None, training=None) -> dict:
        dtypes = {"value": "int32", "confidence": "float32", "slot": "int32"}
        shapes = self.compute_output_shape(queries.shape)
        return {name: keras.KerasTensor(shape, dtypes[name]) for name, shape in shapes.items()}

    def get_config(self) -> dict:
        names = ("memory_size", "key_size", "num_neighbors", "margin", "age_noise", "seed", "num_classes")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def _first(where, slots):
    """The first slot of each row at which `where` is true."""
    return ops.take_along_axis(slots, ops.top_k(ops.cast(where, "float32"), 1)[1], axis=1)[:, 0]
