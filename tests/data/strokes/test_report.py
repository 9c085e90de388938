"""A folder whose lines, lengths, characters and faults are known."""

import numpy as np
import pytest

from toolkit.data.strokes.loading import load
from toolkit.data.strokes.report import examine


def line(points, seed, ended=1.0):
    offsets = np.random.default_rng(seed).normal(0, 2, (points, 3)).astype("float32")
    offsets[:, 2] = 0
    offsets[-1, 2] = ended
    return offsets


@pytest.fixture(name="folder")
def written(tmp_path):
    """40 lines of 10 to 49 points; one jumps, one is not ended, one is a copy of its neighbour."""
    for index in range(40):
        offsets = line(10 + index, seed=index, ended=float(index != 5))
        if index == 7:
            offsets[3, 0] = 300.0
        if index == 9:
            offsets = line(18, seed=8)
        np.save(tmp_path / f"{index:02}.npy", offsets)
        (tmp_path / f"{index:02}.txt").write_text("abcd"[: 1 + index % 4])
    return tmp_path


def examined(folder, **how):
    how = {"alphabet": "abcdx", "max_points": 60, "max_characters": 4, "text": True} | how
    return examine(f"npy:{folder}", batch_size=4, seed=0, **how)


def total(values):
    return sum(values.values())


def test_numbers(folder):
    found = examined(folder, max_points=39)
    sections = found.report.sections
    lengths = np.concatenate(list(found.points.values()))
    assert sorted(lengths) == sorted([*range(10, 19), 18, *range(20, 50)])
    assert total(sections["lines"]["read"]) == 40
    assert total(sections["lines"]["left_out"]) == total(sections["lines"]["too_many_points"]) == 10
    assert total(sections["lines"]["kept"]) == 30 and total(sections["lines"]["outside_alphabet"]) == 0
    assert max(sections["points_per_line"]["longest"].values()) == 49
    assert max(sections["characters_per_text"]["longest"].values()) == 4
    suspicious = sections["suspicious_lines"]
    assert total(suspicious["jump_in_a_stroke"]) == 1 and total(suspicious["last_stroke_not_ended"]) == 1
    assert total(suspicious["single_point"]) == total(suspicious["no_movement"]) == 0
    assert total(suspicious["copies"]) + total(suspicious["copies_of_train"]) == 1
    assert sections["alphabet_of_kept_train_lines"]["never_used"] == "'x'"
    assert set(found.alphabet) == set("abcd")
    changes = " ".join(found.report.changes)
    assert "--max_points=39 leaves out 10 of 40 lines: --max_points=49 keeps all" in changes
    assert "1 lines jump inside a stroke" in changes and "1 lines do not end with 1" in changes


def test_what_is_kept_is_what_a_training_reads(folder):
    found = examined(folder, max_points=39).report.sections
    splits = load(f"npy:{folder}", batch_size=4, seed=0, text=True, alphabet="abcdx", max_points=39, max_characters=4)
    for name in ("train", "validation", "test"):
        batches = list(getattr(splits, name).dataset(num_epochs=1).as_numpy_iterator())
        assert len(batches) == found["batches_of_kept_lines"]["batches"][name]
        assert sum(len(batch["mask"]) for batch in batches) == found["lines"]["kept"][name]
    offsets = np.concatenate([b["offsets"][b["mask"]] for b in splits.train.dataset(num_epochs=1).as_numpy_iterator()])
    pen = found["pen_of_kept_lines"]
    assert pen["offset_x_mean"]["train"] == pytest.approx(offsets[:, 0].mean(), abs=1e-4)
    assert pen["offset_y_standard_deviation"]["train"] == pytest.approx(offsets[:, 1].std(), rel=1e-4)


def test_it_reports_where_nothing_would_be_left(folder):
    found = examined(folder, max_points=5)
    assert "none has at most --max_points=5" in found.report.refusal
    assert total(found.report.sections["lines"]["kept"]) == 0
    assert any("--max_points=49 keeps all" in change for change in found.report.changes)
    assert "NOT READY" in str(found.report)


def test_characters_that_the_alphabet_lacks(folder):
    found = examined(folder, alphabet="abc")
    assert "characters outside --alphabet" in found.report.refusal
    assert any(change.endswith("--alphabet=abcd") for change in found.report.changes)
    assert examined(folder, alphabet="abc", text=False).report.refusal == ""


def test_drawings(folder):
    drawings = examined(folder).drawings
    assert {"first_of_train", "longest_and_shortest", "suspicious"} <= set(drawings)
    (longest, title), (shortest, _) = drawings["longest_and_shortest"]
    assert (len(longest), len(shortest)) == (49, 10) and title.startswith("longest: ")
    assert len(drawings["suspicious"]) == 2
