"""A tiny untrained network without any recipe: what each file does is what the network does."""

import functools
import json

import keras
import numpy as np
import pytest

from toolkit import export, models
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET
from toolkit.generation.strokes import Writer
from toolkit.serving.strokes_writer import strokes_writer

# In `./run test` the recipe of such a network exports it; what int8 costs, and each signature alone, is for CI.
pytestmark = pytest.mark.slow

SIZES = {"units": 8, "num_layers": 2, "num_mixtures": 3}
LINES = [line for line in embedded_writers.written_lines(30, max_characters=10) if len(line.offsets) <= 120]


@pytest.fixture(scope="module")
def served():
    """By kind: what it offers."""
    keras.utils.set_random_seed(0)
    made = {}
    for kind in ("synthesis", "prediction"):
        more = {"alphabet": ALPHABET, "num_gaussians": 2} if kind == "synthesis" else {}
        model = getattr(models.handwriting, kind)(**SIZES, **more)
        model.get_layer("standardize").adapt([3.0, 0.0, 0.0], [4.0, 5.0, 1.0])
        text = {"num_characters": 16, "text": "as"} if kind == "synthesis" else {}
        made[kind] = strokes_writer(
            model, num_steps=140, max_points=120, bias=0.5, **text, measured=LINES[:4], typical=LINES[4:6]
        )
    return made


@pytest.fixture(scope="module")
def written(served, tmp_path_factory):
    """A function of the kind: the folder of its export."""

    @functools.cache
    def folder(kind):
        made = tmp_path_factory.mktemp(kind) / "export"
        export.write(made, **served[kind].arguments(), quantize="int8")
        return made

    return folder


def nats_a_point(model, lines):
    """Of the whole network over whole lines."""
    mean, scale = (np.asarray(weight) for weight in model.get_layer("standardize").weights)
    nats = 0.0
    for line in lines:
        codes = np.array([[*map(ord, line.text), 0]], "int32")
        params = model((line.offsets[None], codes) if len(model.inputs) == 2 else line.offsets[None])
        standardized = (line.offsets[None] - mean) / scale
        nats -= float(np.sum(model.get_layer("density").distribution.log_prob(params, standardized)))
    return nats / sum(len(line.offsets) for line in lines)


@pytest.mark.parametrize("kind", ["synthesis", pytest.param("prediction", marks=pytest.mark.slow)])
def test_exported_whole(served, written, kind):
    card = json.loads((written(kind) / "card.json").read_text())
    assert set(card["signatures"]) == {"generate", "generate_from_noise", "step", "score"}
    assert card.get("alphabet") == (ALPHABET if kind == "synthesis" else None)
    expected = nats_a_point(served[kind].trackables[0], LINES[:4])
    nats = {name: found["log_loss_nats_per_point"] for name, found in card["measured"].items()}
    assert set(nats) == {"saved_model", "model.tflite", "model_int8.tflite"}
    for name in ("saved_model", "model.tflite"):
        np.testing.assert_allclose(nats[name], expected, rtol=1e-4)
    assert 0 < abs(nats["model_int8.tflite"] - expected) < 0.05
    counts = card["files"]["model_int8.tflite"]["calibrated_with"]
    assert counts["score"] == 2 and counts["step"] == sum(len(line.offsets) for line in LINES[4:6])


@pytest.mark.parametrize("kind", ["synthesis", pytest.param("prediction", marks=pytest.mark.slow)])
def test_the_step_signature_writes_the_same_line(served, written, kind):
    """A program that calls `step` point by point gets what `generate_from_noise` writes at once."""
    call, writer = export.tflite_caller(written(kind) / "model.tflite"), Writer(served[kind].trackables[0])
    inputs = {"bias": np.array([0.5], "float32")}
    if kind == "synthesis":
        inputs["text"] = np.array([[ord("a"), ord("s"), *[0] * 14]], "int32")
    noise = writer.noise(1, 140, seed=4)
    line = call("generate_from_noise", **inputs, noise=noise)
    state = {name: np.zeros((1, size), "float32") for name, size in writer.state_sizes.items()}
    offset = np.zeros((1, 3), "float32")
    for t in range(min(int(line["length"][0]), 12)):
        made = call("step", **inputs, noise=noise[:, t], offset=offset, **state)
        np.testing.assert_allclose(made["stroke"][0], line["strokes"][0, t], atol=1e-3)
        offset, state = made["next_offset"], {name: made[f"next_{name}"] for name in state}
    first, second = (call("generate", **inputs)["strokes"] for _ in range(2))
    assert first.shape == (1, 140, 3) and np.isfinite(first).all()
    assert np.abs(first - second).max() > 0, "fresh noise at each call"


@pytest.mark.parametrize("kind", ["synthesis", "prediction"])
def test_any_number_ends_in_numbers(served, written, kind):
    """Of the file on a phone: lengths out of range are the nearest, a bias that is none is 0."""
    call, given = export.tflite_caller(written(kind) / "model.tflite"), served[kind].examples
    line = given["score"] | {"length": np.array([120], "int32")}
    whole = call("score", **line)["log_loss"]
    assert np.isfinite(whole).all() and whole[0] != 0
    for length, expected in ((121, whole), (2**31 - 1, whole), (-1, [0.0]), (-(2**31), [0.0])):
        np.testing.assert_array_equal(
            call("score", **line | {"length": np.array([length], "int32")})["log_loss"], expected
        )
    example = given["generate_from_noise"]
    plain = call("generate_from_noise", **example | {"bias": np.zeros(1, "float32")})["strokes"]
    for bias in (-1e9, -np.inf, np.nan, 1e9, np.inf):
        found = call("generate_from_noise", **example | {"bias": np.array([bias], "float32")})["strokes"]
        assert np.isfinite(found).all()
        assert bias > 0 or np.array_equal(found, plain)
    odd = {
        name: np.full_like(value, np.nan if value.dtype == "float32" else -7) for name, value in given["step"].items()
    }
    assert all(np.isfinite(value).all() for value in call("step", **odd).values())


def test_calibration_is_real_lines(served):
    """Teacher forcing: each step takes a real line's point before, and the states that the step before returned."""
    writer = Writer(served["synthesis"].trackables[0])
    items = list(served["synthesis"].calibrate())
    lines, steps = ([item[key] for item in items if key in item] for key in ("score", "step"))
    assert len(lines) == 2 and len(steps) == sum(line["length"][0] for line in lines)
    assert sum(set(item) == {"score", "generate", "generate_from_noise"} for item in items) == 2
    first, second = steps[0], steps[1]
    assert not any(first[name].any() for name in ("offset", *writer.state_sizes))
    real = writer.standardize(lines[0]["strokes"])[:, 0]
    np.testing.assert_allclose(second["offset"], real, atol=1e-5)
    state, characters = {name: first[name] for name in writer.state_sizes}, np.asarray(writer.characters(first["text"]))
    _, state, _ = writer.step(first["offset"], state, characters, 0.0, first["noise"])
    for name, value in state.items():
        np.testing.assert_allclose(second[name], value, atol=1e-5)


def test_nothing_is_measured_without_lines(served):
    offered = strokes_writer(served["prediction"].trackables[0], num_steps=20, max_points=30)
    assert offered.measure is None and "score" not in offered.examples
    with pytest.raises(ValueError, match="num_characters=0: this network reads a text"):
        strokes_writer(served["synthesis"].trackables[0], num_steps=20, max_points=30)
