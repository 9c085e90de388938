"""Signatures traced once and written as a SavedModel."""

import os
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from toolkit.export.signatures import Signature, Tensor
from toolkit.lazy import tensorflow as tf
from toolkit.silence import silenced


def trace(signature: Signature) -> "tf.types.experimental.ConcreteFunction":
    """Traces a signature's function at its fixed shapes.

    Random ops are traced without the program's seed: a seed would be written into the model, which would then draw the
    same noise each time it is loaded.

    Args:
        signature: What to trace.

    Returns:
        A `tf.types.experimental.ConcreteFunction` that takes the inputs by name and returns a dict.

    Example:

    >>> from toolkit import export
    >>> double = export.trace(export.signature(lambda x: 2 * x, x=((2,), "float32")))
    >>> double(x=tf.constant([1.0, 2.0]))["output_0"].numpy()
    array([2., 4.], dtype=float32)
    """

    def call(**inputs):
        tf.compat.v1.set_random_seed(None)
        # A tensor for each output, also where two outputs are the same tensor, or one is an input.
        return {name: tf.identity(tensor, name=name) for name, tensor in signature.call(**inputs).items()}

    specs = {name: tf.TensorSpec(tensor.shape, tensor.dtype, name) for name, tensor in signature.inputs.items()}
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def output_tensors(signature: Signature, traced) -> dict[str, Tensor]:
    """Lists the outputs of a traced signature.

    Args:
        signature: Where the units come from.
        traced: What `trace` returned.

    Returns:
        Name to `Tensor`, sorted by name.

    Raises:
        ValueError: Where an output's shape is not fixed, or a unit is given for an output that is none.

    Example:

    >>> from toolkit import export
    >>> double = export.signature(lambda x: 2 * x, outputs={"output_0": "metres"}, x=((2,), "float32"))
    >>> export.saved_model.output_tensors(double, export.trace(double))
    {'output_0': Tensor(shape=(2,), dtype='float32', unit='metres')}
    """
    unknown = set(signature.output_units) - set(traced.structured_outputs)
    if unknown:
        raise ValueError(f"units for {sorted(unknown)}, but the outputs are {sorted(traced.structured_outputs)}.")
    tensors = {}
    for name, tensor in sorted(traced.structured_outputs.items()):
        if not tensor.shape.is_fully_defined():
            raise ValueError(f"output {name!r} has shape {tensor.shape}; every axis must be known (tf.ensure_shape).")
        tensors[name] = Tensor(tuple(tensor.shape), tensor.dtype.name, signature.output_units.get(name, ""))
    return tensors


def save_traced(folder: str | os.PathLike, traced: Mapping, trackables: Iterable = ()) -> None:
    """Writes a SavedModel with one named signature for each traced function.

    Only what the functions read is written: their variables and the lookup tables, no optimizer.

    Args:
        folder: Where to; it must not exist.
        traced: Signature name to what `trace` returned.
        trackables: Keras layers or models, tf.Modules or tables that hold the lookup tables used. (Variables are found
            without.)

    Raises:
        ValueError: Where a function uses a table that no trackable holds.
    """
    module = tf.Module()
    # Named one by one: variables reached only through a Keras model are written, but the TFLite converter then leaves
    # them out of its file without an error.
    module.captured = list({id(v): v for function in traced.values() for v in function.variables}.values())
    module.tables = [
        part
        for trackable in trackables
        for part in tf.train.TrackableView(trackable).descendants()
        if isinstance(part, tf.saved_model.experimental.TrackableResource)
    ]
    with silenced():
        try:
            tf.saved_model.save(module, os.fspath(folder), signatures=dict(traced))
        except AssertionError as error:
            raise ValueError(
                "a signature reads a table that no trackable holds; pass its layer: trackables=[...]"
            ) from error


def saved_model_caller(folder: str | os.PathLike) -> Callable[..., dict[str, np.ndarray]]:
    """Loads a SavedModel to call its signatures as functions.

    Args:
        folder: The SavedModel.

    Returns:
        A function of a signature's name and, as keyword arguments, its inputs; it returns the outputs by name.
    """
    loaded = tf.saved_model.load(os.fspath(folder))

    def call(key, /, **inputs):
        outputs = loaded.signatures[key](**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: tensor.numpy() for name, tensor in outputs.items()}

    return call
