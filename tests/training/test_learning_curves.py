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
