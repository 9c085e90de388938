import numpy as np
import pytest

from tests.data.masks.pairs import folder, image, numbers, save
from toolkit.data.masks.loading import load
from toolkit.data.masks.report import examine


def test_what_is_found(tmp_path, kept):
    folder(tmp_path, each=5)
    save(tmp_path / "val" / "images" / "00.png", image(501))  # which is in the training part
    for number in range(5):
        save(tmp_path / "test" / "masks" / f"{number:02}.png", np.where(numbers(number) < 2, 0, 255).astype("uint8"))
    findings = examine(load(str(tmp_path), batch_size=2), batch_size=2)
    found = findings.report.sections["images"]
    assert found["images"] == {"train": 5, "validation": 5, "test": 5}
    assert found["largest"]["train"] == "20 x 24" and found["classes_absent"]["test"] == 2
    assert found["copies_of_training_images_%"] == {"validation": 20.0, "test": 0.0}
    share = np.mean([(numbers(number) == 2).mean() for number in range(5)])
    assert found["ignored_pixels_%"]["test"] == pytest.approx(100 * share)
    shares = findings.report.sections["pixels_of_each_class_%"]
    expected = np.mean([(numbers(500 + number) == 1).mean() for number in range(5)])
    assert shares["sky"]["train"] == pytest.approx(100 * expected) and shares["sky"]["test"] == 0
    told = " ".join(findings.report.changes)
    assert "No test pixel of sky and 1 other classes" in told
    assert "20 % of the validation images are training images too" in told
    assert "Ready: 5 images with masks of 3 classes" in str(findings.report) and not findings.report.refusal
    assert len(findings.examples) == 5
    np.testing.assert_array_equal(findings.examples[0][1], numbers(500))


def test_what_is_left_out_and_rare(tmp_path):
    folder(tmp_path, each=3, size=(60, 60))
    for number in range(3):
        rare = np.zeros((60, 60), "uint8")
        rare[0, : 1 + number] = (1, 2, 2)[: 1 + number]
        save(tmp_path / "train" / "masks" / f"{number:02}.png", rare)
    (tmp_path / "train" / "images" / "00.png").write_bytes(b"no image")
    found = examine(load(str(tmp_path), batch_size=2, skip_corrupt=True), batch_size=2).report
    told = " ".join(found.changes)
    assert "1 images are left out, such as:" in told and "times as many training pixels as" in told


def test_nothing_to_learn(tmp_path):
    folder(tmp_path)
    for number in range(4):
        save(tmp_path / "train" / "masks" / f"{number:02}.png", np.full((20, 24), 1, "uint8"))
    found = examine(load(str(tmp_path), batch_size=2), batch_size=2).report
    assert found.refusal == "The training masks have pixels of one class only (sky), and nothing could be learned."
