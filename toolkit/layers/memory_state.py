"""A memory as plain arrays: keys, values and ages, what is read from them, and what they are after something was seen.

K is float32 (slots, key_size), of rows of length 1; V int32 (slots,), at least 0, and -1 where a slot is empty; A int32
(slots,), the steps since a slot was last used. `layers.Memory` keeps them as its weights; an export takes and returns
them, with operations that TFLite has built in.

Reference: Kaiser et al. 2017, arXiv 1703.03129, section 2.
"""

import math
from typing import Any

from keras import ops

# Slots that are searched at once: similarities to more of them are never held together.
_BLOCK = 2**16
# Below any cosine, and older than any slot.
_NOWHERE, _NEVER = -2.0, 2.0**30


def empty(memory_size: int, key_size: int) -> tuple[Any, Any, Any]:
    """Makes a memory in which nothing is.

    Args:
        memory_size: Slots.
        key_size: Numbers of a key.

    Returns:
        Keys, values and ages.

    Example:

    >>> [array.shape for array in empty(4, 2)]
    [TensorShape([4, 2]), TensorShape([4]), TensorShape([4])]
    """
    slots = (memory_size,)
    return ops.zeros((*slots, key_size)), ops.full(slots, -1, "int32"), ops.zeros(slots, "int32")


def unit(vectors: Any) -> Any:
    """Scales vectors to length 1, in float32; a vector of zeros stays what it is.

    Args:
        vectors: (..., key_size).

    Returns:
        float32 (..., key_size).
    """
    vectors = ops.cast(vectors, "float32")
    squares = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.rsqrt(ops.maximum(squares, 1e-24))


def neighbors(keys: Any, values: Any, queries: Any, num_neighbors: int) -> tuple[Any, Any]:
    """Finds the slots whose keys are nearest to each query, exactly.

    Args:
        keys: K.
        values: V.
        queries: float32 (queries, key_size), of length 1.
        num_neighbors: How many; at most as many as there are slots.

    Returns:
        Similarities, float32 (queries, num_neighbors), the greatest first, of an empty slot -2; and slots, int32.

    Raises:
        ValueError: Where queries have another size than keys.
    """
    check_size(queries.shape, keys.shape[-1])

    def similarities(start, stop):
        found = ops.matmul(queries, ops.transpose(keys[start:stop]))
        return ops.where(values[start:stop] >= 0, found, _NOWHERE)

    return _greatest(similarities, keys.shape[0], num_neighbors)


def check_size(shape: Any, key_size: int | None, name: str = "memory") -> None:
    """Refuses queries of another size than the keys.

    Args:
        shape: Of the queries: (batch, ..., key_size), None where a size is not known.
        key_size: Numbers of a key; None where that is not known.
        name: Of what is asked.

    Raises:
        ValueError: Where they have another size.
    """
    if len(shape) < 2 or None not in (key_size, shape[-1]) and shape[-1] != key_size:
        raise ValueError(
            f"{name}: expected queries (batch, ..., {key_size}), of the keys' size; got shape {tuple(shape)}."
        )


def recalled(keys: Any, values: Any, queries: Any, num_neighbors: int = 256, margin: float = 0.1) -> dict[str, Any]:
    """Reads what the memory has for each query: the value of the nearest key.

    The confidence is the weight of all neighbours that have this value, of softmax(t q . K) with t = max(1, ln(0.2
    num_neighbors) / margin): a neighbour that is nearer than all others by the margin has a sixth.

    Args:
        keys: K.
        values: V.
        queries: (queries, key_size), of any length.
        num_neighbors: How many neighbours the weight is shared among.
        margin: Of the loss that the queries are trained with.

    Returns:
        "value", int32 (queries,), -1 where the memory is empty; "confidence", float32 (queries,), 0 to 1; and "slot",
        int32 (queries,).

    Example:

    >>> keys, values = ops.array([[1.0, 0.0], [0.0, 1.0]]), ops.array([7, 9], "int32")
    >>> int(recalled(keys, values, ops.array([[0.2, 5.0]]))["value"][0])
    9
    """
    return read(values, *neighbors(keys, values, unit(queries), min(num_neighbors, keys.shape[0])), margin)


def read(values: Any, similarities: Any, slots: Any, margin: float) -> dict[str, Any]:
    """Reads what the neighbours hold, as `recalled` does.

    Args:
        values: V.
        similarities: float32 (queries, num_neighbors), the greatest first.
        slots: int32 (queries, num_neighbors).
        margin: Of the loss.

    Returns:
        As `recalled`.
    """
    temperature = max(1.0, math.log(0.2 * slots.shape[1]) / margin)
    held = ops.take(values, slots, axis=0)
    value = held[:, 0]
    agree = ops.logical_and(ops.equal(held, value[:, None]), held >= 0)
    weights = ops.exp(temperature * (similarities - similarities[:, :1]))  # ops.softmax warns of a single neighbour
    confidence = ops.sum(ops.where(agree, weights, 0.0), axis=-1) / ops.sum(weights, axis=-1)
    return {"value": value, "confidence": confidence, "slot": slots[:, 0]}


