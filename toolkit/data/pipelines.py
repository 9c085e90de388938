"""Batches in an order that is a pure function of (seed, epoch), readable from any step."""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toolkit.lazy import tensorflow as tf

Plan = Callable[[int], list[np.ndarray]]

SERVED = "toolkit.data.service"  # the name of the function that reads for others: see service.py


class Batches:
    """A data set of batches that can be read from any step on, without reading what comes before it.

    Args:
        read: Makes a batch, a nested dict or tuple of NumPy arrays, from the indices of its examples.
        plan: An epoch's number to the indices of its batches, in order; every epoch has as many batches.
        signature: `tf.TensorSpec`s nested as the batch is, None for axes that differ between batches.
        num_examples: How many examples there are.

    Attributes:
        steps_per_epoch: Batches in an epoch.

    Raises:
        ValueError: Where an epoch holds no batch.

    Example:

    >>> numbers = np.arange(10.0, dtype="float32")
    >>> plan = shuffled_plan(10, batch_size=4, seed=0, shuffle=False)
    >>> batches = Batches(lambda i: numbers[i], plan, tf.TensorSpec([None], tf.float32), num_examples=10)
    >>> [batch.numpy().tolist() for batch in batches.dataset(start_step=1, num_epochs=1)]
    [[4.0, 5.0, 6.0, 7.0], [8.0, 9.0]]
    """

    def __init__(self, read: Callable[[np.ndarray], Any], plan: Plan, signature: Any, *, num_examples: int) -> None:
        self._read = read
        self._whole_plan = plan
        self._signature = signature
        self._cuts: tuple[tuple, ...] = ()
        self._plan = functools.lru_cache(maxsize=2)(self._cut_plan)  # two: calls in parallel meet at an epoch's end
        self._functions: tuple[Callable, ...] = ()
        self.num_examples = num_examples
        self.steps_per_epoch = len(plan(0))
        if not self.steps_per_epoch:
            raise ValueError("The data set is empty: an epoch of it holds no batch.")

    def dataset(self, start_step: int = 0, num_epochs: int | None = None, service: str = "") -> Any:
        """The batches from a step on.

        Args:
            start_step: Steps to leave out, counted from the first epoch's start.
            num_epochs: Epochs to end after, counted from the first; None: endless.
            service: "HOST:PORT" of a `data.service`, whose processes read and map instead of this one. Where several
                do, a batch may come before one that was due, and those that a lost process was reading are left out.

        Returns:
            A `tf.data.Dataset`.
        """
        last = np.iinfo(np.int64).max if num_epochs is None else num_epochs * self.steps_per_epoch
        dataset = tf.data.Dataset.range(start_step, last)
        dataset = dataset.map(self._reader(served=bool(service)), num_parallel_calls=2, deterministic=True)
        for function in self._functions:
            dataset = dataset.map(function, num_parallel_calls=2, deterministic=True)
        if service:
            dataset = dataset.apply(
                tf.data.experimental.service.distribute(
                    tf.data.experimental.service.ShardingPolicy.DYNAMIC, f"grpc://{service}"
                )
            )
        if num_epochs is None:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
        return dataset.prefetch(4)

    def _reader(self, served):
        specs = tf.nest.flatten(self._signature)
        types = [spec.dtype for spec in specs]

        def read(step):
            if served:
                how = [step, self.fingerprint, json.dumps(self._cuts)]
                flat = tf.raw_ops.PyFuncStateless(input=how, token=SERVED, Tout=types)
            else:
                flat = tf.numpy_function(self.flat_batch, [step], types, stateful=False)
            for tensor, spec in zip(flat, specs, strict=True):
                tensor.set_shape(spec.shape)
            return tf.nest.pack_sequence_as(self._signature, flat)

        return read

    def flat_batch(self, step: int) -> tuple[np.ndarray, ...]:
        """A step's batch as the reader makes it, before any `map`: its arrays in the order of `tf.nest.flatten`.

        Args:
            step: The step, counted from the first epoch's start.
        """
        epoch, index = divmod(int(step), self.steps_per_epoch)
        return tuple(tf.nest.flatten(self._read(self._plan(epoch)[index])))

    def _cut_plan(self, epoch):
        plan = self._whole_plan(epoch)
        for cut, *numbers in self._cuts:
            plan = _CUTS[cut](plan, *numbers)
        return plan

    @functools.cached_property
    def fingerprint(self) -> str:
        """Tells data sets apart that are cut in other batches or begin with another one."""
        digest = hashlib.sha256()
        for batch in self._whole_plan(0):
            digest.update(np.asarray(batch, np.int64).tobytes() + b";")
        for array in tf.nest.flatten(self._read(self._whole_plan(0)[0])):
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def cut(self, cuts: Sequence[Sequence]) -> "Batches":
        """The batches that are left after `take`, `at_least`, `shard` and `spread` as another's `cuts` say.

        Args:
            cuts: Their names and numbers.

        Returns:
            The new batches.
        """
        new = Batches(self._read, self._whole_plan, self._signature, num_examples=self.num_examples)
        new._functions, new._cuts = self._functions, (*self._cuts, *map(tuple, cuts))
        new.steps_per_epoch = len(new._plan(0))
        return new

    def map(self, function: Callable) -> "Batches":
        """Batches that a function has been applied to, in the pipeline.

        Args:
            function: Made of TensorFlow ops; a tuple's parts are its arguments, anything else its only one.

        Returns:
            The new batches.
        """
        mapped = self.cut([])
        mapped._functions = (*self._functions, function)
        return mapped

    def take(self, num_batches: int) -> "Batches":
        """The first batches of each epoch.

        Args:
            num_batches: How many; at most those there are.

        Returns:
            The new batches.
        """
        return self.cut([("take", num_batches)])

    def at_least(self, num_examples: int) -> "Batches":
        """The batches that hold no fewer examples than this; the other ones are left out.

        Args:
            num_examples: How many.

        Returns:
            The new batches.
        """
        return self.cut([("at_least", num_examples)])

    def shard(self, num_shards: int, indices: Sequence[int]) -> "Batches":
        """Parts of batches: each is cut in `num_shards` parts, of which some follow one another.

        Args:
            num_shards: How many parts; at most the examples of the smallest batch.
            indices: Which parts.

        Returns:
            The new batches, `len(indices)` for each one.

        Raises:
            ValueError: Where a batch has fewer examples than parts.
        """
        smallest = min(map(len, self._plan(0)))
        if smallest < num_shards:
            raise ValueError(f"A batch of {smallest} examples cannot be cut in {num_shards} parts.")
        return self.cut([("shard", num_shards, *indices)])

    def spread(self, num_examples: int) -> "Batches":
        """Single examples, evenly spaced over an epoch: a small sample of everything, without padding.

        Args:
            num_examples: How many; at most those there are.

        Returns:
            The new batches, of one example each.
        """
        return self.cut([("spread", num_examples)])

    def peek(self) -> Any:
        """The first batch, as NumPy arrays."""
        return next(self.dataset(num_epochs=1).as_numpy_iterator())


