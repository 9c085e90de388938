"""A network with its dropout left on, one draw of the masks for each pass over the data (Monte Carlo dropout)."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from toolkit.lazy import tensorflow as tf

_DROPOUT = keras.layers.Dropout, keras.layers.GaussianDropout, keras.layers.AlphaDropout


def with_dropout(model: keras.Model, seed: int = 0) -> keras.Model:
    """Makes a network whose dropout is active in inference, and nothing else: batch normalization uses its averages.

    Args:
        model: A functional or sequential model, perhaps with such models among its layers. What is left on are its
            layers `Dropout`, `SpatialDropout2D`, `GaussianDropout`, `AlphaDropout` and their like; what a layer drops
            by an argument of its own, as recurrent ones do, is not.
        seed: Of the masks, which follow one another from call to call; the same network made anew draws the same.

    Returns:
        A model that shares the weights of `model`.

    Raises:
        ValueError: Where there is no dropout, so that all passes would be alike.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    >>> noisy, x = with_dropout(model), np.ones((1, 3), "float32")
    >>> [bool(np.ptp([each(x) for _ in range(9)], axis=0).any()) for each in (noisy, model)]
    [True, False]

    Reference: Gal and Ghahramani 2016, arXiv 1506.02142, section 4.
    """
    random, left_on = np.random.default_rng(seed), []

    def copied(layer):
        if not isinstance(layer, _DROPOUT) or not layer.rate:
            return layer
        left_on.append(_left_on(layer, int(random.integers(2**31))))
        return left_on[-1]

    copy = keras.models.clone_model(model, clone_function=copied, recursive=True)
    if not left_on:
        raise ValueError(
            f"The model {model.name!r} has no dropout, so that all passes with dropout would be alike: build it with "
            "some, or take a strategy that needs none."
        )
    return copy


def _left_on(layer, seed):
    kind = type(layer)
    always = {"call": lambda self, inputs, training=None: kind.call(self, inputs, training=True)}
    return type(kind.__name__, (kind,), always).from_config({**layer.get_config(), "seed": seed})


def dropout_passes(
    model: keras.Model, num_passes: int = 25, *, batch_size: int = 256, seed: int = 0
) -> Callable[[Any], np.ndarray]:
    """Makes a function that passes inputs through a network again and again, each time with another dropout.

    What lies before the first dropout is computed once for all passes, where nothing leads round it.

    Args:
        model: As in `with_dropout`, of one input and one output.
        num_passes: How many; published code has 25.
        batch_size: Examples that are computed together.
        seed: As in `with_dropout`.

    Returns:
        A function from inputs (examples, ...) to outputs, (passes, examples, ...).

    Raises:
        ValueError: Where there is no dropout, or no pass.

    Example:

    >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
    >>> dropout_passes(model, 4)(np.ones((5, 3), "float32")).shape
    (4, 5, 2)
    """
    if num_passes < 1:
        raise ValueError(f"num_passes must be at least 1; got {num_passes}.")
    trunk, head = _split(with_dropout(model, seed))
    given = head.inputs[0]

    # Not predict, which takes longer to begin than such a pass takes.
    @tf.function(input_signature=[tf.TensorSpec(given.shape, given.dtype)])
    def once(inputs):
        return head(inputs, training=False)

    def passes(inputs):
        if trunk is not None:
            inputs = trunk.predict(inputs, batch_size=batch_size, verbose=0)
        starts = range(0, len(inputs), batch_size)
        parts = [tf.constant(inputs[start : start + batch_size], given.dtype) for start in starts]
        return np.concatenate([np.stack([once(part) for _ in range(num_passes)]) for part in parts], axis=1)

    return passes


def _split(model):
    """What is the same in all passes, perhaps None, and the rest."""
    for layer in model.layers:
        if any(isinstance(each, _DROPOUT) and each.rate for each in layer._flatten_layers()):
            try:
                return keras.Model(model.inputs[0], layer.input), keras.Model(layer.input, model.outputs[0])
            except ValueError:  # something leads round it
                break
    return None, model
