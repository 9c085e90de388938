"""The gate that every layer passes. It knows no layer: what is special about one is an argument, with its reason."""

import inspect
import pathlib
import tempfile
from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from tests import jax_backend
from toolkit import export

TOLERANCE = {"float32": 1e-5, "mixed_bfloat16": 6e-2, "mixed_float16": 8e-3}


def check_layer(make, *inputs, masked: int | Mapping[int, int] | None = None, precision_tolerance: float = 1.0) -> None:
    """Checks a layer: shapes, dynamic and static batch, config, `.keras` round trip, gradients, training, JAX (where it
    is installed), precision, XLA, TFLite, and that padding changes nothing. Outputs may be one, several, or a dict.

    Args:
        make: Returns a new layer, its name fixed.
        *inputs: One array for each argument of its `call`, batch first; at least two examples.
        masked: The axis-1 length from which on the first input is padding, for a layer that takes a mask; or such
            lengths by the place of the input in `call`.
        precision_tolerance: Multiplies the tolerance of the half-precision comparisons; the reason stands where it is
            used.
    """
    model = functional(make, inputs)
    expected = outputs(model, inputs)
    check_shapes(make, inputs, expected)
    check_dynamic_and_static_batch(make, inputs, model, expected)
    gradients = check_gradients(model, inputs)
    check_any_length(model, inputs, expected, gradients)
    check_training(functional(make, inputs), inputs, expected, "float32")
    check_config(make, model)
    check_saved(model, inputs, expected)
    if jax_backend.is_installed():
        check_jax(model, inputs, expected, gradients)
    check_precision(make, inputs, model, expected, precision_tolerance)
    check_xla(model, inputs, expected, gradients)
    check_tflite(inputs, model, expected)
    for place, valid in ({0: masked} if isinstance(masked, int) else masked or {}).items():
        check_mask(make, inputs, model, place, valid)


def functional(make, inputs, batch_size=None):
    """A functional model of one layer."""
    tensors = [keras.Input(x.shape[1:], batch_size=batch_size, dtype=str(x.dtype)) for x in inputs]
    return keras.Model(tensors, make()(*tensors))


def outputs(model, inputs):
    """The model's outputs, as a list of arrays."""
    return [np.asarray(y, "float32") for y in keras.tree.flatten(model(list(inputs)))]


def outputs_and_gradients(layer, inputs):
    """What a layer gives in training, and the derivatives of its sines' sum towards its weights."""
    with tf.GradientTape() as tape:
        found = layer(inputs, training=True)
        loss = tf.reduce_sum(tf.sin(found))
    return [found, *tape.gradient(loss, [variable.value for variable in layer.trainable_variables])]


def assert_close(left, right, tolerance, what):
    assert len(left) == len(right), what
    for a, b in zip(left, right, strict=True):
        scale = max(1.0, float(np.abs(a).max()))
        np.testing.assert_allclose(b, a, atol=tolerance * scale, rtol=tolerance, err_msg=what)


def check_shapes(make, inputs, expected):
    claimed = make().compute_output_shape(*(x.shape for x in inputs))
    if isinstance(claimed, Mapping):
        claimed = [claimed[name] for name in sorted(claimed)]
    claimed = [claimed] if isinstance(claimed[0], int) else list(claimed)
    assert [tuple(shape) for shape in claimed] == [y.shape for y in expected], "compute_output_shape"
    assert all(np.isfinite(y).all() for y in expected), "finite outputs"


def check_dynamic_and_static_batch(make, inputs, model, expected):
    for shape in keras.tree.flatten([y.shape[0] for y in keras.tree.flatten(model.outputs)]):
        assert shape is None, "the batch stays dynamic"
    one = outputs(model, [x[:1] for x in inputs])
    assert_close([y[:1] for y in expected], one, 1e-5, "a batch of one")
    static = functional(make, inputs, batch_size=len(inputs[0]))
    static.set_weights(model.get_weights())
    assert [tuple(y.shape) for y in static.outputs] == [y.shape for y in expected], "static shapes"
    assert_close(expected, outputs(static, inputs), 1e-5, "static batch")


