"""Functions that are applied to a data set's batches, where asked for with a seed for each example."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from toolkit.lazy import tensorflow as tf


def mapped(dataset: Any, functions: Sequence[tuple[Callable, int | None]], **how: Any) -> Any:
    """Applies functions one after the other, as `pipelines.Batches.map` says.

    Args:
        dataset: A `tf.data.Dataset` of batches; where a function has a seed, of pairs of a batch and its examples'
            numbers, int64 (batch,).
        functions: Each with its seed, from which and an example's number the example's seed is made; None: without.
        **how: Goes on to `tf.data.Dataset.map`.

    Returns:
        The data set of what the last function makes.

    Raises:
        ValueError: Where a function takes another number of arguments.

    Example:

    >>> numbered = tf.data.Dataset.from_tensors((tf.constant([7, 8]), tf.constant([2, 5], tf.int64)))
    >>> [made] = mapped(numbered, [(lambda batch: -batch, None), (lambda batch, seeds: (batch, seeds), 0)])
    >>> [each.numpy().tolist() for each in made]
    [[-7, -8], [2, 5]]
    """
    # Examples' numbers go along up to the last function that draws from them.
    num_seeded = max((place for place, (_, seed) in enumerate(functions, 1) if seed is not None), default=0)
    for place, (function, seed) in enumerate(functions, 1):
        numbered = place <= num_seeded
        _check_arguments(function, dataset.element_spec[0] if numbered else dataset.element_spec, seed)
        applied = _with_numbers(function, seed, keep=place < num_seeded) if numbered else function
        dataset = dataset.map(applied, **how)
    return dataset


def _with_numbers(function, seed, keep):
    """What `function` makes of (batch, examples' numbers), together with these where a later function needs them."""

    def apply(batch, numbers):
        arguments = batch if isinstance(batch, tuple) else (batch,)
        if seed is not None:
            # Seed 0 gives the numbers themselves, each other one numbers that are far from them (Weyl's sequence).
            offset = (seed * 0x9E3779B97F4A7C15 + (1 << 63)) % (1 << 64) - (1 << 63)
            arguments = (*arguments, numbers + tf.constant(offset, tf.int64))
        made = function(*arguments)
        return (made, numbers) if keep else made

    return apply


def _check_arguments(function, batch, seed):
    """Says what `map`'s function is given, where it takes another number of arguments."""
    arguments = (*(batch if isinstance(batch, tuple) else (batch,)), *([seed] if seed is not None else ()))
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a function that tells nothing
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        last = "the last one the examples' seeds" if seed is not None else "with map(..., seed=) one more, seeds"
        raise ValueError(
            f"map: {getattr(function, '__name__', function)}{signature} is called with {len(arguments)} arguments, "
            f"{last}: {error}."
        ) from error
