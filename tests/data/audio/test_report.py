import numpy as np
import pytest

from tests.data.audio.sounds import noise, takes, write
from toolkit.data.audio import speech
from toolkit.data.audio.report import examine, unit_seconds
from toolkit.data.audio.speech import load


def found_in(folder, **how):
    loaded = load(f"fsdd:{folder}", **{"sample_rate": 8000, "window": 1000, "batch_size": 4, **how})
    return examine(loaded, batch_size=4)


def test_counts(tmp_path):
    paths = takes(tmp_path, each=10, num_samples=16000)
    found = found_in(tmp_path)
    numbers = found.report.sections["recordings"]
    assert numbers["number"] == {"train": 32, "validation": 4, "test": 4}
    assert (numbers["speakers"], numbers["units"]) == (2, 2)
    minutes = sum(16000 + 7 * number for number in range(len(paths))) / 8000 / 60
    assert sum(numbers["minutes"].values()) == pytest.approx(minutes)
    assert numbers["copies_of_training_recordings_%"] == {"validation": 0, "test": 0}
    assert found.report.sections["files"]["recordings_by_sample_rate"] == {"8000 Hz": 40}
    sound = found.report.sections["sound"]
    assert sound["cut_off_%"]["train"] == 0 and abs(sound["offset_of_zero"]["train"]) < 0.01
    level = np.sqrt(np.mean(np.square(noise(16000))))
    assert sound["loudness_dB"]["train"] == pytest.approx(20 * np.log10(level), abs=0.5)
    assert found.unit_seconds["x"] + found.unit_seconds["y"] == pytest.approx(found.seconds["train"].sum())
    per_speaker = found.report.sections["minutes_of_each_speaker"]
    assert sum(per_speaker["a"].values()) == pytest.approx(minutes / 2, rel=0.01)
    assert len(found.examples) == 6 and found.titles[0].startswith(("a: ", "b: "))
    assert not found.report.changes and not found.report.refusal
    assert "seconds of each unit" in str(found.report)


def test_units_are_counted_and_drawn_whole(tmp_path):
    takes(tmp_path, each=10, num_samples=16000)
    loaded = load(f"fsdd:{tmp_path}", sample_rate=8000, window=1000, batch_size=4, num_states=3)
    for split in ("train", "test"):
        said = np.concatenate([each.units // 3 for each in loaded.examples(split)])
        expected = {name: (said == number).sum() / 8000 for number, name in enumerate(loaded.units)}
        assert unit_seconds(loaded, split) == pytest.approx(expected) and expected["x"] > 3
    found = examine(loaded, batch_size=4)
    assert (found.sample_rate, found.unit_names) == (8000, ("_", "x", "y"))
    assert {int(unit) for each in found.examples for unit in each.units} == {1, 2}


def changes(tmp_path, **how):
    return "\n".join(found_in(tmp_path, **how).report.changes)


def test_what_looks_wrong(tmp_path):
    for number, path in enumerate(takes(tmp_path, each=5)):
        loud = np.clip(20 * noise(1200, seed=number), -1, 1) + 0.3 * (number % 2)
        write(path, np.concatenate([np.zeros(9000), np.clip(loud, -1, 1)]), 4000)
    write(tmp_path / "x_c_0.wav", noise(20000))
    for take in (1, 2):
        write(tmp_path / f"x_c_{take}.wav", noise(20000, seed=take))
    told = changes(tmp_path, window=30_000)
    for words in (
        "training recordings have fewer than 8000 samples a second",
        "--sample_rate=4000 has no such part",
        "are shorter than a window of 3.75 s",
        "of the train sound is silence: --trim=0.03",
        "samples are at full scale",
        "times as long as c in the training part",
    ):
        assert words in told
    assert "silence" not in changes(tmp_path, trim=0.03)


def test_offset_and_quiet(tmp_path):
    for path in takes(tmp_path):
        write(path, 0.3 + noise(3000))
    assert "The train sound lies 0.290 off" in changes(tmp_path) and "Said for less than 1 s" not in changes(tmp_path)
    for path in takes(tmp_path):
        write(path, 0.005 * noise(700), subtype="FLOAT")
    told = changes(tmp_path)
    assert "dB below full scale: of 256 levels few are used" in told
    assert "Said for less than 1 s in the training part: x, y." in told


def test_copies_and_what_is_left_out(tmp_path):
    for path in takes(tmp_path):
        write(path, noise(3000))
    path = tmp_path / "x_a_9.wav"
    path.write_bytes(b"RIFF")
    (tmp_path / "notes.md").write_text("x")
    told = changes(tmp_path, skip_corrupt=True)
    assert "100 % of the test recordings are training ones too" in told
    assert "1 files are left out, such as" in told and "x_a_9.wav" in told and "notes.md (no recording)" in told


def test_silence_that_no_reading_met_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(speech, "_IN_MEMORY", 0)
    for path in takes(tmp_path):
        write(path, np.zeros(3000))
    assert "All training recordings are silent" in found_in(tmp_path).report.refusal
