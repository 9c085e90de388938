import importlib
import json
import subprocess
import sys

import pytest

main = importlib.import_module("toolkit.export.__main__").main


def test_it_prints_what_the_file_offers(exported, capfd):
    assert main([str(exported.folder / "model.tflite")]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "all ops builtin" in out and f"{(exported.folder / 'model.tflite').stat().st_size:,} bytes" in out
    assert "  input   x  2×8  float32  metres\n" in out
    assert "encode: " in out and " ms on 1 thread" in out


def test_json_has_it_all(exported, capfd):
    assert main([str(exported.folder / "model.tflite"), "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["signatures"]["generate"]["inputs"]["bias"] == {
        "shape": [1],
        "dtype": "float32",
        "unit": "0 = unbiased",
    }
    assert found["builtin_ops_only"] is True
    assert found["latency_ms"]["generate"] > 0


def test_without_a_card_there_are_no_units(exported, tmp_path, capfd):
    (tmp_path / "model.tflite").write_bytes((exported.folder / "model.tflite").read_bytes())
    assert main([str(tmp_path / "model.tflite")]) == 0
    assert "  input   x  2×8  float32\n" in capfd.readouterr().out
    (tmp_path / "card.json").write_text("{")
    assert main([str(tmp_path / "model.tflite")]) == 1
    assert "card.json, line 1, is not the card of an exported model" in capfd.readouterr().err


def test_a_flex_file_is_told(flex_file, capfd):
    code = (
        "import sys; from toolkit.export.__main__ import main; status = main(sys.argv[1:]); "
        "sys.exit(9 if 'tensorflow' in sys.modules else status)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(flex_file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "NOT BUILTIN: FlexCholesky" in done.stdout and "does not run here: " in done.stdout


@pytest.mark.parametrize(
    ("kept", "message"),
    [(None, "no such file"), (0, "is empty; expected a TFLite file"), (7, "not a TFLite file"), (1000, "truncated")],
)
def test_a_file_that_is_none_fails(exported, tmp_path, capfd, kept, message):
    path = tmp_path / "model.tflite"
    if kept is not None:
        path.write_bytes((exported.folder / "model.tflite").read_bytes()[:kept])
    assert main([str(path)]) == 1
    out, err = capfd.readouterr()
    assert out == "" and "model.tflite" in err and message in err
