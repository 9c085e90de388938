"""All the optimizers that a model trains with, each with a state that a checkpoint must hold; and when they compute."""

from collections.abc import Iterator, Mapping
from typing import Any

from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def optimizers_of(model) -> dict[str, Any]:
    """A compiled model's optimizers by the names under which checkpoints keep them.

    Keras knows `model.optimizer` alone. A model whose `train_step` uses others has them as attributes, in lists or
    dicts, or as the optimizers of models inside it.

    Args:
        model: A compiled model.

    Returns:
        "optimizer", the one that `compile` was given, and "optimizer.ATTRIBUTE" for each other one; of a layer inside
        the model, "optimizer.PLACE.ATTRIBUTE": its place among all layers, for Keras numbers names through a process.

    Raises:
        ValueError: Where one of the others is not built: what it remembers cannot be kept.

    Example:

    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile(keras.optimizers.SGD(), "mse")
    >>> model.second = keras.optimizers.Adam()
    >>> model.second.build(model.trainable_variables)
    >>> list(optimizers_of(model))
    ['optimizer', 'optimizer.second']
    """
    found, seen = {"optimizer": model.optimizer}, {id(model.optimizer)}
    inner = getattr(model.optimizer, "inner_optimizer", None)  # that of mixed_float16's loss scaling
    layers = [model, *(each for each in model._flatten_layers() if each is not model)]
    for place, layer in enumerate(layers):
        # What begins with _self_ is TensorFlow's own list of the attributes.
        attributes = {name: value for name, value in vars(layer).items() if not name.startswith("_self_")}
        for name, optimizer in _among(attributes):
            if id(optimizer) in seen or optimizer is inner:
                continue
            seen.add(id(optimizer))
            if not optimizer.built:
                raise ValueError(
                    f"{layer.name}.{name}, a further optimizer of {model.name}, is not built, so no checkpoint could "
                    "hold its state. In run.scope(), call its build(variables) with those it trains; or, if it trains "
                    f"nothing, set {layer.name}.{name} to None."
                )
            key = f"optimizer.{name}" if layer is model else f"optimizer.{place}.{name}"
            found[key.replace("/", "|")] = optimizer  # what is before a slash in a checkpoint is the holder's name
    return found


def wait_for_gradients(optimizer: "keras.optimizers.Optimizer") -> None:
    """Has an optimizer compute nothing for a weight before its gradient is there.

    Momentum times what it was, or a weight's decay, hangs on no gradient: TensorFlow computes it for all weights before
    the forward pass, and keeps it until each gradient comes. That is one copy of all weights for SGD's momentum, one
    more for the decay, three for the centred RMSprop. What is computed stays the same.

    Args:
        optimizer: It is changed.

    Example:

    >>> optimizer = keras.optimizers.SGD(0.1, momentum=0.9, weight_decay=0.01)
    >>> wait_for_gradients(optimizer)
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)  # of mixed_float16's loss scaling
    if "update_step" in vars(inner):
        return  # done already
    update, decay = inner.update_step, inner.weight_decay
    if type(inner)._apply_weight_decay is not keras.optimizers.Optimizer._apply_weight_decay:
        decay = None  # it has one of its own, which stays where it is

    def update_step(gradient, variable, learning_rate):
        with tf.control_dependencies(tf.nest.flatten(gradient, expand_composites=True)):
            if decay is not None and inner._use_weight_decay(variable):
                variable.assign_sub(variable * tf.cast(decay, variable.dtype) * tf.cast(learning_rate, variable.dtype))
            return update(gradient, variable, learning_rate)

    inner.update_step = update_step
    if decay is not None:
        inner._apply_weight_decay = lambda variables: None  # it is above


def _among(attributes: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The optimizers in a mapping, in the lists and mappings in it too, with their names."""
    for name, value in attributes.items():
        if isinstance(value, keras.optimizers.Optimizer):
            yield str(name), value
        elif isinstance(value, dict):
            yield from ((f"{name}.{key}", each) for key, each in _among(value))
        elif isinstance(value, list | tuple):
            yield from ((f"{name}.{key}", each) for key, each in _among(dict(enumerate(value))))
