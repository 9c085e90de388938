import numpy as np
import pytest

from toolkit import export


def test_outputs_are_the_formula_and_times_are_measured(exported, weights, example):
    outputs, milliseconds = export.run_tflite(exported.folder / "model.tflite", {"encode": {"x": example}})
    np.testing.assert_allclose(outputs["encode"]["y"], np.tanh(example @ weights), atol=1e-6)
    assert 0 < milliseconds["encode"] < 1000


def test_each_call_and_each_process_draws_fresh_noise(exported):
    path, feeds = exported.folder / "model.tflite", {"generate": {"bias": np.zeros(1, "float32")}}
    runs = [
        export.run_tflite(path, feeds)[0],
        *(export.interpreter.run_tflite_apart({"one": path, "two": path}, feeds)[n][0] for n in ("one", "two")),
    ]
    walks = [run["generate"]["points"] for run in runs]
    assert not any(np.array_equal(one, other) for one, other in zip(walks, walks[1:] + walks[:1], strict=True))


def test_the_bias_scales_the_steps(exported):
    feeds = {"generate": {"bias": np.full(1, 10, "float32")}}
    outputs, _ = export.run_tflite(exported.folder / "model.tflite", feeds)
    assert np.abs(outputs["generate"]["points"]).max() < 100 * np.exp(-10)


def test_a_flex_op_fails_apart(flex_file):
    with pytest.raises(RuntimeError, match="FlexCholesky"):
        export.interpreter.run_tflite_apart({"model": flex_file}, {"cholesky": {"x": np.eye(2, dtype="float32")}})


def test_names_with_dots_run_apart(exported, weights, example, tmp_path):
    """As in files of other people's making."""
    from ai_edge_litert.tools import flatbuffer_utils

    model = flatbuffer_utils.read_model(str(exported.folder / "model.tflite"))
    encode = next(each for each in model.signatureDefs if each.signatureKey == b"encode")
    encode.signatureKey, encode.inputs[0].name, encode.outputs[0].name = b"a.b/c", b"x.1", b"y.npy"
    flatbuffer_utils.write_model(model, str(tmp_path / "dots.tflite"))
    feeds = {"a.b/c": {"x.1": example}}
    found = export.interpreter.run_tflite_apart({"dots": tmp_path / "dots.tflite"}, feeds)["dots"][0]
    np.testing.assert_allclose(found["a.b/c"]["y.npy"], np.tanh(example @ weights), atol=1e-6)


def test_a_wrong_signature_is_refused(exported):
    with pytest.raises(ValueError, match="decode"):
        export.run_tflite(exported.folder / "model.tflite", {"decode": {}})
