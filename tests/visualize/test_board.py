import numpy as np
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from toolkit.visualize.board import Board


def test_one_folder_for_each_split(tmp_path):
    board = Board(tmp_path)
    for step, loss in ((1, 2.0), (2, 1.5)):
        board.scalars("train", {"loss": loss}, step)
    board.scalars("validation", {}, 2)
    image = np.arange(24, dtype="uint8").reshape(2, 4, 3)
    board.image("grid", image, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"train", "pictures"}
    events = EventAccumulator(str(tmp_path / "train"))
    events.Reload()
    assert [(e.step, float(tf.make_ndarray(e.tensor_proto))) for e in events.Tensors("loss")] == [(1, 2.0), (2, 1.5)]
    events = EventAccumulator(str(tmp_path / "pictures"))
    events.Reload()
    stored = tf.make_ndarray(events.Tensors("grid")[0].tensor_proto)
    np.testing.assert_array_equal(tf.io.decode_png(stored[2]), image)


def test_a_table_of_names_that_are_no_text(tmp_path):
    Board(tmp_path).rows("files", [{"file": "caf\udce9", "images": 1}], 0)
    events = EventAccumulator(str(tmp_path / "test"))
    events.Reload()
    assert b"| caf\\\\udce9 | 1 |" in tf.make_ndarray(events.Tensors("files")[0].tensor_proto).item()
