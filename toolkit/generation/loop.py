"""One loop over a step: it writes, it scores what is written already, and it leads a network along it.

A step is a pure function `step(value, state, *context) -> (output, state)`. The value is what was written last (a token
(batch,), an offset, the channels of a pixel (batch, channels)), the state any nest of tensors (batch, ...), the context
what does not change from step to step. What becomes of the output is said apart: `draw` makes the next value of it,
`stop` ends a row, `measure` scores a real value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike


class Generated(NamedTuple):
    """What the loop wrote.

    Shapes:
        values: (batch, num_steps, ...), zeros after the end, without the given ones.
        kept: Name to (batch, num_steps, ...), zeros after the end.
        length: (batch,), values of each row.
        state: As the step returned it last.
    """

    values: tf.Tensor
    kept: dict[str, tf.Tensor]
    length: tf.Tensor
    state: Any


def generate(
    step: Callable,
    first: ArrayLike,
    state: Any,
    *,
    num_steps: int,
    context: tuple = (),
    draw: Callable | None = None,
    noise: ArrayLike | None = None,
    given: tf.Tensor | None = None,
    given_length: tf.Tensor | None = None,
    length: ArrayLike | None = None,
    stop: Callable | None = None,
    keep: Mapping[str, tuple[int, ...]] | None = None,
) -> Generated:
    """Writes value after value, each from the step's output after those before it.

    It is one while loop, of TFLite's builtin ops where the functions that it calls are; it ends with its longest row.

    Args:
        step: `step(value, state, *context) -> (output, state)`.
        first: The value before the first, (batch, ...), its rank and all axes but the batch known.
        state: The state before the first step.
        num_steps: Most values in a row, beside the given ones.
        context: What every step is given, such as (an image's features (batch, regions, channels),).
        draw: `draw(output, noise) -> value`; the output itself without it.
        noise: (batch, num_steps, ...): what `draw` is given at each step, None without it.
        given: (batch, places, ...), values that the rows begin with: a prompt, a primer. They are read, not returned.
        given_length: (batch,), how many of `given` count in each row, none to all, which it is without it.
        length: (batch,), values to write in each row, at least 0 and at most `num_steps`, which it is without it.
        stop: `stop(output, value) -> (batch,)`, whether the row has ended before this value.
        keep: Names of entries of the output, a dictionary, to return for each value; each with its shape but the batch.
            They are float32.

    Returns:
        `Generated`.

    Raises:
        ValueError: Where `given` has an unknown number of places, or `noise` is too short.

    Example:

    >>> def add(value, total):
    ...     return value + total, total + 1
    >>> first, total = tf.constant([1, 5]), tf.zeros(2, tf.int32)
    >>> written = generate(add, first, total, num_steps=4, stop=lambda output, value: value > 7)
    >>> written.values.numpy().tolist(), written.length.numpy().tolist()
    ([[1, 2, 4, 7], [5, 6, 0, 0]], [4, 2])

    Reference: Graves 2013, arXiv 1308.0850, section 2.
    """
    first = tf.convert_to_tensor(first)
    rows, batch_size = first.shape[0], first.shape[0] or tf.shape(first)[0]
    given, num_given, begin = _beginning(given, given_length)
    if noise is not None and tf.TensorShape(noise.shape)[1] not in (None, num_steps):
        raise ValueError(f"expected noise for {num_steps} steps, (batch, {num_steps}, ...); got {noise.shape}.")
    noise = None if noise is None else tf.convert_to_tensor(noise)
    most = num_steps if length is None else _clamped(length, num_steps)
    end = tf.reduce_max(begin + most)
    keep = keep or {}

    def keep_on(t, value, state, running, count, values, kept):
        return t < end if stop is None else tf.logical_and(t < end, tf.reduce_any(running))

    def write(t, value, state, running, count, values, kept):
        output, state = step(value, state, *context)
        place = t - begin  # of the value to be written, below 0 while values are given
        value = output if draw is None else draw(output, None if noise is None else _at(noise, place))
        if stop is not None:
            ends = tf.logical_and(stop(output, value), place >= 0)
            running = tf.logical_and(tf.logical_and(running, place < most), tf.logical_not(ends))
            count += tf.cast(tf.logical_and(running, place >= 0), tf.int32)
        if given is not None:
            value = _where(place < 0, given[:, tf.minimum(t, num_given - 1)], value)
        kept = {name: array.write(t, output[name]) for name, array in kept.items()}
        return t + 1, value, state, running, count, values.write(t, value), kept

    def array(dtype, shape):
        return tf.TensorArray(dtype, num_given + num_steps, element_shape=(rows, *shape))

    start = (
        tf.constant(0),
        first,
        state,
        tf.ones((batch_size,), tf.bool),
        tf.broadcast_to(most if stop is None else 0, (batch_size,)),
        array(first.dtype, first.shape[1:]),
        {name: array(tf.float32, shape) for name, shape in keep.items()},
    )
    *_, state, _, count, values, kept = tf.while_loop(keep_on, write, start)
    kept = {name: _by_row(each.stack(), begin, num_steps, count) for name, each in kept.items()}
    return Generated(_by_row(values.stack(), begin, num_steps, count), kept, count, state)


def score(
    step: Callable,
    first: ArrayLike,
    state: Any,
    values: tf.Tensor,
    length: ArrayLike,
    measure: Callable,
    context: tuple = (),
) -> tf.Tensor:
    """Adds up what real values take, by the same step that writes.

    Args:
        step: As in `generate`.
        first: As in `generate`.
        state: As in `generate`.
        values: (batch, places, ...), the real values, anything after the end.
        length: (batch,), values of each row, at most as many as there are places.
        measure: `measure(output, value) -> (batch,)`, float32, such as -log p.
        context: As in `generate`.

    Returns:
        (batch,), the sums.

    Example:

    >>> def hold(value, state):
    ...     return value, state
    >>> def distance(output, value):
    ...     return tf.abs(output - value)
    >>> score(hold, tf.zeros(2), (), tf.constant([[1.0, 3, 3], [2, 2, 9]]), [3, 2], distance).numpy().tolist()
    [3.0, 2.0]

    Reference: Graves 2013, arXiv 1308.0850, section 2.
    """

    length = tf.minimum(length, values.shape[1] or tf.shape(values)[1])

    def keep_on(t, value, state, total):
        return t < tf.reduce_max(length)

    def add(t, value, state, total):
        output, state = step(value, state, *context)
        value = values[:, t]
        return t + 1, value, state, total + tf.where(t < length, measure(output, value), 0.0)

    first = tf.convert_to_tensor(first)
    total = tf.zeros((first.shape[0] or tf.shape(first)[0],))
    return tf.while_loop(keep_on, add, (tf.constant(0), first, state, total))[-1]


def along(
    step: Callable, first: np.ndarray, state: Mapping, values: Iterable, context: tuple = ()
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Leads a network along real values.

    Args:
        step: As in `generate`.
        first: As in `generate`, for one row, a NumPy array.
        state: As in `generate`, for one row, a dictionary.
        values: The real values, each of the shape of a row of `first`.
        context: As in `generate`.

    Yields:
        What the step takes at each place: the value before it (1, ...), and the states by name.

    Example:

    >>> def add(value, state):
    ...     return None, {"total": state["total"] + value}
    >>> start = {"total": tf.zeros(1)}
    >>> [float(state["total"][0]) for _, state in along(add, np.zeros(1, "float32"), start, np.float32([4, 5, 6]))]
    [0.0, 0.0, 4.0]
    """
    advance = tf.function(lambda value, state: step(value, state, *context)[1], autograph=False)
    value = first
    for following in values:
        yield value, {name: np.asarray(each) for name, each in state.items()}
        state, value = advance(tf.constant(value), state), following[None]


def _beginning(given, given_length):
    """The given values, their places, and the place at which each row, or all of them, begins to write."""
    if given is None or given.shape[1] == 0:
        return None, 0, 0
    if given.shape[1] is None:
        raise ValueError(f"expected `given` to have a known number of places, (batch, places, ...); got {given.shape}.")
    num_given = given.shape[1]
    return given, num_given, num_given if given_length is None else _clamped(given_length, num_given)


def _clamped(length, most):
    """A length from 0 to the most; of `tf.clip_by_value` from 0 to 6 the converter makes a Relu6 of integers."""
    return tf.where(tf.less(length, 0), 0, tf.minimum(length, most))


def _at(noise, place):
    """Each row's noise at its place, or at the place of all."""
    place = tf.clip_by_value(place, 0, noise.shape[1] - 1) if place.shape.rank else tf.maximum(place, 0)
    return tf.gather(noise, place, axis=1, batch_dims=1) if place.shape.rank else noise[:, place]


def _where(condition, value, other):
    """`tf.where` by rows: the condition is (batch,), or one for all."""
    if condition.shape.rank:
        condition = condition[(..., *(None,) * (value.shape.rank - 1))]
    return tf.where(condition, value, other)


def _by_row(written, begin, num_steps, count):
    """(places, batch, ...) -> (batch, num_steps, ...), each row from its beginning to its end, then zeros."""
    written = tf.transpose(
        written[begin:] if isinstance(begin, int) else written, (1, 0, *range(2, written.shape.rank))
    )
    places = tf.range(num_steps)
    if not isinstance(begin, int):
        written = tf.gather(written, begin[:, None] + places, axis=1, batch_dims=1)
    inside = (places < count[:, None])[(..., *(None,) * (written.shape.rank - 2))]
    return tf.where(inside, written, tf.zeros((), written.dtype))
