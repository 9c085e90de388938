"""Recipes run the same whatever their user has set for Keras."""

import json
import os
import subprocess
import sys

import pytest

from toolkit import keras_settings

PROGRAM = """
from toolkit import keras_settings
keras_settings.import_keras()
import os
import keras
import tensorflow as tf
layer = keras.layers.Conv2D(3, 1)
layer.build((None, 4, 5, 2))
print(keras.backend.backend(), layer.kernel.dtype, layer.compute_dtype, *layer.kernel.shape, keras.config.epsilon())
print(tf.keras.__version__ == keras.__version__, keras.config.max_epochs())
"""
EXPECTED = "tensorflow float32 float32 1 1 2 3 1e-07\nTrue None\n"
OTHER = {"floatx": "float64", "epsilon": 0.1, "backend": "torch", "image_data_format": "channels_first"}


def run(tmp_path, said, **variables):
    (tmp_path / "keras.json").write_text(said)
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "TF_CPP_MIN_LOG_LEVEL": "3", **variables}
    return subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow  # tests/training/test_phases.py sees one of them with each recipe's run
def test_what_is_set_otherwise_is_set_aside(tmp_path):
    variables = {"KERAS_BACKEND": "jax", "TF_USE_LEGACY_KERAS": "1", "KERAS_MAX_EPOCHS": "none"}
    done = run(tmp_path, json.dumps(OTHER), **variables)
    assert done.stdout == EXPECTED, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("said", ["no JSON", "{}"])
def test_what_keras_passes_over(tmp_path, said):
    assert run(tmp_path, said).stdout == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize("said", ['{"floatx": "float99"}', "[1]"])
def test_what_keras_does_not_start_with(tmp_path, said):
    done = run(tmp_path, said)
    answer = f"ValueError: Keras does not start with what {tmp_path / 'keras.json'} says."
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(answer)


def test_what_is_set_is_listed(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    assert keras_settings.set_otherwise() == []
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")
    path = tmp_path / "keras.json"
    path.write_text(json.dumps({**OTHER, "backend": "tensorflow"}))
    told = f"floatx=float64, epsilon=0.1, image_data_format=channels_first in {path}"
    assert keras_settings.set_otherwise() == ["TF_USE_LEGACY_KERAS=1", told]
    path.write_text("[1]")
    assert keras_settings.set_otherwise()[1] == f"{path}, which holds no settings"


def test_without_a_home_keras_looks_in_tmp(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    assert str(keras_settings.keras_json()) == "/tmp/.keras/keras.json"
