"""A tiny untrained network without any recipe: what each file reads is what the network reads."""

import json

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET
from toolkit.generation import ctc_decoding
from toolkit.metrics.character_error_rate import character_error_rate
from toolkit.serving.strokes_reader import strokes_reader

LINES = [line for line in embedded_writers.written_lines(30, max_characters=10) if len(line.offsets) <= 120]


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = models.handwriting_recognition.recognition(ALPHABET, units=6, num_layers=1)
    model.get_layer("standardize").adapt([3.0, 0.0, 0.0], [4.0, 5.0, 1.0])
    return model


def test_exported_whole(model, tmp_path):
    served = strokes_reader(model, ALPHABET, max_points=120, measured=LINES[:4], typical=LINES[4:8])
    export.write(tmp_path / "export", **served.arguments(), quantize="int8")
    card = json.loads((tmp_path / "export" / "card.json").read_text())
    assert set(card["signatures"]) == {"recognize", "log_probabilities"} and card["alphabet"] == ALPHABET
    assert card["files"]["model_int8.tflite"]["calibrated_with"] == {"recognize": 4, "log_probabilities": 4}
    logits = [model((line.offsets[None], np.ones((1, len(line.offsets)), bool))) for line in LINES[:4]]
    read = [ctc_decoding.greedy(each, ALPHABET)[0] for each in logits]
    expected = character_error_rate([line.text for line in LINES[:4]], read)
    rates = {name: found["character_error_rate_percent"] for name, found in card["measured"].items()}
    assert set(rates) == {"saved_model", "model.tflite", "model_int8.tflite"}
    assert rates["saved_model"] == rates["model.tflite"] == pytest.approx(expected)
    call, line = export.tflite_caller(tmp_path / "export" / "model.tflite"), LINES[0]
    strokes = np.pad(line.offsets, ((0, 120 - len(line.offsets)), (0, 0)))[None]
    found = call("log_probabilities", strokes=strokes, length=np.array([len(line.offsets)], "int32"))
    np.testing.assert_allclose(
        found["log_probabilities"][0, : logits[0].shape[1]],
        np.asarray(keras.ops.log_softmax(logits[0]))[0],
        atol=1e-3,
    )


def test_any_number_ends_in_numbers(model):
    signatures = strokes_reader(model, ALPHABET, max_points=120).signatures
    strokes = np.zeros((1, 120, 3), "float32")
    strokes[0, : len(LINES[0].offsets)] = LINES[0].offsets
    call = signatures["log_probabilities"].call
    whole, none = (call(strokes=strokes, length=np.array([n], "int32"))["log_probabilities"] for n in (120, 0))
    for length, expected in ((121, whole), (2**31 - 1, whole), (-1, none), (-(2**31), none)):
        found = call(strokes=strokes, length=np.array([length], "int32"))["log_probabilities"]
        np.testing.assert_array_equal(found, expected)
        assert np.isfinite(found).all()
    strokes[0, 3], strokes[0, 5], strokes[0, 7] = np.nan, np.inf, -3e38
    assert np.isfinite(call(strokes=strokes, length=np.array([120], "int32"))["log_probabilities"]).all()


def test_nothing_is_measured_without_lines(model):
    offered = strokes_reader(model, ALPHABET, max_points=120)
    assert offered.measure is None and not offered.examples and not list(offered.calibrate())
