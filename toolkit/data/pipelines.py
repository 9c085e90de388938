"""Batches in the order of a plan, readable from any step."""

import copy
import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from toolkit.data.contents import contents_of
from toolkit.data.mapping import mapped
from toolkit.data.plans import CUTS, Plan
from toolkit.lazy import tensorflow as tf

SERVED = "toolkit.data.service"  # the name of the function that reads for others: see service.py


class Batches:
    """A data set of batches that can be read from any step on, without reading what comes before it.

    Args:
        read: Makes a batch, a nested dict or tuple of NumPy arrays, from the indices of its examples.
        plan: An epoch's number to the indices of its batches, in order; every epoch has as many batches.
        signature: `tf.TensorSpec`s nested as the batch is, None for axes that differ between batches.
        num_examples: How many examples there are.
        continues: Whether each batch goes on where the one before it ended, as those of streams do. They have no
            examples that could be seeded, chosen or shared out, and only `take` cuts them.

    Attributes:
        steps_per_epoch: Batches in an epoch.

    Raises:
        ValueError: Where an epoch holds no batch.

    Example:

    >>> from toolkit.data.plans import shuffled_plan
    >>> numbers = np.arange(10.0, dtype="float32")
    >>> plan = shuffled_plan(10, batch_size=4, seed=0, shuffle=False)
    >>> batches = Batches(lambda i: numbers[i], plan, tf.TensorSpec([None], tf.float32), num_examples=10)
    >>> [batch.numpy().tolist() for batch in batches.dataset(start_step=1, num_epochs=1)]
    [[4.0, 5.0, 6.0, 7.0], [8.0, 9.0]]
    """

    def __init__(
        self,
        read: Callable[[np.ndarray], Any],
        plan: Plan,
        signature: Any,
        *,
        num_examples: int,
        continues: bool = False,
    ) -> None:
        self._read = read
        self._whole_plan = plan
        self._signature = signature
        self._cuts: tuple[tuple, ...] = ()
        self._plan = functools.lru_cache(maxsize=2)(self._cut_plan)  # two: calls in parallel meet at an epoch's end
        self._functions: tuple[tuple[Callable, int | None], ...] = ()
        self._numbers_in_epoch = self._num_examples = num_examples
        self._continues = continues
        self.steps_per_epoch = len(plan(0))
        if not self.steps_per_epoch:
            raise ValueError("The data set is empty: an epoch of it holds no batch.")

    @property
    def num_examples(self) -> int:
        """How many examples there are: of what `take` and the like have left, those of the first epoch.

        Of batches that continue one another it counts the whole, whatever is left.
        """
        return sum(map(len, self._plan(0))) if self._cuts and not self._continues else self._num_examples

    def dataset(self, start_step: int = 0, num_epochs: int | None = None, service: str = "") -> Any:
        """Reads the batches from a step on.

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
        how = {"num_parallel_calls": 2, "deterministic": True}
        numbered = any(seed is not None for _, seed in self._functions)
        dataset = dataset.map(self._reader(served=bool(service), numbered=numbered), **how)
        dataset = mapped(dataset, self._functions, **how)
        if service:
            dataset = dataset.apply(
                tf.data.experimental.service.distribute(
                    tf.data.experimental.service.ShardingPolicy.DYNAMIC, f"grpc://{service}"
                )
            )
        if num_epochs is None:
            dataset = dataset.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
        return dataset.prefetch(4)

    def _reader(self, served, numbered):
        signature = (self._signature, tf.TensorSpec([None], tf.int64)) if numbered else self._signature
        specs = tf.nest.flatten(signature)
        types = [spec.dtype for spec in specs]

        def read(step):
            if served:
                how = [step, self.fingerprint, json.dumps(self._cuts), numbered]
                flat = tf.raw_ops.PyFuncStateless(input=how, token=SERVED, Tout=types)
            else:
                flat = tf.numpy_function(self.flat_batch, [step, numbered], types, stateful=False)
            for tensor, spec in zip(flat, specs, strict=True):
                tensor.set_shape(spec.shape)
            return tf.nest.pack_sequence_as(signature, flat)

        return read

    def flat_batch(self, step: int, numbered: bool = False) -> tuple[np.ndarray, ...]:
        """Reads a step's batch as the reader makes it, before any `map`: its arrays in the order of `tf.nest.flatten`.

        Args:
            step: The step, counted from the first epoch's start.
            numbered: Whether a last array, int64 (batch,), says which examples they are and in which epoch: a number
                that no other example, and no other epoch, has.
        """
        epoch, index = divmod(int(step), self.steps_per_epoch)
        indices = self._plan(epoch)[index]
        flat = tuple(tf.nest.flatten(self._read(indices)))
        return (*flat, np.asarray(indices, np.int64) + epoch * self._numbers_in_epoch) if numbered else flat

    def _cut_plan(self, epoch):
        plan = self._whole_plan(epoch)
        for cut, *numbers in self._cuts:
            plan = CUTS[cut](plan, *numbers)
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

    @functools.cached_property
    def contents(self) -> dict[str, Any]:
        """What tells the examples apart from others, for JSON; see `contents.contents_of`."""
        return contents_of(self._read, self._whole_plan(0), self._num_examples)

    def cut(self, cuts: Sequence[Sequence]) -> "Batches":
        """Takes the batches that are left after `take`, `at_least`, `shard` and `spread` as another's `cuts` say.

        Args:
            cuts: Their names and numbers.

        Returns:
            The new batches.

        Raises:
            ValueError: Where batches continue one another, and anything but `take` is asked for.
        """
        for name, *_ in cuts:
            if name != "take":
                self._check_examples(name)
        new = copy.copy(self)
        new._cuts = (*self._cuts, *map(tuple, cuts))
        new._plan = functools.lru_cache(maxsize=2)(new._cut_plan)
        new.steps_per_epoch = len(new._plan(0))
        return new

    def map(self, function: Callable, seed: int | None = None) -> "Batches":
        """Applies a function to the batches, in the pipeline.

        Args:
            function: Made of TensorFlow ops; a tuple's parts are its arguments, anything else its only one.
            seed: Where it is given, the function has one more argument, the last one: int64 (batch,), a seed for each
                example, which is a pure function of this seed, the epoch and the example. What is drawn from it stays
                the same after a resume and whatever else is in the batch.

        Returns:
            The new batches.

        Raises:
            ValueError: Where batches continue one another, and a seed is given.
        """
        if seed is not None:
            self._check_examples("map(..., seed=)")
        new = self.cut([])
        new._functions = (*self._functions, (function, seed))
        return new

    def subset(self, indices: np.ndarray, plan: Plan) -> "Batches":
        """Takes the batches of some examples only, such as a pool's: read and mapped as all are, in an own order.

        An example keeps its number, and so the seed that `map` gives it. What was cut off the whole's batches, as by
        `take`, is not cut off these.

        Args:
            indices: (n,), which examples, each once.
            plan: Batches of 0 to n - 1, places in `indices`.

        Returns:
            The new batches, with a fingerprint of their own.

        Raises:
            ValueError: Where an index is no example's, or one stands twice, or the plan holds no batch; where batches
                continue one another.

        Example:

        >>> from toolkit.data.plans import shuffled_plan
        >>> plan = shuffled_plan(10, batch_size=4, seed=0)
        >>> batches = Batches(lambda i: i, plan, tf.TensorSpec([None], tf.int64), num_examples=10)
        >>> batches.subset(np.array([2, 3, 5]), shuffled_plan(3, batch_size=4, seed=0, shuffle=False)).peek()
        array([2, 3, 5])
        """
        self._check_examples("subset")
        indices = np.asarray(indices, np.int64)
        if indices.ndim != 1 or len(np.unique(indices)) != len(indices) or np.any(indices < 0):
            raise ValueError(
                f"indices: expected (n,), each once; got {indices.shape}, {len(np.unique(indices))} unlike."
            )
        if np.any(indices >= self._numbers_in_epoch):
            raise ValueError(f"indices: expected 0 to {self._numbers_in_epoch - 1}; got {indices.max()}.")
        chosen = Batches(
            self._read,
            lambda epoch: [indices[places] for places in plan(epoch)],
            self._signature,
            num_examples=len(indices),
        )
        chosen._functions, chosen._numbers_in_epoch = self._functions, self._numbers_in_epoch
        return chosen

    def _check_examples(self, asked):
        if self._continues:
            raise ValueError(
                f"{asked} is for batches of examples; each of these batches goes on where the one before it ended."
            )

    def take(self, num_batches: int) -> "Batches":
        """Takes the first batches of each epoch.

        Args:
            num_batches: How many, 1 or more; at most those there are.

        Returns:
            The new batches.

        Raises:
            ValueError: Where none is asked for.
        """
        if num_batches < 1:
            raise ValueError(f"take: expected 1 batch or more; got {num_batches}.")
        return self.cut([("take", num_batches)])

    def at_least(self, num_examples: int) -> "Batches":
        """Takes the batches that hold no fewer examples than this; the other ones are left out.

        Args:
            num_examples: How many.

        Returns:
            The new batches.
        """
        return self.cut([("at_least", num_examples)])

    def shard(self, num_shards: int, indices: Sequence[int]) -> "Batches":
        """Takes parts of batches: each is cut in `num_shards` parts, of which some follow one another.

        Args:
            num_shards: How many parts; at most the examples of the smallest batch.
            indices: Which parts.

        Returns:
            The new batches, `len(indices)` for each one.

        Raises:
            ValueError: Where a batch has fewer examples than parts.
        """
        self._check_examples("shard")
        smallest = min(map(len, self._plan(0)))
        if smallest < num_shards:
            raise ValueError(f"A batch of {smallest} examples cannot be cut in {num_shards} parts.")
        return self.cut([("shard", num_shards, *indices)])

    def spread(self, num_examples: int) -> "Batches":
        """Takes single examples, evenly spaced over an epoch: a small sample of everything, without padding.

        Args:
            num_examples: How many, 1 or more; at most those there are.

        Returns:
            The new batches, of one example each.

        Raises:
            ValueError: Where none is asked for.
        """
        if num_examples < 1:
            raise ValueError(f"spread: expected 1 example or more; got {num_examples}.")
        return self.cut([("spread", num_examples)])

    def arrays(self) -> Any:
        """Reads an epoch as NumPy arrays, nested as a batch is: for examples that all have the same shape."""
        batches = list(self.dataset(num_epochs=1).as_numpy_iterator())
        return tf.nest.map_structure(lambda *parts: np.concatenate(parts), *batches)

    def peek(self) -> Any:
        """Reads the first batch, as NumPy arrays."""
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

    @property
    def contents(self) -> dict[str, Any]:
        """What tells this data apart from other, by part; see `Batches.contents`."""
        return {name: getattr(self, name).contents for name in ("train", "validation", "test")}

    def map(self, function: Callable, seed: int | None = None) -> "Splits":
        """Applies a function to each part's batches.

        Args:
            function: As in `Batches.map`.
            seed: As in `Batches.map`.

        Returns:
            The new splits.
        """
        return Splits(*(part.map(function, seed) for part in (self.train, self.validation, self.test)))
