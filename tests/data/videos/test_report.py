import numpy as np
import pytest

from tests.data.videos.moving import clip, folder, stills
from toolkit.data.videos.loading import load
from toolkit.data.videos.report import examine


def test_what_is_found(tmp_path):
    for part, count in (("train", 4), ("validation", 2), ("test", 2)):
        folder(tmp_path / part, count)
    stills(tmp_path / "validation" / "clip01", clip(9))
    stills(tmp_path / "test" / "clip01", np.repeat(clip(8, num_frames=1), 8, axis=0))
    findings = examine(load(str(tmp_path), num_frames=3, batch_size=2), batch_size=2)
    found = findings.report.sections["videos"]
    assert found["videos"] == {"train": 4, "validation": 2, "test": 2}
    assert found["frames"] == {"train": 24, "validation": 12, "test": 14} and found["longest_in_frames"]["test"] == 8
    assert found["windows"] == {"train": 8, "validation": 4, "test": 4}
    assert found["copies_of_training_videos_%"] == {"validation": 50.0, "test": 50.0}
    assert found["without_motion_%"] == {"train": 0.0, "validation": 0.0, "test": 50.0}
    clips = np.stack([clip(number) for number in range(4)]).astype(float)
    assert found["motion_0_to_255"]["train"] == pytest.approx(np.abs(np.diff(clips, axis=1)).mean())
    pixels = findings.report.sections["training_pixels_0_to_255"]
    assert list(pixels["mean"].values()) == pytest.approx(clips.mean((0, 1, 2, 3)).tolist())
    assert list(pixels["stddev"].values()) == pytest.approx(clips.std((0, 1, 2, 3)).tolist())
    assert findings.report.sections["batches"]["size"] == "3 x 10 x 12 x 3"
    told = " ".join(findings.report.changes)
    assert "50 % of the validation videos are training videos too" in told
    assert "50 % of the test videos stand still" in told
    assert "Ready: 4 videos, 24 frames, to train on" in str(findings.report) and not findings.report.refusal
    np.testing.assert_array_equal(findings.examples[1], clip(1))
    assert findings.titles[1].endswith("clip01") and findings.lengths["test"].tolist() == [6, 8]


def test_nothing_to_learn_and_what_is_left_out(tmp_path):
    for number in range(5):
        stills(tmp_path / f"clip{number}", np.full((4, 6, 6, 3), 7, "uint8"))
    (tmp_path / "clip3" / "f9.png").write_bytes(b"words")
    (tmp_path / "a.txt").write_text("words")
    found = examine(load(str(tmp_path), num_frames=2, batch_size=1, skip_corrupt=True), batch_size=1).report
    assert found.refusal == "All training pixels are the same: look at the files that --data names."
    told = " ".join(found.changes)
    assert "1 videos are left out, such as: " in told and "not read: 1, such as" in told