def _shard(plan, num_shards, *indices):
    cut = [np.array_split(batch, num_shards) for batch in plan]
    return [batch[index] for batch in cut for index in indices]


def _spread(plan, num_examples):
    examples = np.concatenate(plan)
    chosen = np.linspace(0, len(examples) - 1, min(num_examples, len(examples))).round().astype(int)
    return [examples[index : index + 1] for index in chosen]


_CUTS = {
    "take": lambda plan, num_batches: plan[:num_batches],
    "at_least": lambda plan, num_examples: [batch for batch in plan if len(batch) >= num_examples],
    "shard": _shard,
    "spread": _spread,
}


@dataclasses.dataclass(frozen=True)
class Splits:
    """A data set's three parts.

    Args:
        train: What is learned from.
        validation: What decides which weights are kept.
        test: What is reported.
    """

    train: Batches
    validation: Batches
    test: Batches

    def map(self, function: Callable) -> "Splits":
        """Applies a function to each part's batches.

        Args:
            function: As in `Batches.map`.

        Returns:
            The new splits.
        """
        return Splits(self.train.map(function), self.validation.map(function), self.test.map(function))


def shuffled_plan(num_examples: int, batch_size: int, *, seed: int, shuffle: bool = True) -> Plan:
    """Batches of examples in random order; each example once an epoch, the last batch perhaps smaller.

    Args:
        num_examples: How many examples there are.
        batch_size: Examples in a batch.
        seed: With the epoch, decides the order.
        shuffle: False: always the given order.

    Returns:
        A plan for `Batches`.
    """
    return bucketed_plan(np.zeros(num_examples), batch_size, seed=seed, shuffle=shuffle, num_buckets=1)


def bucketed_plan(
    lengths: np.ndarray, batch_size: int, *, seed: int, shuffle: bool = True, num_buckets: int = 8
) -> Plan:
    """Batches of examples of like length, so that little is padding.

    Args:
        lengths: Each example's length.
        batch_size: Examples in a batch.
        seed: With the epoch, decides which examples of a bucket meet and the batches' order.
        shuffle: False: always the given order inside the buckets, shortest bucket first.
        num_buckets: How many lengths to tell apart.

    Returns:
        A plan for `Batches`; each example once an epoch.

    Raises:
        ValueError: Where `batch_size` or `num_buckets` is less than 1.
    """
    if batch_size < 1 or num_buckets < 1:
        raise ValueError(f"batch_size and num_buckets must be at least 1; got {batch_size} and {num_buckets}.")
    by_length = np.argsort(lengths, kind="stable")
    # Whole batches to each bucket but the last: a small batch at each bucket's end would waste steps.
    num_batches = -(-len(by_length) // batch_size)
    edges = np.unique(np.linspace(0, num_batches, min(num_buckets, max(num_batches, 1)) + 1).astype(int)) * batch_size
    buckets = [np.sort(bucket) for bucket in np.split(by_length, edges[1:-1]) if len(bucket)]

    def plan(epoch):
        random = np.random.default_rng([seed, epoch])
        orders = [random.permutation(bucket) if shuffle else bucket for bucket in buckets]
        batches = [order[start : start + batch_size] for order in orders for start in range(0, len(order), batch_size)]
        return [batches[i] for i in random.permutation(len(batches))] if shuffle else batches

    return plan
