import numpy as np
import pytest

from toolkit import export
from toolkit.lazy import tensorflow as tf


def save(folder, **signatures):
    export.save_traced(folder / "saved_model", {key: export.trace(made) for key, made in signatures.items()})
    return folder / "saved_model"


def test_two_signatures_hold_their_weights_once(tmp_path):
    values = np.random.default_rng(0).normal(size=(512, 512)).astype("float32")
    kernel = tf.Variable(values)
    saved = save(
        tmp_path,
        once=export.signature(lambda x: {"y": x @ kernel}, x=((1, 512), "float32")),
        twice=export.signature(lambda x: {"y": x @ kernel @ kernel}, x=((1, 512), "float32")),
    )
    export.convert_to_tflite(saved, tmp_path / "model.tflite", ["once", "twice"])
    assert values.nbytes < (tmp_path / "model.tflite").stat().st_size < 1.02 * values.nbytes
    x = np.eye(1, 512, dtype="float32")
    outputs, _ = export.run_tflite(tmp_path / "model.tflite", {"once": {"x": x}, "twice": {"x": x}})
    np.testing.assert_allclose(outputs["once"]["y"], values[:1], rtol=1e-6)
    np.testing.assert_allclose(outputs["twice"]["y"], values[:1] @ values, rtol=1e-3, atol=1e-3)


def test_an_op_without_builtin_is_named(tmp_path, capfd):
    saved = save(tmp_path, bad=export.signature(lambda x: {"y": tf.linalg.cholesky(tf.sin(x))}, x=((2, 2), "float32")))
    with pytest.raises(export.ConversionError, match=r"\['bad'\].*no builtin op for Cholesky\."):
        export.convert_to_tflite(saved, tmp_path / "model.tflite", ["bad"])
    assert "Cholesky" in capfd.readouterr().err  # What the converter printed is shown when it fails,


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_another_float_is_named(tmp_path, dtype):
    def half(x):
        return {"y": tf.cast(tf.matmul(tf.cast(x, dtype), tf.cast(x, dtype)), "float32")}

    saved = save(tmp_path, half=export.signature(half, x=((2, 2), "float32")))
    # TensorFlow 2.16 names the cast before a product in bfloat16.
    with pytest.raises(export.ConversionError, match=f"(MatMul|Cast).* in {dtype}; TFLite computes in float32"):
        export.convert_to_tflite(saved, tmp_path / "model.tflite", ["half"])


def test_the_converter_is_silent(tmp_path, capfd):
    saved = save(tmp_path, good=export.signature(lambda x: {"y": tf.sin(x)}, x=((3,), "float32")))
    export.convert_to_tflite(saved, tmp_path / "model.tflite", ["good"])
    assert capfd.readouterr() == ("", "")  # and only then.


def test_a_kept_variable_is_refused(tmp_path):
    count = tf.Variable(1.0)
    saved = save(tmp_path, count=export.signature(lambda x: {"y": count.assign_add(x)}, x=((), "float32")))
    with pytest.raises(export.ConversionError, match="keep variables between calls .ASSIGN_VARIABLE"):
        export.convert_to_tflite(saved, tmp_path / "model.tflite", ["count"])


def test_baked_in_noise_is_refused(tmp_path):
    draw = tf.function(lambda x: {"y": x + tf.random.uniform((3,))})
    tf.random.set_seed(3)
    draw(tf.zeros(3))  # Traced here, with the seed.
    saved = save(tmp_path, draw=export.signature(draw, x=((3,), "float32"), random=True))
    with pytest.raises(export.ConversionError, match="RANDOM_UNIFORM would draw the same noise at every start"):
        export.convert_to_tflite(saved, tmp_path / "model.tflite", ["draw"])
    saved = save(tmp_path / "python", draw=export.signature(draw.python_function, x=((3,), "float32"), random=True))
    export.convert_to_tflite(saved, tmp_path / "model.tflite", ["draw"])
    assert "RANDOM_UNIFORM" in export.inspect_tflite(tmp_path / "model.tflite")["ops"]


@pytest.fixture(scope="module")
def dense(tmp_path_factory):
    """A saved y = tanh(x · kernel), its kernel and an input."""
    generator = np.random.default_rng(0)
    values = generator.normal(size=(64, 64)).astype("float32") / 8
    kernel = tf.Variable(values)
    made = export.signature(lambda x: {"y": tf.tanh(x @ kernel)}, x=((1, 64), "float32"))
    return save(tmp_path_factory.mktemp("dense"), dense=made), values, generator.normal(size=(1, 64)).astype("float32")


@pytest.mark.parametrize(
    ("quantize", "share", "error"), [("none", 1, 1e-5), ("float16", 0.5, 1e-3), ("dynamic", 0.25, 0.05)]
)
def test_quantized_weights_are_smaller_and_near(tmp_path, dense, quantize, share, error):
    saved, values, x = dense
    export.convert_to_tflite(saved, tmp_path / "model.tflite", ["dense"], quantize)
    size = (tmp_path / "model.tflite").stat().st_size
    assert share * values.nbytes < size < share * values.nbytes + 3000
    outputs, _ = export.run_tflite(tmp_path / "model.tflite", {"dense": {"x": x}})
    difference = np.abs(outputs["dense"]["y"] - np.tanh(x @ values)).max()
    assert difference < error
    assert quantize == "none" or difference > 0


def test_another_quantization_is_refused(tmp_path):
    with pytest.raises(ValueError, match="quantize='int4': expected one of none, dynamic, float16"):
        export.convert_to_tflite(tmp_path, tmp_path / "model.tflite", ["dense"], "int4")
