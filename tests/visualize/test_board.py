import keras
import numpy as np
import pytest
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


@pytest.mark.filterwarnings("error")
def test_what_cannot_be_represented_ends_no_run(tmp_path):
    board = Board(tmp_path)
    values = {"nan": float("nan"), "large": 1e300, "less": -1e39, "inf": float("inf"), "max": float(np.finfo("f4").max)}
    board.scalars("test", values, 1)
    events = EventAccumulator(str(tmp_path / "test"))
    events.Reload()
    kept = [float(tf.make_ndarray(events.Tensors(name)[0].tensor_proto)) for name in values]
    np.testing.assert_array_equal(kept, [np.nan, np.inf, -np.inf, np.inf, np.finfo("f4").max])


def test_a_table_of_names_that_are_no_text(tmp_path):
    Board(tmp_path).rows("files", [{"file": "caf\udce9", "images": 1}], 0)
    events = EventAccumulator(str(tmp_path / "test"))
    events.Reload()
    assert b"| caf\\\\udce9 | 1 |" in tf.make_ndarray(events.Tensors("files")[0].tensor_proto).item()


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board = Board(None, profile_steps=1)
    board.scalars("train", {"loss": 1.0}, 1)
    board.image("grid", np.zeros((2, 4, 3), "uint8"), 1)
    board.sound("tone", np.zeros((8, 1), "float32"), 8000, 1)
    board.film("ball", b"GIF89a", (2, 2), 1)
    board.rows("files", [{"file": "a", "images": 1}], 1)
    board.table("settings", {"seed": 0}, 1)
    board.graph("network", keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]))
    assert not list(tmp_path.iterdir())
