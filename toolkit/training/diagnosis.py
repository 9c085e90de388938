"""Why a loss is not finite: the first thing on a batch's way through a model that is not."""

from typing import Any

import numpy as np

from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def first_not_finite(model, batch: Any) -> str:
    """Follows a batch through a model: data, weights, layers in order, loss, gradients.

    Args:
        model: A compiled model, as it was before the step with this batch.
        batch: (inputs, targets[, weights]) of TensorFlow tensors.

    Returns:
        What is not finite first, as a sentence; "" where all is.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="last")])
    >>> model.compile(loss="mse")
    >>> first_not_finite(model, (tf.constant([[0.0, 1.0], [np.nan, 0.0]]), tf.zeros([2, 1])))
    'Example 1 of that batch is not finite in its inputs.'
    """
    for name, part in zip(("inputs", "targets", "weights"), batch, strict=False):
        for array in tf.nest.flatten(part):
            bad = _not_finite(array)
            if bad.any():
                return f"Example {int(np.argwhere(bad)[0, 0])} of that batch is not finite in its {name}."
    for weight in model.weights:
        if _not_finite(weight).any():
            return f"The weight {weight.path} was not finite before that step."
    inputs, targets, weights = keras.utils.unpack_x_y_sample_weight(batch)
    bad = _first_layer(model, inputs)
    if bad:
        return f"The layer {bad!r} is the first whose output is not finite."
    with tf.GradientTape() as tape:
        outputs = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, outputs, weights)
    if _not_finite(loss).any():
        return "The outputs of all layers are finite; the loss is not."
    gradients = tape.gradient(loss, model.trainable_weights)
    for weight, gradient in reversed(list(zip(model.trainable_weights, gradients, strict=True))):
        if gradient is not None and _not_finite(gradient).any():
            return f"The loss of that batch is finite; the gradient of {weight.path} is not."
    return ""


def _first_layer(model, inputs):
    """The name of the first layer whose output is not finite; of a model inside a model, the one in there."""
    layers = [layer for layer in getattr(model, "operations", model.layers) if _output(layer) is not None]
    if not layers:
        return ""
    outputs = keras.Model(model.inputs, [_output(layer) for layer in layers])(inputs, training=True)
    for layer, output in zip(layers, outputs if len(layers) > 1 else [outputs], strict=True):
        if any(_not_finite(value).any() for value in tf.nest.flatten(output)):
            inside = getattr(layer, "layer", layer)  # of a wrapper
            deeper = _first_layer(inside, inputs) if isinstance(inside, keras.Model) and len(layers) == 1 else ""
            return deeper or layer.name
    return ""


def _output(layer):
    if isinstance(layer, keras.layers.InputLayer):
        return None
    try:
        return layer.output
    except (AttributeError, ValueError):  # used several times, or never
        return None


def _not_finite(value):
    array = np.asarray(tf.convert_to_tensor(value))
    return np.zeros(1, bool) if array.dtype.kind in "biuSO" else ~np.isfinite(np.atleast_1d(array.astype("float32")))