def remembered(keys: Any, values: Any, ages: Any, queries: Any, labels: Any, noise: Any) -> tuple[Any, Any, Any]:
    """Gives the memory as it is after queries were seen with their labels.

    Where the nearest key K_n has the label for its value: K_n <- (K_n + q) / |K_n + q|. Elsewhere the query and its
    label are written to the oldest slot, that of the greatest A + noise, an empty one before all others. Slots that
    were used have age 0, all others are a step older.

    Queries of one batch are compared with the memory as it was before. Several that meet one key are added to it
    together; no two are written to one slot, and none to a slot that another one just met.

    Args:
        keys: K.
        values: V.
        ages: A.
        queries: (queries, key_size), of any length; at most as many as there are slots.
        labels: int32 (queries,); a query whose label is -1 is left out.
        noise: float32 (slots,), for instance uniform from -8 to 8.

    Returns:
        Keys, values and ages.

    Example:

    >>> state = remembered(*empty(3, 2), ops.array([[2.0, 0.0]]), ops.array([5]), ops.zeros(3))
    >>> [ops.convert_to_numpy(array).tolist() for array in state]
    [[[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], [5, -1, -1], [0, 1, 1]]
    """
    queries = unit(queries)
    _, slots = neighbors(keys, values, queries, 1)
    return written(keys, values, ages, queries, labels, slots[:, 0], noise)


def written(keys: Any, values: Any, ages: Any, queries: Any, labels: Any, slots: Any, noise: Any) -> tuple:
    """Gives the memory after queries were seen whose nearest slots are known, as `remembered` does.

    Args:
        keys: K.
        values: V.
        ages: A.
        queries: float32 (queries, key_size), of length 1.
        labels: int32 (queries,).
        slots: int32 (queries,), the nearest.
        noise: float32 (slots,).

    Returns:
        Keys, values and ages.
    """
    size, labels = keys.shape[0], ops.cast(labels, "int32")
    hit = ops.logical_and(labels >= 0, ops.equal(ops.take(values, slots, axis=0), labels))
    missed = ops.logical_and(labels >= 0, ops.logical_not(hit))
    met = _writers(ops.where(hit, slots, size), size) >= 0
    oldness = ops.where(values < 0, _NEVER, ops.cast(ages, "float32")) + noise
    _, oldest = ops.top_k(ops.where(met, -_NEVER, oldness), ops.shape(queries)[0])
    place = ops.cumsum(ops.cast(missed, "int32")) - 1
    free = ops.take(oldest, ops.maximum(place, 0), axis=0)
    # Rows of equal keys where several queries met one slot, so that it does not matter which of them writes it.
    together = ops.logical_and(ops.equal(slots[:, None], slots), hit)
    moved = ops.matmul(ops.cast(together, "float32"), queries) + ops.take(keys, slots, axis=0)
    rows = ops.where(hit[:, None], unit(moved), queries)
    writers = _writers(ops.where(hit, slots, ops.where(missed, free, size)), size)
    changed, writers = writers >= 0, ops.maximum(writers, 0)
    return (
        ops.where(changed[:, None], ops.take(rows, writers, axis=0), keys),
        ops.where(changed, ops.take(labels, writers, axis=0), values),
        ops.where(changed, 0, ages + 1),
    )


def _writers(slots, size):
    """The number of the query that goes to each slot, int32 (size,), negative where none does; slot `size` is none."""
    numbers = ops.arange(ops.shape(slots)[0], dtype="int32")
    return ops.segment_max(numbers, slots, size + 1)[:size]


def newest(values: Any, ages: Any, labels: Any) -> Any:
    """Finds the slot of each label that was used last; where there is none, any slot.

    Args:
        values: V.
        ages: A.
        labels: int32 (queries,).

    Returns:
        int32 (queries,).
    """

    def youth(start, stop):
        young = -ops.cast(ages[start:stop], "float32")
        return ops.where(ops.equal(values[start:stop], labels[:, None]), young, -_NEVER)

    return _greatest(youth, values.shape[0], 1)[1][:, 0]


def _greatest(score, size, number):
    """The greatest scores and their slots, (queries, number); `score(start, stop)` gives a block of slots' scores."""
    best = None
    for start in range(0, size, _BLOCK):
        stop = min(start + _BLOCK, size)
        found, slots = _top(score(start, stop), stop - start, min(number, stop - start))
        slots = slots + start
        if best is not None:
            found, slots = (ops.concatenate(pair, axis=1) for pair in zip(best, (found, slots), strict=True))
            found, places = ops.top_k(found, min(number, found.shape[1]))
            slots = ops.take_along_axis(slots, places, axis=1)
        best = found, slots
    return best


def _top(scores, size, number):
    """`ops.top_k` of scores (queries, size), sooner where `number` of `size` are few.

    Slots are cut in groups. The `number` greatest are all in the `number` groups with the greatest maxima, so that no
    others need be looked at.
    """
    group = 2 ** int(math.log2(max(size / number, 1)) / 2) if number > 1 else 1
    if group == 1:
        found, slots = ops.top_k(scores, number)
        return found, ops.cast(slots, "int32")
    num_groups = -(-size // group)
    scores = ops.pad(scores, ((0, 0), (0, group * num_groups - size)), constant_values=-2 * _NEVER)
    scores = ops.reshape(scores, (-1, group, num_groups))  # slot s is in group s % num_groups
    _, groups = ops.top_k(ops.max(scores, axis=1), number)
    groups = ops.cast(groups, "int32")
    held = ops.reshape(ops.take_along_axis(scores, groups[:, None], axis=2), (-1, group * number))
    found, places = ops.top_k(held, number)
    places = ops.cast(places, "int32")
    return found, ops.take_along_axis(groups, places % number, axis=1) + num_groups * (places // number)