def check_any_length(model, inputs, expected, gradients):
    """Traced once for inputs of any length, as `fit` traces it for buckets of unlike length."""
    specs = [
        tf.TensorSpec([None] * (x.ndim - 1) + [x.shape[-1] if x.dtype.kind == "f" else None], x.dtype) for x in inputs
    ]
    both = tf.function(lambda *x: _outputs_and_gradients(model, x), input_signature=specs, autograph=False)
    found = [[np.asarray(value, "float32") for value in part] for part in both(*inputs)]
    assert_close(expected, found[0], 1e-5, "axes of unknown length")
    assert_close(gradients, found[1], 1e-4, "gradients, axes of unknown length")


def check_config(make, model):
    original = make()
    config = original.get_config()
    again = type(original).from_config(config)
    assert again.get_config() == config, "get_config and from_config"
    registered = keras.saving.get_registered_name(type(original))
    assert registered.startswith("toolkit>"), "registered, so that saved models load without custom_objects"


def check_saved(model, inputs, expected):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        assert_close(expected, outputs(keras.saving.load_model(path), inputs), 1e-6, ".keras round trip")


def _gradients(model, inputs):
    return _outputs_and_gradients(model, inputs)[1]


def _outputs_and_gradients(model, inputs):
    tensors = [tf.convert_to_tensor(x) for x in inputs]
    floating = [x for x in tensors if x.dtype.is_floating]
    with tf.GradientTape() as tape:
        tape.watch(floating)
        results = [tf.cast(y, tf.float32) for y in keras.tree.flatten(model(tensors))]
        # Weighted sums, so that no output's gradient is left out and none is uniform.
        loss = tf.add_n(
            [
                tf.tensordot(flat, tf.sin(tf.cast(tf.range(tf.size(flat)), tf.float32) + i), 1)
                for i, flat in enumerate(tf.reshape(y, [-1]) for y in results)
            ]
        )
    variables = [v.value for v in model.trainable_variables]
    gradients = tape.gradient(loss, floating + variables, unconnected_gradients="zero")
    return results, [tf.convert_to_tensor(gradient) for gradient in gradients]  # that of a lookup is sparse


def check_gradients(model, inputs):
    gradients = [np.asarray(gradient) for gradient in _gradients(model, inputs)]
    assert all(np.isfinite(g).all() for g in gradients), "finite gradients"
    assert not model.trainable_variables or any(np.abs(g).max() > 0 for g in gradients), "some gradient"
    return gradients


def check_training(model, inputs, expected, what):
    """As `fit` calls it: a step of descent leaves outputs, weights and states finite."""
    tensors = [tf.convert_to_tensor(x) for x in inputs]
    floating = [x for x in tensors if x.dtype.is_floating]
    variables = [v.value for v in model.trainable_variables]
    with tf.GradientTape() as tape:
        tape.watch(floating)
        results = keras.tree.flatten(model(tensors, training=True))
        loss = tf.add_n([tf.reduce_mean(tf.cast(y, tf.float32)) for y in results])
    assert [y.shape for y in results] == [y.shape for y in expected], f"{what}: shapes in training"
    assert all(np.isfinite(np.asarray(y, "float32")).all() for y in results), f"{what}: finite in training"
    towards_inputs, towards_weights = tape.gradient(loss, [floating, variables])
    for gradient in towards_inputs:
        assert gradient is None or np.isfinite(np.asarray(gradient, "float32")).all(), f"{what}: finite gradients"
    for variable, gradient in zip(variables, towards_weights, strict=True):
        if gradient is not None:
            variable.assign_sub(1e-3 * tf.cast(tf.convert_to_tensor(gradient), variable.dtype))
    for variable in model.variables:
        assert np.isfinite(np.asarray(variable, "float32")).all(), f"{what}: {variable.path} after a step"


