"""What the shipped handwriting models are said to do, at a part of the lines that their cards are made with."""

import json

import numpy as np
import pytest

from recipes import handwriting_recognition, handwriting_synthesis
from toolkit import generation, training
from toolkit.training.shipping import shipped, shipped_settings

pytestmark = pytest.mark.claims

CLASSES = {"handwriting_synthesis": handwriting_synthesis, "handwriting_recognition": handwriting_recognition}


def shipped_run(name, workdir, **how):
    settings = CLASSES[name].Settings(**{**shipped_settings(name), "workdir": str(workdir), **how})
    return training.Run(settings, name, load=CLASSES[name].load, stand_in=shipped(name))


def test_what_is_written_can_be_read(tmp_path):
    """Legibility: texts of the test lines, which neither network has seen."""
    run = shipped_run("handwriting_recognition", tmp_path, num_lines=60)
    handwriting_recognition.read_written(run)
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    real, written = (metrics[f"{name}_character_error_rate_percent"] for name in ("real", "bias_1"))
    assert written < 15.0 and written < real + 10.0
    assert metrics["bias_1_never_stopped_percent"] + metrics["bias_1_stopped_early_percent"] <= 2.0


def test_a_primed_line_is_in_its_primers_hand(tmp_path):
    """Slant, height and spacing of a primed line are nearer its primer's writer than another writer's."""
    run = shipped_run("handwriting_synthesis", tmp_path)
    writer = generation.strokes.Writer(run.load())
    lines, limit = handwriting_synthesis.lines_by_writers(run.settings), run.settings.max_points
    measured = generation.priming.hand_kept(writer, lines, max_points=limit, seed=run.settings.seed)
    assert measured["nearer_its_primer_percent"] >= 90.0


def test_sizes_on_a_phone():
    folder = shipped("handwriting_synthesis")
    assert (folder / "model.tflite").stat().st_size <= 4_000_000
    assert (folder / "model_dynamic.tflite").stat().st_size < (folder / "model.tflite").stat().st_size
    card = json.loads((folder / "card.json").read_text())
    assert all(file["builtin_ops_only"] for file in card["files"].values())
    assert np.isfinite(card["metrics"]["log_loss_nats_per_point"])
