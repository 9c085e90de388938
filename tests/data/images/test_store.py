import concurrent.futures
import os
import threading

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.images.pictures import (
    SIZES,
    arrays,
    assert_same,
    damage,
    everything,
    folder,
    noise,
    saved,
)
from toolkit.data import threads
from toolkit.data.images import files, store
from toolkit.data.images.labelled import load


def test_damaged_files_are_named_or_left_out(tmp_path, kept, capsys):
    source = f"folder:{folder(tmp_path)}"
    bad = damage(tmp_path)
    images = load(source, **SIZES, skip_corrupt=True)
    assert len(images.skipped) == 3
    for told, (path, why) in zip(images.skipped, bad.items(), strict=True):
        assert str(path) in told and why in told
    assert f"3 of 27 images left out, such as: {next(iter(bad))} cannot be read" in capsys.readouterr().err
    assert sum(counts.sum() for counts in images.counts.values()) == 24
    for path in bad:
        path.unlink()
    same_without = load(source, **SIZES)
    assert_same(everything(images.splits.train), everything(same_without.splits.train))
    assert "left out" not in capsys.readouterr().err


@pytest.mark.parametrize("which", [0, 1, 2])
def test_a_damaged_file_stops_the_loading(tmp_path, kept, which):
    source = f"folder:{folder(tmp_path)}"
    bad = list(damage(tmp_path))
    for number, path in enumerate(bad):
        if number != which:
            path.unlink()
    if which == 0 and kept == "streamed":  # its beginning is good: only when it is read is it seen
        batches = load(source, **SIZES).splits.train
        with pytest.raises(tf.errors.OpError, match=r"x truncated.jpg cannot be read as an image: .*truncated"):
            list(batches.dataset(num_epochs=1))
    else:
        with pytest.raises(
            ValueError, match=rf"{bad[which].name} (cannot be read as an image|is empty).*--skip_corrupt"
        ):
            load(source, **SIZES)


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, kept):
    folder(tmp_path)
    os.symlink(tmp_path / "nothing.png", tmp_path / "train" / "cat" / "gone.png")
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        load(f"folder:{tmp_path}", **SIZES, skip_corrupt=True)


def test_a_damaged_file_whose_name_is_no_text_is_named_where_it_is_streamed(tmp_path, monkeypatch):
    """TensorFlow, which hands the error on, cannot hand on half characters."""
    monkeypatch.setattr(store, "MEMORY", 0)
    whole = next((folder(tmp_path) / "train" / "cat").iterdir())
    path = os.path.join(os.fsencode(whole.parent), b"caf\xe9.png")
    with open(path, "wb") as file:
        file.write(whole.read_bytes()[:200])
    batches = load(f"folder:{tmp_path}", **SIZES).splits.train
    with pytest.raises(tf.errors.OpError, match=r"caf\\xe9\.png cannot be read as an image"):
        list(batches.dataset(num_epochs=1))


def test_no_more_files_wait_than_threads_can_take(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "_BLOCK", 5)
    root = folder(tmp_path)
    found = everything(load(f"folder:{root}", **SIZES).splits.test)
    np.testing.assert_array_equal(found[0], np.stack([noise(12 + k) for k in range(12)]))


def test_the_end_of_the_program_waits_for_what_is_read(tmp_path, monkeypatch):
    """Otherwise a thread may come back to an interpreter that is gone, and the data set waits for it for ever."""
    monkeypatch.setattr(store, "MEMORY", 0)
    part = load(f"folder:{folder(tmp_path)}", **SIZES).parts["test"]
    begun, ended = threading.Event(), threading.Event()

    def slow(path, shape):
        begun.set()
        ended.wait(0.3)
        return np.zeros(shape, "uint8")

    monkeypatch.setattr(store, "pixels", slow)
    reader = threading.Thread(target=lambda: (part.store.read(np.array([0])), ended.set()))
    reader.start()
    begun.wait()
    threads.reads.settle()
    assert ended.is_set()
    reader.join()


def test_at_the_end_of_the_program_images_are_read_without_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MEMORY", 0)
    batches = load(f"folder:{folder(tmp_path)}", **SIZES).splits.test
    expected = everything(batches)
    gone = concurrent.futures.ThreadPoolExecutor(1)
    gone.shutdown()
    monkeypatch.setattr(threads, "_pool", lambda: gone)
    assert_same(everything(batches), expected)


def test_arrays_that_grow_too_large_are_resized_for_each_batch(tmp_path, kept):
    images = load(f"npz:{saved(tmp_path / 'a.npz')}", image_size=20, batch_size=5)
    assert isinstance(images.parts["train"].store.images, np.ndarray) == (kept == "in memory")
    first = Image.fromarray(arrays()["x_test"][0]).convert("RGB").resize((20, 20), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], np.asarray(first, "float32"))


def test_pixels_without_labels(kept):
    """Arrays, lists of arrays of unlike shape and memory maps."""
    unlike = [noise(0, 12, 16), noise(1, 20, 10, 1)[..., 0], noise(2, 10, 10)]
    found = store.stored({"a": unlike, "b": np.stack(unlike[2:])}, (10, 10, 3), source="made")
    expected = np.stack([files.pixels(picture, (10, 10, 3)) for picture in unlike])
    np.testing.assert_array_equal(found["a"].read(np.array([2, 0, 1])), expected[[2, 0, 1]])
    np.testing.assert_array_equal(found["b"].read(np.array([0])), expected[2:])
    part = found["a"].subset(np.array([2, 1]))
    assert (len(found["a"]), len(part), found["a"].in_memory) == (3, 2, kept == "in memory")
    np.testing.assert_array_equal(part.read(np.array([0, 1])), expected[[2, 1]])
    np.testing.assert_array_equal(part[1], expected[1])
    assert store.stored({}, (10, 10, 3), source="none") == {}