def check_jax(model, inputs, expected, gradients=None):
    """The same weights on Keras' JAX backend: outputs and gradients."""
    gradients = check_gradients(model, inputs) if gradients is None else gradients
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "model.keras")
        model.save(path)
        results, found = jax_backend.on_jax(jax_backend.outputs_and_gradients, path, inputs)
    assert_close(expected, results, 1e-5, "outputs on JAX")
    assert_close(gradients, found, 1e-4, "gradients on JAX")


def check_precision(make, inputs, model, expected, factor):
    for policy in ("mixed_float16", "mixed_bfloat16"):
        keras.config.set_dtype_policy(policy)
        try:
            mixed = functional(make, inputs)
        finally:
            keras.config.set_dtype_policy("float32")
        mixed.set_weights(model.get_weights())
        assert all(v.dtype == "float32" for v in mixed.trainable_variables), f"{policy}: weights stay in float32"
        assert_close(expected, outputs(mixed, inputs), factor * TOLERANCE[policy], policy)
        check_training(mixed, inputs, expected, policy)


def check_xla(model, inputs, expected, gradients):
    compiled = tf.function(lambda *x: _outputs_and_gradients(model, x), jit_compile=True, autograph=False)
    found = [[np.asarray(value, "float32") for value in part] for part in compiled(*map(tf.constant, inputs))]
    assert_close(expected, found[0], 1e-4, "XLA")
    assert_close(gradients, found[1], 1e-3, "gradients under XLA")


def check_tflite(inputs, model, expected):
    """Builtin ops only, which the converter refuses to leave, on an interpreter without TensorFlow's kernels."""
    names = [f"input_{i}" for i in range(len(inputs))]

    def run(**tensors):
        results = keras.tree.flatten(model([tensors[name] for name in names]))
        return {f"output_{i}": result for i, result in enumerate(results)}

    specs = {name: (x.shape, str(x.dtype)) for name, x in zip(names, inputs, strict=True)}
    with tempfile.TemporaryDirectory() as folder:
        saved, path = pathlib.Path(folder, "saved_model"), pathlib.Path(folder, "model.tflite")
        export.save_traced(saved, {"run": export.trace(export.signature(run, **specs))})
        export.convert_to_tflite(saved, path, ["run"])
        interpreter = Interpreter(str(path))
        results = interpreter.get_signature_runner("run")(**dict(zip(names, inputs, strict=True)))
    assert_close(expected, [results[f"output_{i}"] for i in range(len(expected))], 1e-4, "TFLite")


def check_mask(make, inputs, model, place, valid):
    """What stands in an input's padding changes no valid output, and the last state is that of the last valid step."""
    made = make()
    mask = np.zeros(inputs[place].shape[:2], bool)
    mask[:, :valid] = True
    # Keras hands the first argument's mask on as `mask`, another one's by its name.
    name = f"{list(inspect.signature(made.call).parameters)[place]}_mask" if place else "mask"
    made(*inputs)
    made.set_weights(model.get_weights())
    other, cut = list(inputs), list(inputs)
    other[place] = inputs[place].copy()
    other[place][:, valid:] = 7
    cut[place] = inputs[place][:, :valid]
    plain = [np.asarray(y) for y in keras.tree.flatten(made(*inputs, **{name: mask}))]
    padded = [np.asarray(y) for y in keras.tree.flatten(made(*other, **{name: mask}))]
    short = [np.asarray(y) for y in keras.tree.flatten(made(*cut))]
    assert_close(plain, padded, 1e-6, "the padding's content")
    for masked_output, short_output in zip(plain, short, strict=True):
        if masked_output.shape != short_output.shape:
            masked_output = masked_output[:, :valid]
        np.testing.assert_allclose(masked_output, short_output, atol=1e-5, err_msg="the valid part alone")
