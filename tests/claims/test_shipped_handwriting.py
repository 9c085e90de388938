"""What the shipped handwriting models are said to do, at a part of the lines that their cards are made with."""

import json

import numpy as np
import pytest

from recipes import handwriting_recognition, handwriting_synthesis
from toolkit import generation, training
from toolkit.data.strokes.lines import ALPHABET
from toolkit.data.strokes.resampling import resample
from toolkit.metrics.character_error_rate import character_error_rate
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


def test_any_pen_primes_legibly(tmp_path):
    """One piece of handwriting as other tablets would give it: other units, and points closer together or farther."""
    run = shipped_run("handwriting_synthesis", tmp_path)
    writer, reader = (
        generation.strokes.Writer(run.load()),
        shipped_run("handwriting_recognition", tmp_path / "reader").load(),
    )
    texts = ["The quick brown fox", "Handwriting is fine", "see 42 of them, now", "jumps over lazy dogs"]
    test = handwriting_synthesis.lines_by_writers(run.settings)
    real = max((line for line in test if line.writer == "writer 6" and len(line.text) <= 24), key=lambda x: len(x.text))

    def rate(offsets):
        primer = generation.priming.fit_primer(writer, (offsets, real.text), "here", resample=resample)
        generation.priming.check_primer(writer.model, primer, "here")
        written = [line.offsets for line in generation.priming.write_in_hand(writer, texts, primer, bias=1.0)]
        read, _ = generation.line_reading.read_lines(reader, written, ALPHABET)
        return character_error_rate(texts, read)

    plain = rate(real.offsets)
    assert plain < 10.0
    assert rate(resample(real.offsets, 3.0)) < plain + 8.0
    assert rate(resample(real.offsets, 7.0) * [20.0, 20.0, 1.0]) < plain + 12.0
    assert rate((real.offsets * [0.05, 0.05, 1.0]).astype("float32")) < plain + 8.0


def test_sizes_on_a_phone():
    folder = shipped("handwriting_synthesis")
    assert (folder / "model.tflite").stat().st_size <= 4_000_000
    assert (folder / "model_dynamic.tflite").stat().st_size < (folder / "model.tflite").stat().st_size
    card = json.loads((folder / "card.json").read_text())
    assert all(file["builtin_ops_only"] for file in card["files"].values())
    assert np.isfinite(card["metrics"]["log_loss_nats_per_point"])
