"""Runs layers and models on Keras' JAX backend, in a process of its own: Keras has one backend a process.

`on_jax(function, ...)` calls one of the functions here in that process, which the first call starts and which never
imports TensorFlow. Arguments and results are NumPy arrays, paths, numbers and text.
"""

import atexit
import functools
import importlib
import importlib.util
import multiprocessing
import os
import pathlib
import subprocess
import sys
import traceback
from multiprocessing.connection import Connection

import keras
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
# The rooms that run on every backend.
ROOMS = ("distributions", "layers", "losses", "metrics", "models")


def is_installed() -> bool:
    return importlib.util.find_spec("jax") is not None


def on_jax(function, *arguments):
    """What `function(*arguments)` returns in the process with JAX; what it raises there is raised here."""
    connection = _connection()
    connection.send((function.__name__, arguments))
    if not connection.poll(300):
        raise TimeoutError(f"{function.__name__} has no answer after 300 s.")
    result, error = connection.recv()
    if error:
        raise RuntimeError(f"In the process with JAX:\n{error}")
    return result


@functools.cache
def _connection():
    ours, theirs = multiprocessing.Pipe()
    process = subprocess.Popen(
        # -P: the folder of tests has names of its own, such as `data`.
        [sys.executable, "-P", __file__, str(theirs.fileno())],
        # A GPU is left to TensorFlow.
        env={**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)},
        pass_fds=[theirs.fileno()],
    )
    theirs.close()

    def end():
        ours.close()  # which ends the loop there
        process.wait(timeout=60)

    atexit.register(end)
    return ours


def _answer(connection):
    for name in modules():
        importlib.import_module(name)  # where Keras finds the registered classes
    while True:
        try:
            name, arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((globals()[name](*arguments), None))
        except Exception:
            connection.send((None, traceback.format_exc()))


def modules() -> list[str]:
    """The names of all modules that are to run on every backend."""
    return [
        f"toolkit.{room}.{path.stem}" for room in ROOMS for path in sorted((ROOT / "toolkit" / room).glob("[!_]*.py"))
    ]


def backend_and_packages() -> tuple[str, set[str]]:
    """Keras' backend and the top-level names of all imported modules."""
    return keras.backend.backend(), {name.partition(".")[0] for name in sys.modules}


def outputs_and_gradients(path, inputs):
    """The outputs of a saved model, and the derivatives, towards the floating inputs and then the trainable weights, of
    the sum of all outputs, each weighted by a sine of its place."""
    import jax

    model = keras.saving.load_model(path)
    fixed = [v.value for v in model.non_trainable_variables]
    places = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]

    def weighted_sum(floating, trainable):
        tensors = list(inputs)
        for i, x in zip(places, floating, strict=True):
            tensors[i] = x
        results, _ = model.stateless_call(trainable, fixed, tensors)
        results = [keras.ops.cast(y, "float32") for y in keras.tree.flatten(results)]
        flat = [keras.ops.reshape(y, (-1,)) for y in results]
        return sum((y * keras.ops.sin(keras.ops.arange(y.size) + i)).sum() for i, y in enumerate(flat)), results

    run = jax.jit(jax.value_and_grad(weighted_sum, argnums=(0, 1), has_aux=True))
    (_, results), (floating, trainable) = run([inputs[i] for i in places], [v.value for v in model.trainable_variables])
    return [np.asarray(y) for y in results], [np.asarray(g) for g in [*floating, *trainable]]


def predicted(path, inputs):
    """The outputs of a saved model, by name."""
    return {name: np.asarray(y) for name, y in keras.saving.load_model(path)(inputs).items()}


def fitted(path, inputs, targets):
    """What one step of `fit` reports on a saved model that was compiled, and the weights after it."""
    model = keras.saving.load_model(path)
    history = model.fit(inputs, targets, batch_size=len(targets), epochs=1, shuffle=False, verbose=0).history
    return {name: values[0] for name, values in history.items()}, model.get_weights()


def method(config, name, *arguments):
    """The result of a method of an object that `keras.saving.serialize_keras_object` made `config` of."""
    results = getattr(keras.saving.deserialize_keras_object(config), name)(*arguments)
    return [np.asarray(x) for x in keras.tree.flatten(results)]


if __name__ == "__main__":
    _answer(Connection(int(sys.argv[1])))
