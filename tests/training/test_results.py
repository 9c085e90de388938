"""What a run leaves, read back as a person's programs and TensorBoard read it."""

import csv
import io
import math
import wave

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from toolkit import settings
from toolkit.training import Run


@pytest.fixture
def run(tmp_path):
    run = Run(settings.Devices(workdir=str(tmp_path)), recipe="example")
    yield run
    run.close()


def written(run, split, tag):
    events = EventAccumulator(str(run.workdir / "logs" / split))
    events.Reload()
    (event,) = events.Tensors(tag)
    return events.SummaryMetadata(tag).plugin_data.plugin_name, tf.make_ndarray(event.tensor_proto)


def test_a_sound(run):
    time = np.arange(800) / 8000
    samples = np.stack([0.5 * np.sin(2 * np.pi * 440 * time), 2.0 * np.ones(800)], axis=1)
    run.sound("spoken/first", samples, 8000)
    with wave.open(str(run.workdir / "sounds" / "spoken" / "first.wav")) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        found = np.frombuffer(file.readframes(800), "<i2").reshape(800, 2) / 32767
    np.testing.assert_allclose(found, np.clip(samples, -1, 1), atol=1e-4)
    plugin, stored = written(run, "sounds", "spoken/first")
    assert plugin == "audio" and stored[0, 0][:4] == b"RIFF"
    run.sound("mono", samples[:, 0], 8000)
    with wave.open(str(run.workdir / "sounds" / "mono.wav")) as file:
        assert file.getnchannels() == 1


@pytest.mark.parametrize("samples", [[], [[[0.0]]], [0.0, np.nan]])
def test_what_is_no_sound(run, samples):
    with pytest.raises(ValueError, match=r"noise: a sound is finite samples \(samples, channels\)"):
        run.sound("noise", samples, 8000)
    assert not (run.workdir / "sounds").exists()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_film(run, channels):
    frames = np.zeros((5, 12, 16, channels), "uint8")
    for number, frame in enumerate(frames):
        frame[:, 3 * number : 3 * number + 3] = 255
    run.film("ball", frames, rate=20.0)
    with Image.open(run.workdir / "pictures" / "ball.gif") as film:
        assert (film.n_frames, film.size, film.info["duration"], film.info["loop"]) == (5, (16, 12), 50, 0)
        for number, frame in enumerate(frames):
            film.seek(number)
            np.testing.assert_array_equal(np.asarray(film.convert("RGB")), np.broadcast_to(frame, (12, 16, 3)))
    plugin, (width, height, content) = written(run, "pictures", "ball")
    assert (plugin, width, height) == ("images", b"16", b"12")
    assert Image.open(io.BytesIO(content)).n_frames == 5


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), "uint8"), np.zeros((0, 4, 4, 3), "uint8")]
)
def test_what_is_no_film(run, frames):
    with pytest.raises(ValueError, match=r"ball: a film is uint8 \(frames, height, width, 1 or 3\); got "):
        run.film("ball", frames)


def test_a_table(run, capsys):
    rows = [
        {"method": "a|b", "error_mm": 1.23456, "images": 3},
        {"method": "other, too", "error_mm": 0.5, "images": 10},
    ]
    run.table("compared", rows)
    with open(run.workdir / "tables" / "compared.csv", newline="") as file:
        assert [dict(row) for row in csv.DictReader(file)] == [{k: str(v) for k, v in row.items()} for row in rows]
    assert capsys.readouterr().out.splitlines() == [
        "      method  error_mm  images",
        "         a|b     1.235       3",
        "  other, too       0.5      10",
    ]
    plugin, text = written(run, "test", "compared")
    assert plugin == "text"
    lines = str(text.item().decode()).splitlines()
    assert len(lines) == 4 and lines[2].count("|") == 5 and r"a\|b" in lines[2]


@pytest.mark.parametrize("rows", [[], [{}], [{"a": 1}, {"b": 1}]])
def test_what_is_no_table(run, rows):
    with pytest.raises(ValueError, match="compared: a table is rows of the same columns"):
        run.table("compared", rows)


def test_names_with_dots_are_names_of_their_own(run):
    for name in ("bias_0.5", "bias_0.7"):
        run.picture(name, np.zeros((4, 5, 3), "uint8"))
    assert {path.name for path in (run.workdir / "pictures").iterdir()} == {"bias_0.5.png", "bias_0.7.png"}


def test_a_text_is_written_before_it_is_shown(run, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr("sys.stdout", terminal)
    with pytest.raises(UnicodeEncodeError):
        run.text("samples", ["caf\N{LATIN SMALL LETTER E WITH ACUTE}", "\udce9"])
    monkeypatch.undo()
    assert (run.workdir / "samples.txt").read_text("utf-8") == "café\n\n---\n\n\\udce9\n"


def test_a_metric_that_is_a_word_is_refused(run):
    with pytest.raises(ValueError, match="run.report: best='yes' is no number"):
        run.report({"error": 0.5, "best": "yes"})
    assert not (run.workdir / "metrics.json").exists()


def test_a_metric_that_is_no_number_is_said(run, capsys):
    run.report({"perplexity_per_word": float("inf"), "error_mm": 1.0})
    assert "WARNING: not a finite number: perplexity_per_word." in capsys.readouterr().out
    kept = run.metrics()
    assert math.isnan(kept.pop("perplexity_per_word")) and kept == {"error_mm": 1.0}
    run.report({"error_mm": 2.0})
    assert "WARNING" not in capsys.readouterr().out
