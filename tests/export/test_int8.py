import collections

import numpy as np
import pytest

from toolkit import export
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf


def convert(folder, **signatures):
    export.save_traced(folder / "saved_model", {key: export.trace(made) for key, made in signatures.items()})
    export.convert_to_tflite(folder / "saved_model", folder / "model.tflite", list(signatures))
    return folder / "model.tflite", folder / "model_int8.tflite"


def normal(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.fixture(name="dense", scope="module")
def quantized_dense(tmp_path_factory):
    """y = tanh(x · kernel) in int8, calibrated on normal numbers, and its kernel."""
    kernel = normal(0, 64, 64) / 8
    variable = tf.Variable(kernel)
    made = export.signature(lambda x: {"y": tf.tanh(x @ variable)}, x=((1, 64), "float32"))
    source, path = convert(tmp_path_factory.mktemp("dense"), dense=made)
    counts = export.quantize_to_int8(source, path, ({"dense": {"x": normal(i, 1, 64)}} for i in range(1, 21)))
    assert counts == {"dense": 20}
    return path, kernel


def test_products_are_int8_and_inputs_float(dense):
    path, kernel = dense
    found = export.inspect_tflite(path)
    assert {"QUANTIZE", "DEQUANTIZE"} <= set(found["ops"]) and not found["custom_ops"]
    assert found["signatures"]["dense"]["inputs"]["x"]["dtype"] == "float32"
    assert kernel.size < found["bytes"] < kernel.size + 4000
    x = normal(99, 1, 64)
    y = export.run_tflite(path, {"dense": {"x": x}})[0]["dense"]["y"]
    assert 0 < np.abs(y - np.tanh(x @ kernel)).max() < 0.1


def test_the_ranges_are_the_typical_inputs(dense):
    """Inputs ten times as large as any that was seen are cut off at the largest that was."""
    path, kernel = dense
    x = np.zeros((1, 64), "float32")
    x[0, 0] = 30.0
    y = export.run_tflite(path, {"dense": {"x": x}})[0]["dense"]["y"]
    largest = max(normal(i, 1, 64).max() for i in range(1, 21))
    np.testing.assert_allclose(y[0], np.tanh(largest * kernel[0]), atol=0.1)
    assert np.abs(y[0] - np.tanh(30.0 * kernel[0])).max() > 0.2


def test_a_loop_whose_state_a_product_reads(tmp_path):
    """ai-edge-quantizer 0.10 alone hands the next step the int8 bytes of such a state, and does not measure loops."""
    a, b, c = normal(0, 8, 16) / 3, normal(1, 16, 16) / 4, normal(2, 16, 16) / 4
    variables = [tf.Variable(value) for value in (a, b, c)]

    def run(x):
        def step(t, state, total):
            state = tf.tanh(x[:, t] @ variables[0] + state @ variables[1])
            return t + 1, state, total + tf.tanh(state @ variables[2])

        start = (0, tf.zeros((1, 16)), tf.zeros((1, 16)))
        _, state, total = tf.while_loop(lambda t, *_: t < 6, step, start)
        return {"state": state, "total": total}

    source, path = convert(tmp_path, run=export.signature(run, x=((1, 6, 8), "float32")))
    export.quantize_to_int8(source, path, [{"run": {"x": normal(i, 1, 6, 8)}} for i in range(20)])
    x = normal(99, 1, 6, 8)
    state = total = np.zeros((1, 16))
    for t in range(6):
        state = np.tanh(x[:, t] @ a + state @ b)
        total = total + np.tanh(state @ c)
    found = export.run_tflite(path, {"run": {"x": x}})[0]["run"]
    assert "WHILE" in export.inspect_tflite(path)["ops"]
    np.testing.assert_allclose(found["state"], state, atol=0.1)
    np.testing.assert_allclose(found["total"], total, atol=0.3)
    assert np.abs(found["total"] - total).max() > 1e-4, "it is quantized"


def test_an_lstm(tmp_path):
    """TensorFlow 2.21's own calibrator ends the process on it."""
    inputs = keras.Input((4, 3), batch_size=1)
    model = keras.Model(inputs, keras.layers.LSTM(16)(inputs))
    source, path = convert(tmp_path, lstm=export.signature(lambda x: {"y": model(x)}, x=((1, 4, 3), "float32")))
    export.quantize_to_int8(source, path, [{"lstm": {"x": normal(i, 1, 4, 3)}} for i in range(20)])
    x = normal(99, 1, 4, 3)
    found = export.run_tflite(path, {"lstm": {"x": x}})[0]["lstm"]["y"]
    assert 0 < np.abs(found - np.asarray(model(x))).max() < 0.05


def test_a_convolution(tmp_path):
    kernel = normal(0, 3, 3, 2, 4) / 4
    variable = tf.Variable(kernel)
    made = export.signature(lambda x: {"y": tf.nn.conv2d(x, variable, 1, "VALID")}, x=((1, 8, 8, 2), "float32"))
    source, path = convert(tmp_path, conv=made)
    export.quantize_to_int8(source, path, [{"conv": {"x": normal(i, 1, 8, 8, 2)}} for i in range(20)])
    x = normal(99, 1, 8, 8, 2)
    expected = sum(x[:, i : i + 6, j : j + 6] @ kernel[i, j] for i in range(3) for j in range(3))
    found = export.run_tflite(path, {"conv": {"x": x}})[0]["conv"]["y"]
    assert 0 < np.abs(found - expected).max() < 0.1


def test_every_signature_needs_typical_inputs(tmp_path):
    double = export.signature(lambda x: 2 * x, x=((1,), "float32"))
    source, path = convert(tmp_path, one=double, two=double)
    with pytest.raises(ValueError, match="no typical inputs for two"):
        export.quantize_to_int8(source, path, [{"one": {"x": np.ones(1, "float32")}}])
    assert not path.exists()


def test_typical_inputs_of_an_unknown_signature_are_refused(tmp_path):
    double = export.signature(lambda x: 2 * x, x=((1,), "float32"))
    source, path = convert(tmp_path, one=double, two=double)
    with pytest.raises(ValueError, match=r"calibrate: there is no signature \['three'\]; they are \['one', 'two'\]"):
        export.quantize_to_int8(source, path, [{key: {"x": np.ones(1, "float32")} for key in ("one", "two", "three")}])
    assert not path.exists()


def test_it_is_silent(tmp_path, capfd):
    variable = tf.Variable(normal(0, 64, 64))
    made = export.signature(lambda x: {"y": x @ variable}, x=((1, 64), "float32"))
    source, path = convert(tmp_path, dense=made)
    export.quantize_to_int8(source, path, [{"dense": {"x": normal(0, 1, 64)}}])
    assert capfd.readouterr() == ("", "")


def test_between_convolutions_nothing_goes_back_to_float32(tmp_path):
    """One conversion at each end of three convolutions, an addition, a pooling and a subsampling."""
    kernels = [tf.Variable(normal(i, size, size, 4, 4) / 6) for i, size in enumerate((3, 3, 1))]

    def run(x):
        y = tf.nn.relu(tf.nn.conv2d(x, kernels[0], 1, "SAME"))
        y = x + tf.nn.conv2d(y, kernels[1], 1, "SAME")
        y = tf.nn.max_pool2d(y, 2, 2, "SAME") + tf.nn.conv2d(y[:, ::2, ::2], kernels[2], 1, "SAME")
        return {"y": tf.reduce_mean(y, [1, 2])}

    source, path = convert(tmp_path, run=export.signature(run, x=((1, 8, 8, 4), "float32")))
    export.quantize_to_int8(source, path, [{"run": {"x": normal(i, 1, 8, 8, 4)}} for i in range(20)])
    counts = operators(path)
    assert counts["DEQUANTIZE"] == 1 and counts["QUANTIZE"] == 1 and counts["CONV_2D"] == 3
    x = normal(99, 1, 8, 8, 4)
    exact, found = (export.run_tflite(each, {"run": {"x": x}})[0]["run"]["y"] for each in (source, path))
    assert 0 < np.abs(found - exact).max() < 0.05


def operators(path):
    """How often each builtin operator is in a file's first graph."""
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(path))
    codes = [flatbuffer_utils.opcode_to_name(model, op.opcodeIndex) for op in model.subgraphs[0].operators]
    return collections.Counter(codes)
