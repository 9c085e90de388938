import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from toolkit import export
from toolkit.export import writer
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf

FILES = ["card.json", "card.md", "model.tflite", "saved_model"]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_the_folder_holds_what_it_should(exported):
    assert names(exported.folder) == sorted([*FILES, "model_float16.tflite"])
    assert names(exported.folder.parent) == ["walk"]
    assert "model.tflite: " in str(exported) and str(exported.folder) in str(exported)


def test_an_lstm_of_static_batch_runs_as_its_formula(tmp_path):
    units, generator = 3, np.random.default_rng(0)
    inputs = keras.Input((4, 2))
    model = keras.Model(inputs, keras.layers.LSTM(units)(inputs))
    model.set_weights([generator.normal(size=weight.shape) for weight in model.get_weights()])
    x = generator.normal(size=(1, 4, 2)).astype("float32")
    predict = export.signature(lambda x: model(x), x=((1, 4, 2), "float32"))
    report = export.write(tmp_path / "lstm", {"predict": predict}, examples={"predict": {"x": x}}, trackables=[model])

    kernel, recurrent_kernel, bias = model.get_weights()
    h = c = np.zeros((1, units))
    for t in range(4):
        i, f, g, o = np.split(x[:, t] @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    outputs, _ = export.run_tflite(report.folder / "model.tflite", {"predict": {"x": x}})
    np.testing.assert_allclose(outputs["predict"]["output_0"], h, atol=1e-5)


def test_a_signature_without_example_is_run_on_zeros(tmp_path):
    made = export.signature(lambda x: {"y": x + 1}, x=((2,), "int32"))
    report = export.write(tmp_path / "plus", {"plus": made})
    assert report.card["parity"]["plus"]["not_compared"].startswith("no example")
    assert report.card["files"]["model.tflite"]["latency_ms"]["plus"] > 0


def test_a_signature_without_inputs(tmp_path):
    """A model that draws its samples from nothing but noise, beside one that gives what it holds."""
    kept = tf.Variable([1.0, 2.0])
    signatures = {
        "draw": export.signature(lambda: {"y": kept + tf.random.normal((2,))}, random=True),
        "mean": export.signature(lambda: {"y": 2.0 * kept}),
    }
    report = export.write(tmp_path / "drawn", signatures, examples={"mean": {}})
    assert report.card["signatures"]["draw"]["inputs"] == {}
    assert report.card["parity"]["mean"]["outputs"]["y"]["tflite"] == 0.0
    call = export.interpreter.tflite_caller(report.folder / "model.tflite")
    np.testing.assert_array_equal(call("mean")["y"], [2.0, 4.0])
    assert np.abs(call("draw")["y"] - call("draw")["y"]).max() > 0


def test_a_trace_that_differs_is_refused_and_the_old_export_stays(tmp_path):
    folder = tmp_path / "scale"
    one = {"x": np.full(1, 2, "float32")}
    export.write(
        folder, {"scale": export.signature(lambda x: {"y": 3 * x}, x=((1,), "float32"))}, examples={"scale": one}
    )
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    wrong = export.signature(lambda x: {"y": x * (3.0 if tf.executing_eagerly() else 3.5)}, x=((1,), "float32"))
    with pytest.raises(
        export.ParityError, match="'scale' in SavedModel: output 'y' is 7.0 .* where the model gives 6.0"
    ):
        export.write(folder, {"scale": wrong}, examples={"scale": one})
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert names(tmp_path) == ["scale"]


def test_a_tflite_file_that_differs_is_refused(tmp_path, monkeypatch):
    def run_wrongly(*arguments):
        runs = export.interpreter.run_tflite_apart(*arguments)
        runs["model"][0]["scale"]["y"][0] += 0.5
        return runs

    monkeypatch.setattr(writer, "run_tflite_apart", run_wrongly)
    scale = export.signature(lambda x: {"y": 3 * x}, x=((1,), "float32"))
    with pytest.raises(export.ParityError, match="'scale' in TFLite: output 'y' is 6.5 .* where the model gives 6.0"):
        export.write(tmp_path / "scale", {"scale": scale}, examples={"scale": {"x": np.full(1, 2, "float32")}})
    assert names(tmp_path) == []


def test_noise_that_is_nan_is_refused(tmp_path):
    noise = export.signature(
        lambda x: {"y": tf.math.log(-tf.random.uniform((3,)) - x)}, x=((3,), "float32"), random=True
    )
    with pytest.raises(export.ParityError, match="'noise' in SavedModel: output 'y' holds nan"):
        export.write(tmp_path / "noise", {"noise": noise})
    assert names(tmp_path) == []


@pytest.mark.slow
def test_what_each_quantization_costs_is_on_the_card(tmp_path):
    generator = np.random.default_rng(0)
    kernel = generator.normal(size=(64, 64)).astype("float32") / 8
    inputs = [generator.normal(size=(1, 64)).astype("float32") for _ in range(20)]
    variable = tf.Variable(kernel)
    made = {"dense": export.signature(lambda x: {"y": tf.tanh(x @ variable)}, x=((1, 64), "float32"))}

    def measure(call):
        return {"error_squared": np.mean([(call("dense", x=x)["y"] - np.tanh(x @ kernel)) ** 2 for x in inputs])}

    report = export.write(
        tmp_path / "dense",
        made,
        examples={"dense": {"x": inputs[0]}},
        quantize="all",
        calibrate=({"dense": {"x": x}} for x in inputs),
        measure=measure,
    )
    quantized = [f"model_{name}.tflite" for name in ("dynamic", "float16", "int8")]
    assert names(report.folder) == sorted([*FILES, *quantized])
    errors = {name: values["error_squared"] for name, values in report.card["measured"].items()}
    assert set(errors) == {"saved_model", "model.tflite", *quantized}
    assert errors["saved_model"] < 1e-12 and errors["model.tflite"] < 1e-12
    assert 1e-12 < errors["model_float16.tflite"] < errors["model_dynamic.tflite"] < 1e-3
    assert 1e-12 < errors["model_int8.tflite"] < 1e-3
    files = report.card["files"]
    assert files["model_int8.tflite"]["calibrated_with"] == {"dense": 20}
    assert {f"{name}_from_float32" for name in ("dynamic", "float16", "int8")} < set(
        report.card["parity"]["dense"]["outputs"]["y"]
    )
    text = (report.folder / "card.md").read_text()
    share = files["model_int8.tflite"]["bytes"] / files["model.tflite"]["bytes"]
    assert "| file | bytes | `dense`, ms | error_squared |" in text
    assert f"| `model_int8.tflite` | {files['model_int8.tflite']['bytes']:,} ({share:.2f} ×) | " in text
    assert "ranges from typical inputs: 20 of `dense`." in text
    costs = text.split("## Cost of quantization")[1].split("\n\n")[1].splitlines()
    assert len(costs) == 7 and {row.count("|") for row in costs} == {5}


def test_typical_inputs_are_read_for_int8_only(tmp_path):
    def calibrate():
        raise AssertionError("read without need")
        yield

    made = {"same": export.signature(lambda x: x, x=((1,), "float32"))}
    report = export.write(tmp_path / "same", made, calibrate=calibrate(), quantize="dynamic")
    assert report.card["measured"] == {} and "model_dynamic.tflite" in report.card["files"]


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    made = export.signature(lambda x: x, x=((1,), "float32"))
    with pytest.raises(ValueError, match="is not an export: it holds thesis.txt"):
        export.write(tmp_path, {"same": made})
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"signatures": {}}, "expected at least one"),
        ({"examples": {"other": {}}}, r"example: there is no signature \['other'\]"),
        ({"examples": {"same": {"x": np.zeros(2)}}}, r"example 'same': input 'x' has shape \(2,\)"),
        ({"quantize": "int4"}, "quantize='int4': expected one of none, dynamic, float16, int8, all"),
        ({"quantize": "int8"}, "quantize='int8' needs typical inputs"),
        ({"quantize": "all"}, "quantize='all' needs typical inputs"),
        ({"quantize": "int8", "calibrate": [{"same": {}}]}, "calibrate 'same': expected the inputs"),
        ({"card": {"files": 1}}, "files is filled in"),
    ],
)
def test_settings_that_do_not_fit_are_refused_at_once(tmp_path, arguments, message):
    made = {"same": export.signature(lambda x: x, x=((1,), "float32"))}
    with pytest.raises(ValueError, match=message):
        export.write(tmp_path / "same", **{"signatures": made, **arguments})
    assert names(tmp_path) == []


