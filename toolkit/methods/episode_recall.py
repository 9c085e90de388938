"""What is recalled in episodes of new classes: by a memory, by the nearest example, by a last layer without memory."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from toolkit.layers import memory_state
from toolkit.lazy import tensorflow as tf
from toolkit.metrics.top_k_accuracy import wilson_interval

_AT_ONCE = 1 << 26  # numbers of a block of episodes


class Recalled(NamedTuple):
    """What was recalled at each step of some episodes.

    Args:
        values: int32 (episodes, steps), the class; -1: none was known.
        sources: int32 (episodes, steps), the earlier step that is recalled; -1: none, or none in particular.
    """

    values: np.ndarray
    sources: np.ndarray


def by_memory(
    keys: np.ndarray, values: np.ndarray, num_supports: int, *, memory_size: int = 8192, num_neighbors: int = 256
) -> Recalled:
    """Asks a memory, empty at the beginning of each episode, and lets it remember the supports.

    Each step asks; if it is a support, its value is then told and remembered. Of several slots that are as old the
    first is written, without the noise of a training.

    Args:
        keys: (episodes, steps, key_size), of any length.
        values: (episodes, steps), 0 or more.
        num_supports: How many of the first steps are remembered.
        memory_size: Slots of the memory.
        num_neighbors: As `layers.Memory` has it.

    Returns:
        `Recalled`. A slot that was written and then averaged with others counts as the step that wrote it.

    Raises:
        ValueError: Where an episode has more classes than there are slots.

    Reference: Kaiser et al. 2017, arXiv 1703.03129, sections 2 and 4.2.
    """
    keys, values = _checked(keys, values, num_supports)
    num_classes = max(len(np.unique(row)) for row in values)
    if num_classes > memory_size:
        raise ValueError(f"an episode of {num_classes} classes: a memory of {memory_size} slots cannot hold them.")
    # More slots than are filled change nothing; of a few sizes, so that few graphs are built.
    slots = min(memory_size, 2 ** max(3, (num_supports - 1).bit_length()))
    step = _stepper(slots, keys.shape[-1], num_neighbors)

    def block(keys, values):
        number, length = values.shape
        nothing = memory_state.empty(slots, keys.shape[-1])
        state = [tf.repeat(tf.convert_to_tensor(part)[None], number, axis=0) for part in nothing]
        writers = np.full((number, slots), -1, "int32")
        found, sources = np.empty((2, number, length), "int32")
        every = np.arange(number)
        for place in range(length):
            label = values[:, place] if place < num_supports else np.full(number, -1, "int32")
            value, slot, *after = step(*state, keys[:, place], label)
            found[:, place] = value
            sources[:, place] = np.where(found[:, place] >= 0, writers[every, slot.numpy()], -1)
            if place < num_supports:
                written = after[2].numpy().argmin(axis=1)  # the slot of age 0
                own = (state[1].numpy()[every, written] == label) & (found[:, place] == label)
                writers[every, written] = np.where(own, writers[every, written], place)
            state = after
        return found, sources

    return Recalled(*_in_blocks(block, keys, values, slots * keys.shape[-1]))


@functools.lru_cache(maxsize=32)
def _stepper(slots, key_size, num_neighbors):
    """Asks and remembers one example of each of several episodes."""

    def one(given):
        keys, values, ages, query, label = given
        found = memory_state.recalled(keys, values, query[None], num_neighbors=num_neighbors)
        state = memory_state.remembered(keys, values, ages, query[None], label[None], tf.zeros(slots))
        return (found["value"][0], found["slot"][0], *state)

    shapes = (
        ((slots, key_size), "float32"),
        ((slots,), "int32"),
        ((slots,), "int32"),
        ((key_size,), "float32"),
        ((), "int32"),
    )
    specs = [tf.TensorSpec((None, *shape), dtype) for shape, dtype in shapes]
    return tf.function(lambda *given: tf.vectorized_map(one, given), input_signature=specs)


def by_nearest(keys: np.ndarray, values: np.ndarray, num_supports: int) -> Recalled:
    """Takes the value of the nearest earlier support, by the cosine of the keys: of pixels, the plain baseline.

    Args:
        keys: (episodes, steps, key_size).
        values: (episodes, steps).
        num_supports: How many of the first steps may be recalled.

    Returns:
        `Recalled`; of supports that are as near, the first.
    """
    keys, values = _checked(keys, values, num_supports)

    def block(keys, values):
        keys = keys / np.maximum(np.linalg.norm(keys, axis=-1, keepdims=True), 1e-12)
        cosines = keys @ keys[:, :num_supports].transpose(0, 2, 1)
        earlier = np.tril(np.ones(cosines.shape[1:], bool), -1)
        nearest = np.where(earlier, cosines, -np.inf).argmax(axis=-1)
        known = np.arange(values.shape[1]) > 0
        found = np.take_along_axis(values, nearest, axis=1)
        return np.where(known, found, -1).astype("int32"), np.where(known, nearest, -1).astype("int32")

    return Recalled(*_in_blocks(block, keys, values, keys.shape[1] * num_supports))


def by_last_layer(
    keys: np.ndarray, values: np.ndarray, num_supports: int, *, num_passes: int = 1, learning_rate: float = 1.0
) -> Recalled:
    """Learns the last layer of a softmax by a gradient step on each support: what a network without memory does.

    Its weights begin at 0 in each episode; keys have length 1.

    Args:
        keys: (episodes, steps, key_size), of any length.
        values: (episodes, steps), 0 or more.
        num_supports: How many of the first steps are learned from; in the first pass each is asked for before.
        num_passes: How often the supports are gone through before the other steps are asked for.
        learning_rate: Of the steps.

    Returns:
        `Recalled`, whose sources are none in particular.
    """
    keys, values = _checked(keys, values, num_supports)
    num_classes = int(values.max()) + 1

    def block(keys, values):
        keys = keys / np.maximum(np.linalg.norm(keys, axis=-1, keepdims=True), 1e-12)
        right = np.eye(num_classes, dtype=keys.dtype)[values]
        weights = np.zeros((len(keys), num_classes, keys.shape[-1]), keys.dtype)
        found = np.full(values.shape, -1, "int32")
        for place in (*range(num_supports),) * num_passes:
            logits = weights @ keys[:, place, :, None]
            if place and found[0, place] < 0:  # the first pass
                found[:, place] = logits[..., 0].argmax(axis=1)
            exponentials = np.exp(logits[..., 0] - logits[..., 0].max(axis=1, keepdims=True))
            wrong = right[:, place] - exponentials / exponentials.sum(axis=1, keepdims=True)
            weights += learning_rate * wrong[:, :, None] * keys[:, place, None, :]
        found[:, num_supports:] = (keys[:, num_supports:] @ weights.transpose(0, 2, 1)).argmax(axis=-1)
        return found, np.full(values.shape, -1, "int32")

    return Recalled(*_in_blocks(block, keys, values, num_classes * keys.shape[-1]))


def _checked(keys, values, num_supports):
    keys, values = np.asarray(keys), np.asarray(values, "int32")
    if keys.ndim != 3 or keys.shape[:2] != values.shape or not 1 <= num_supports <= values.shape[1] or not len(keys):
        raise ValueError(
            f"keys {keys.shape}, values {values.shape}, num_supports={num_supports}: expected (episodes, steps, "
            "key_size), (episodes, steps) and 1 to as many supports as steps."
        )
    return keys, values


def _in_blocks(function: Callable, keys: np.ndarray, values: np.ndarray, size: int) -> list[Any]:
    """Applies a function to some episodes at a time."""
    together = max(1, min(len(keys), _AT_ONCE // size))
    parts = [function(keys[at : at + together], values[at : at + together]) for at in range(0, len(keys), together)]
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def accuracy(recalled: np.ndarray, values: np.ndarray, chosen: np.ndarray) -> dict[str, float]:
    """Computes how much was recalled right, in percent, with its 95 % interval by Student's t over episodes.

    Args:
        recalled: (episodes, steps), what was recalled.
        values: (episodes, steps), what was right.
        chosen: bool, (episodes, steps) or (steps,), which steps count.

    Returns:
        "accuracy_percent", "low" and "high"; an episode's share counts as often as it has steps that count. Where all
        episodes are alike, as where all is right, Wilson's interval of as many examples as episodes.

    Raises:
        ValueError: Where no step counts.

    Example:

    >>> right = np.array([[1, 0], [1, 1], [0, 1], [1, 1]])
    >>> {name: round(value) for name, value in accuracy(right, np.ones((4, 2), int), np.ones(2, bool)).items()}
    {'accuracy_percent': 75, 'low': 29, 'high': 100}
    """
    from scipy.stats import t

    chosen = np.broadcast_to(chosen, values.shape)
    counts = chosen.sum(axis=1)
    if not counts.any():
        raise ValueError("accuracy: no step counts.")
    right = ((recalled == values) & chosen).sum(axis=1)
    share, number = right.sum() / counts.sum(), int((counts > 0).sum())
    # The ratio of two means, of which both vary: its error is that of what is left of `right`.
    spread = np.sqrt(np.sum((right - share * counts) ** 2) * number / max(number - 1, 1)) / counts.sum()
    low, high = np.clip(share + np.array([-1, 1]) * t.ppf(0.975, max(number - 1, 1)) * spread, 0, 1)
    if spread == 0:
        low, high = wilson_interval(round(share * number), number)
    return {"accuracy_percent": 100 * float(share), "low": 100 * float(low), "high": 100 * float(high)}
