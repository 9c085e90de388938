import pytest

from toolkit import export


def test_signatures_shapes_and_ops_are_read(exported):
    found = export.inspect_tflite(exported.folder / "model.tflite")
    assert found["bytes"] == (exported.folder / "model.tflite").stat().st_size
    assert found["signatures"] == {
        "encode": {
            "inputs": {"x": {"shape": [2, 8], "dtype": "float32"}},
            "outputs": {"y": {"shape": [2, 8], "dtype": "float32"}},
        },
        "generate": {
            "inputs": {"bias": {"shape": [1], "dtype": "float32"}},
            "outputs": {"points": {"shape": [5, 2], "dtype": "float32"}},
        },
    }
    assert {"TANH", "WHILE", "RANDOM_STANDARD_NORMAL"} <= set(found["ops"])  # The last is inside the loop's body.
    assert found["custom_ops"] == found["seeded_random_ops"] == []


def test_flex_ops_are_named(flex_file):
    found = export.inspect_tflite(flex_file)
    assert found["custom_ops"] == ["FlexCholesky"]
    assert found["signatures"]["cholesky"]["inputs"] == {"x": {"shape": [2, 2], "dtype": "float32"}}


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.tflite: no such file; expected a TFLite file"):
        export.inspect_tflite(tmp_path / "none.tflite")


@pytest.mark.parametrize("content", [b"TFL3", b"PK\x03\x04 a zip archive"])
def test_another_file_is_refused(tmp_path, content):
    (tmp_path / "other.tflite").write_bytes(content)
    with pytest.raises(ValueError, match="other.tflite: not a TFLite file"):
        export.inspect_tflite(tmp_path / "other.tflite")


@pytest.mark.parametrize("kept", [0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path, exported, kept):
    content = (exported.folder / "model.tflite").read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ValueError, match="cut.tflite: a damaged or truncated TFLite file"):
        export.inspect_tflite(tmp_path / "cut.tflite")
