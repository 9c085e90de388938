"""Examples (x, y) as arrays or nests of them: counted, taken block by block, and held against a model."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from toolkit.losses.margin_loss import MarginLoss


def num_rows(examples: tuple[Any, Any], name: str) -> int:
    """Counts examples.

    Args:
        examples: (x, y), arrays or nests of them.
        name: What an error calls them.

    Raises:
        ValueError: Where these are not a pair, their arrays differ in length, or there are none.

    Example:

    >>> num_rows((np.zeros((3, 2)), np.zeros(3)), "training examples")
    3
    """
    if not isinstance(examples, tuple | list) or len(examples) != 2:
        raise ValueError(f"Expected {name} as (x, y), inputs and targets; got {type(examples).__name__}.")
    lengths = [len(array) if np.ndim(array) else 0 for array in tf.nest.flatten(list(examples))]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(f"Expected as many inputs as targets among the {name}, one or more; got {lengths}.")
    return lengths[0]


def rows(examples: tuple[Any, Any], indices: Any) -> tuple[Any, Any]:
    """Picks rows of all the arrays of examples.

    Args:
        examples: (x, y), arrays or nests of them.
        indices: Which, a slice or numbers.

    Example:

    >>> rows((np.eye(2), np.array([5, 6])), [1])
    (array([[0., 1.]]), array([6]))
    """
    return tuple(tf.nest.map_structure(lambda array: np.asarray(array)[indices], each) for each in examples)


def blocks(examples: tuple[Any, Any], size: int) -> Iterator[tuple[Any, Any]]:
    """Gives examples, block by block in order.

    Args:
        examples: (x, y), arrays or nests of them.
        size: Rows of a block; the last may have fewer.

    Example:

    >>> [y.tolist() for _, y in blocks((np.eye(3), np.arange(3)), 2)]
    [[0, 1], [2]]
    """
    for start in range(0, num_rows(examples, "examples"), size):
        yield rows(examples, slice(start, start + size))


def check_shapes(model: keras.Model, examples: tuple[Any, Any], name: str) -> None:
    """Refuses examples that are not pairs of rows, or not of the shape that the model takes.

    Args:
        model: A model; where it takes several inputs, or does not say which, only the rows are counted.
        examples: (x, y), arrays or nests of them.
        name: What an error calls them.

    Raises:
        ValueError: With the shape that was found and that which is expected.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> check_shapes(model, (np.zeros((4, 3)), np.zeros(4)), "queries")
    Traceback (most recent call last):
    ...
    ValueError: Inputs of the queries are of shape (4, 3); the model takes (None, 2).
    """
    num_rows(examples, name)
    inputs, x = getattr(model, "inputs", None), examples[0]
    if inputs and len(inputs) == 1 and isinstance(x, np.ndarray):
        expected = tuple(inputs[0].shape)
        sizes = zip(expected[1:], x.shape[1:], strict=False)
        if x.ndim != len(expected) or any(None not in pair and pair[0] != pair[1] for pair in sizes):
            raise ValueError(f"Inputs of the {name} are of shape {x.shape}; the model takes {expected}.")


def check_labels(model: keras.Model, loss: Any, examples: tuple[Any, Any], name: str) -> None:
    """Refuses labels that cannot be: class numbers without a class, others than -1, 0, 1 or from 0 to 1.

    Args:
        model: A model; one of several outputs may have any labels.
        loss: The loss, of which a margin loss or binary cross-entropy says what labels it takes.
        examples: (x, y), arrays or nests of them.
        name: What an error calls them.

    Raises:
        ValueError: With the first such label and its row.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    >>> check_labels(model, None, (np.zeros((2, 2)), np.array([2, 3])), "queries")
    Traceback (most recent call last):
    ...
    ValueError: Label 1 of the queries is 3; expected from 0 to 2, the model's classes.
    """
    x, y = examples
    outputs = getattr(model, "outputs", None)
    if isinstance(y, dict | list | tuple) or not outputs or len(outputs) != 1:
        return
    y, shape = np.asarray(y), outputs[0].shape
    if isinstance(loss, MarginLoss):
        wrong, expected = ~np.isin(y, (-1, 0, 1)), "-1 or 0, and 1"
    elif isinstance(loss, keras.losses.BinaryCrossentropy):
        wrong, expected = ~((y >= 0) & (y <= 1)), "from 0 to 1"
    elif np.issubdtype(y.dtype, np.integer) and y.ndim == len(shape) - 1 and (shape[-1] or 1) > 1:
        wrong, expected = (y < 0) | (y >= shape[-1]), f"from 0 to {shape[-1] - 1}, the model's classes"
    else:
        return
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0])
        raise ValueError(f"Label {place[0]} of the {name} is {y[place]}; expected {expected}.")
