import json
import pathlib

import numpy as np
import pytest

from toolkit import export


def test_numpy_and_paths_become_json():
    given = {"metrics": {"a": np.float32(0.5), "b": np.arange(2), "c": float("nan")}, "data": pathlib.Path("data/iam")}
    assert export.card.check_card(given) == {"metrics": {"a": 0.5, "b": [0, 1], "c": "nan"}, "data": "data/iam"}


def test_what_the_export_measures_cannot_be_given():
    with pytest.raises(ValueError, match="parity, versions is filled in by the export"):
        export.card.check_card({"versions": {}, "name": "x", "parity": {}})


def test_what_is_no_json_is_refused():
    with pytest.raises(ValueError, match=r"card\['metrics'\]\['a'\]: a set has no place"):
        export.card.check_card({"metrics": {"a": {1}}})


def test_the_card_says_what_was_written(exported):
    card = json.loads((exported.folder / "card.json").read_text())
    assert card == exported.card
    assert card["signatures"]["encode"]["inputs"]["x"] == {"shape": [2, 8], "dtype": "float32", "unit": "metres"}
    assert card["signatures"]["encode"]["outputs"]["y"]["unit"] == "share"
    assert card["signatures"]["generate"]["random"] is True
    for name in ("model.tflite", "model_float16.tflite"):
        file = card["files"][name]
        assert file["bytes"] == (exported.folder / name).stat().st_size
        assert file["builtin_ops_only"] is True
        assert "TANH" in file["ops"]
        assert set(file["latency_ms"]) == {"encode", "generate"}
        assert file["num_threads"] == 1
    differences = card["parity"]["encode"]["outputs"]["y"]
    assert differences["tflite"] < 1e-5 and differences["saved_model"] < 1e-5
    assert 0 <= differences["float16_from_float32"] < 1e-2
    assert card["parity"]["generate"] == {"not_compared": "it draws noise"}
    assert {"tensorflow", "keras", "ai-edge-litert"} <= set(card["versions"])
    assert card["metrics"] == {"error_metres": 0.25} and card["licence"] == "MIT"


def test_the_card_is_readable(exported):
    text = (exported.folder / "card.md").read_text()
    size = (exported.folder / "model.tflite").stat().st_size
    assert text.startswith("# Walk\n")
    assert "| `encode` | input | `x` | 2 × 8 | float32 | metres |" in text
    assert f"| `model.tflite` | {size:,} | yes | `encode` " in text
    assert "| `generate` | all | not compared: it draws noise |" in text
    assert "| error_metres | 0.25 |" in text
    assert "## Command\n\n`walk --mode=all`" in text
    columns = [
        [line.count("|") for line in block.splitlines()] for block in text.split("\n\n") if block.startswith("|")
    ]
    assert all(len(set(block)) == 1 for block in columns)
