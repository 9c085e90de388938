import pathlib
import runpy
import sys

import pytest

from toolkit.training.learning_curves import learning_curves
from toolkit.visualize.board import Board


def test_what_was_written_last_of_each_step(tmp_path):
    for scalars in ({1: 3.0, 2: 2.5}, {2: 2.0, 4: 1.0}):  # a process that was killed, and the next
        board = Board(tmp_path / "logs")
        for step, value in scalars.items():
            board.scalars("train", {"loss": value, "other": 7.0}, step)
    board = Board(tmp_path / "logs")
    board.scalars("validation", {"bits": 0.5}, 4)
    assert learning_curves(tmp_path) == {"train": [(1, 3.0), (2, 2.0), (4, 1.0)]}
    assert learning_curves(tmp_path, "bits") == {"validation": [(4, 0.5)]}
    assert learning_curves(tmp_path, "none") == {}


def test_a_picture_of_several_runs(tmp_path, monkeypatch):
    script = str(pathlib.Path(__file__).parents[2] / "docs" / "make_learning_curves.py")
    for name in ("a", "b"):
        Board(tmp_path / name / "logs").scalars("train", {"bits": 0.5}, 4)
    file, runs = tmp_path / "pictures" / "bits.png", [str(tmp_path / name) for name in "ab"]
    monkeypatch.setattr(sys, "argv", [script, "--tag=bits", f"--file={file}", *runs])
    runpy.run_path(script, run_name="__main__")
    assert file.read_bytes()[1:4] == b"PNG"
    monkeypatch.setattr(sys, "argv", [script, "--tag=none", f"--file={file}", *runs])
    with pytest.raises(SystemExit):
        runpy.run_path(script, run_name="__main__")