def test_killed_in_the_function_the_old_export_stays(tmp_path, exported):
    folder = tmp_path / "walk"
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(exported.card))
    code = """
import os, signal, sys
from toolkit import export
dies = export.signature(lambda x: os.kill(os.getpid(), signal.SIGKILL), x=((1,), "float32"))
export.write(sys.argv[1], {"dies": dies})
"""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], check=False, env=environment, stderr=subprocess.PIPE
    )
    assert done.returncode == -signal.SIGKILL
    assert names(folder) == ["card.json"]
    assert json.loads((folder / "card.json").read_text()) == exported.card


def test_a_full_disk_leaves_the_export_before_it(small_disk):
    def write(size):
        weights = tf.Variable(np.random.default_rng(0).standard_normal(size).astype("float32"))
        made = export.signature(lambda x: {"y": tf.reduce_sum(weights) * x}, x=((1,), "float32"))
        x = {"x": np.ones(1, "float32")}
        return export.write(small_disk / "export", {"sum": made}, examples={"sum": x}, trackables=[weights]), weights

    _, weights = write(10)
    with pytest.raises(OSError, match=r"export could not be written: No space left on device; what it held before is"):
        write(1_000_000)
    assert names(small_disk) == ["export"]
    outputs, _ = export.run_tflite(small_disk / "export" / "model.tflite", {"sum": {"x": np.ones(1, "float32")}})
    np.testing.assert_allclose(outputs["sum"]["y"], weights.numpy().sum(), rtol=1e-5)
