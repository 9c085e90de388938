"""Models of files: this package's layers are found; code, downloads and damage are refused, and nothing is run."""

import json
import zipfile

import keras
import numpy as np
import pytest

from toolkit import layers
from toolkit.training import building


def saved(path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="tanh"), layers.ClassNames("abc")])
    model.save(path)
    return model


def test_a_file_of_this_packages_layers(tmp_path):
    model, found = saved(tmp_path / "a.keras"), building.load_file(tmp_path / "a.keras")
    assert found.layers[-1].names == ["a", "b", "c"]
    np.testing.assert_array_equal(found.get_weights()[0], model.get_weights()[0])


def with_activation(config, module, name):
    config["config"]["layers"][1]["config"]["activation"] = {
        "module": module,
        "class_name": "function",
        "config": name,
        "registered_name": name,
    }


@pytest.mark.parametrize("module, name", [("os", "system"), ("builtins", "eval"), ("keras.utils", "get_file")])
def test_what_could_run_is_refused(module, name, tmp_path, monkeypatch):
    config = keras.saving.serialize_keras_object(saved(tmp_path / "a.keras"))
    assert building.built(config, "a network", 99).layers[-1].names == ["a", "b", "c"]
    with_activation(config, module, name)
    with pytest.raises(ValueError, match="a network cannot be built here"):
        building.built(config, "a network", 99)
    with zipfile.ZipFile(tmp_path / "a.keras") as archive:
        content = {each: archive.read(each) for each in archive.namelist()}
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        for each, held in content.items():
            archive.writestr(each, json.dumps(config) if each == "config.json" else held)
    with pytest.raises(ValueError, match=r"a.keras is not a whole .keras file of networks known here"):
        building.load_file(tmp_path / "a.keras")


def test_the_checks_do_not_lean_on_what_keras_checks(monkeypatch):
    """Keras 3.3, which the oldest lock has, imports any module that a configuration names."""
    monkeypatch.setattr(keras.saving, "deserialize_keras_object", lambda config: pytest.fail("was built"))
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": [{"config": {}}, {"config": {}}]}}
    for module, name in (("os", "system"), ("keras.utils", "get_file")):
        with_activation(config, module, name)
        with pytest.raises(ValueError, match=f"it names {module}.{name}, which is no layer known here"):
            building.built(config, "a network", 99)


def test_damaged_and_not_finite(tmp_path):
    (tmp_path / "x.keras").write_bytes(b"PK")
    with pytest.raises(ValueError, match=r"x.keras is not a .keras file"):
        building.load_file(tmp_path / "x.keras")
    model = saved(tmp_path / "a.keras")
    model.layers[0].kernel.assign(np.full((2, 3), np.nan, "float32"))
    model.save(tmp_path / "nan.keras")
    with pytest.raises(ValueError, match="nan.keras holds values that are not finite, in .*kernel"):
        building.load_file(tmp_path / "nan.keras")
