"""Orders of batches, each a pure function of (seed, epoch): which examples meet, and which come first."""

from collections.abc import Callable

import numpy as np

# An epoch's number to the indices of its batches, in order.
Plan = Callable[[int], list[np.ndarray]]


def shuffled_plan(num_examples: int, batch_size: int, *, seed: int, shuffle: bool = True) -> Plan:
    """Plans batches of examples in random order; each example once an epoch, the last batch perhaps smaller.

    Args:
        num_examples: How many examples there are.
        batch_size: Examples in a batch.
        seed: With the epoch, decides the order.
        shuffle: False: always the given order.

    Returns:
        A plan for `Batches`.

    Example:

    >>> [batch.tolist() for batch in shuffled_plan(5, 2, seed=0, shuffle=False)(0)]
    [[0, 1], [2, 3], [4]]
    """
    return bucketed_plan(np.zeros(num_examples), batch_size, seed=seed, shuffle=shuffle, num_buckets=1)


def bucketed_plan(
    lengths: np.ndarray, batch_size: int, *, seed: int, shuffle: bool = True, num_buckets: int = 8
) -> Plan:
    """Plans batches of examples of like length, so that little is padding.

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

    return _plan(buckets, batch_size, seed, shuffle)


def grouped_plan(sizes: np.ndarray, batch_size: int, *, seed: int, shuffle: bool = True) -> Plan:
    """Plans batches of examples that all have the same size, such as images of unlike shape, which cannot be padded.

    Args:
        sizes: Each example's size, (examples,) or, as height and width are, (examples, numbers).
        batch_size: Examples in a batch; the last one of each size may hold fewer.
        seed: With the epoch, decides which examples of a size meet and the batches' order.
        shuffle: False: always the given order inside a size, smallest first.

    Returns:
        A plan for `Batches`; each example once an epoch.

    Raises:
        ValueError: Where `batch_size` is less than 1.

    Example:

    >>> [batch.tolist() for batch in grouped_plan([8, 9, 8, 8], 2, seed=0, shuffle=False)(0)]
    [[0, 2], [3], [1]]
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1; got {batch_size}.")
    _, group = np.unique(sizes, axis=0, return_inverse=True)
    groups = [np.flatnonzero(group.reshape(-1) == number) for number in range(group.max(initial=-1) + 1)]
    return _plan(groups, batch_size, seed, shuffle)


def paired_plan(num_first: int, num_second: int, batch_size: int, *, seed: int) -> Plan:
    """Plans batches that are in turn of one kind and of another: an example of the first, one of the second.

    Args:
        num_first: Examples of the first kind, numbered from 0.
        num_second: Examples of the second kind, numbered from `num_first`.
        batch_size: Examples in a batch, an even number.
        seed: With the epoch, decides the order.

    Returns:
        A plan for `Batches`. An epoch has each example of the kind of which there are more, once, but those that fill
        no batch; those of the other kind come again and again.

    Raises:
        ValueError: Where a kind has no example, or `batch_size` is odd or less than 2.

    Example:

    >>> [batch.tolist() for batch in paired_plan(1, 4, 4, seed=0)(0)]
    [[0, 3, 0, 1], [0, 2, 0, 4]]
    """
    if min(num_first, num_second) < 1 or batch_size < 2 or batch_size % 2:
        raise ValueError(
            "expected one example of each kind at least and an even batch_size; got "
            f"{num_first} and {num_second} examples and batch_size={batch_size}."
        )
    # As many pairs as fill whole batches, one batch at least.
    size = batch_size // 2
    num_pairs = max(1, max(num_first, num_second) // size) * size

    def plan(epoch):
        random = np.random.default_rng([seed, epoch])

        def repeated(start, number):
            rounds = [random.permutation(number) for _ in range(-(-num_pairs // number))]
            return start + np.concatenate(rounds)[:num_pairs]

        pairs = np.stack([repeated(0, num_first), repeated(num_first, num_second)], axis=1)
        return list(pairs.reshape(-1, batch_size))

    return plan


def _plan(groups, batch_size, seed, shuffle):
    """Batches of examples of one group each, in random order, of which each epoch has its own."""

    def plan(epoch):
        random = np.random.default_rng([seed, epoch])
        orders = [random.permutation(group) if shuffle else group for group in groups]
        batches = [order[start : start + batch_size] for order in orders for start in range(0, len(order), batch_size)]
        return [batches[i] for i in random.permutation(len(batches))] if shuffle else batches

    return plan


def _shard(plan, num_shards, *indices):
    cut = [np.array_split(batch, num_shards) for batch in plan]
    return [batch[index] for batch in cut for index in indices]


def _spread(plan, num_examples):
    examples = np.concatenate(plan)
    chosen = np.linspace(0, len(examples) - 1, min(num_examples, len(examples))).round().astype(int)
    return [examples[index : index + 1] for index in chosen]


# What is left of an epoch's batches, by name: of `Batches.cut`.
CUTS = {
    "take": lambda plan, num_batches: plan[:num_batches],
    "at_least": lambda plan, num_examples: [batch for batch in plan if len(batch) >= num_examples],
    "shard": _shard,
    "spread": _spread,
}
