"""Batches in an order that is a pure function of (seed, epoch), readable from any step."""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from toolkit.lazy import tensorflow as tf

Plan = Callable[[int], list[np.ndarray]]


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
        self._plan = plan
        self._signature = signature
        self._functions: tuple[Callable, ...] = ()
        self.num_examples = num_examples
        self.steps_per_epoch = len(plan(0))
        if not self.steps_per_epoch:
            raise ValueError("The data set is empty: an epoch of it holds no batch.")

    def dataset(self, start_step: int = 0, num_epochs: int | None = None) -> Any:
        """The batches from a step on.

        Args:
            start_step: Steps to leave out, counted from the first epoch's start.
            num_epochs: Epochs to end after, counted from the first; None: endless.

        Returns:
            A `tf.data.Dataset`.
        """

        def indices():
            epoch, first = divmod(start_step, self.steps_per_epoch)
            while num_epochs is None or epoch < num_epochs:
                yield from self._plan(epoch)[first:]
                epoch, first = epoch + 1, 0

        specs = tf.nest.flatten(self._signature)

        def read(chosen):
            flat = tf.numpy_function(
                lambda i: tuple(tf.nest.flatten(self._read(i))),
                [chosen],
                [spec.dtype for spec in specs],
                stateful=False,
            )
            for tensor, spec in zip(flat, specs, strict=True):
                tensor.set_shape(spec.shape)
            return tf.nest.pack_sequence_as(self._signature, flat)

        dataset = tf.data.Dataset.from_generator(indices, output_signature=tf.TensorSpec([None], tf.int64))
        dataset = dataset.map(read, num_parallel_calls=2, deterministic=True)
        for function in self._functions:
            dataset = dataset.map(function, num_parallel_calls=2, deterministic=True)
        left = tf.data.INFINITE_CARDINALITY
        if num_epochs is not None:
            left = max(0, num_epochs * self.steps_per_epoch - start_step)
        return dataset.apply(tf.data.experimental.assert_cardinality(left)).prefetch(4)

    def map(self, function: Callable) -> "Batches":
        """Batches that a function has been applied to, in the pipeline.

        Args:
            function: Made of TensorFlow ops; a tuple's parts are its arguments, anything else its only one.

        Returns:
            The new batches.
        """
        mapped = Batches(self._read, self._plan, self._signature, num_examples=self.num_examples)
        mapped._functions = (*self._functions, function)
        return mapped

    def take(self, num_batches: int) -> "Batches":
        """The first batches of each epoch.

        Args:
            num_batches: How many; at most those there are.

        Returns:
            The new batches.
        """
        taken = Batches(
            self._read, lambda epoch: self._plan(epoch)[:num_batches], self._signature, num_examples=self.num_examples
        )
        taken._functions = self._functions
        return taken

    def peek(self) -> Any:
        """The first batch, as NumPy arrays."""
        return next(self.dataset(num_epochs=1).as_numpy_iterator())


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
