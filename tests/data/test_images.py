import concurrent.futures
import os
import pathlib
import shutil
import sys
import tarfile
import threading
import types

import keras
import numpy as np
import pytest
import sklearn.datasets
import tensorflow as tf
from PIL import Image

from toolkit.data import images as module
from toolkit.data.augmentation import Augmentation
from toolkit.data.images import SPLITS, load


@pytest.fixture(params=["in memory", "streamed"])
def kept(request, monkeypatch):
    """Whether the pixels fit into memory, which must not matter."""
    if request.param == "streamed":
        monkeypatch.setattr(module, "MEMORY", 0)
    return request.param


def write(path, pixels, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **how)
    return path


def noise(seed, height=10, width=10, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels)).astype("uint8")


def folder(root, splits=("train", "test"), classes=("cat", "dög 犬"), count=6):
    """PNG files of noise, each with a number of its own."""
    number = 0
    for split in splits:
        for name in classes:
            for k in range(count):
                write(root / split / name / f"{k} ü.png", noise(number))
                number += 1
    return root


def everything(batches):
    pictures, labels = zip(*batches.dataset(num_epochs=1).as_numpy_iterator(), strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


def multiset(pictures, labels):
    return sorted((label, picture.tobytes()) for picture, label in zip(pictures, labels, strict=True))


SIZES = {"image_size": 10, "batch_size": 4}


def test_embedded_is_what_scikit_learn_has():
    digits = sklearn.datasets.load_digits()
    images = load("embedded", image_size=8, batch_size=100, seed=5, channels=1)
    assert images.class_names == tuple("0123456789") and images.skipped == ()
    pixels = [everything(part) for part in (images.splits.train, images.splits.validation, images.splits.test)]
    assert all(one.dtype == np.float32 and labels.dtype == np.int32 for one, labels in pixels)
    together = multiset(*(np.concatenate(found) for found in zip(*pixels, strict=True)))
    expected = np.rint(digits.images[..., None] * 255 / 16).astype("float32")
    assert together == multiset(expected, digits.target.astype("int32"))
    for split, share in zip(SPLITS, (0.7, 0.1, 0.2), strict=True):
        np.testing.assert_allclose(images.counts[split], share * np.bincount(digits.target), atol=1)
    other = load("embedded", image_size=8, batch_size=100, seed=6, channels=1)
    np.testing.assert_array_equal(other.parts["test"].rows, images.parts["test"].rows)
    assert load("embedded:300", **SIZES).splits.train.num_examples == 300 - 30 - 60
    colored = load("embedded", image_size=8, batch_size=100).splits.test.peek()[0]
    np.testing.assert_array_equal(colored, np.repeat(images.splits.test.peek()[0], 3, -1))


def test_embedded_is_resized_as_pillow_does():
    digits = sklearn.datasets.load_digits()
    images = load("embedded:100", image_size=20, batch_size=100, channels=1)
    part = images.parts["train"]
    for row, picture in zip(part.rows[:5], everything(load_in_order("embedded:100", 20))[0], strict=False):
        digit = Image.fromarray(np.rint(digits.images[row] * 255 / 16).astype("uint8"))
        expected = digit.resize((20, 20), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(picture[..., 0], np.asarray(expected, "float32"))


def load_in_order(source, size):
    """The training part's batches, unshuffled."""
    part = load(source, image_size=size, batch_size=100, channels=1).parts["train"]
    return module._batches(part, 100, 0, (size, size, 1), train=False).map(
        lambda images, labels: (tf.cast(images, tf.float32), labels)
    )


def test_each_split_of_a_folder(tmp_path, kept):
    root = folder(tmp_path, ("train", "val", "test"))
    images = load(f"folder:{root}", **SIZES)
    assert images.class_names == ("cat", "dög 犬")
    assert {split: counts.tolist() for split, counts in images.counts.items()} == dict.fromkeys(SPLITS, [6, 6])
    for split, first in (("train", 0), ("validation", 12), ("test", 24)):
        expected = [noise(first + k).astype("float32") for k in range(12)]
        found = everything(getattr(images.splits, split))
        assert multiset(*found) == multiset(expected, np.repeat([0, 1], 6).astype("int32"))
    # Fixed order where nothing is learned.
    np.testing.assert_array_equal(everything(images.splits.test)[1], np.repeat([0, 1], 6))
    shape = images.splits.train.dataset().element_spec[0].shape
    assert shape.as_list() == [None, 10, 10, 3]
    assert isinstance(images.parts["train"].images, np.ndarray) == (kept == "in memory")


def test_a_folder_without_parts_is_cut_by_class_and_seed(tmp_path):
    for name, count in (("a", 40), ("b", 10), ("c", 3)):
        for k in range(count):
            write(tmp_path / name / "below" / f"{k}.PNG", noise(k, 4, 4))
    images = load(str(tmp_path), **SIZES, held_out=0.2)
    counts = {split: counts.tolist() for split, counts in images.counts.items()}
    assert counts == {"train": [24, 6, 1], "validation": [8, 2, 1], "test": [8, 2, 1]}
    rows = np.concatenate([images.parts[split].rows for split in SPLITS])
    assert sorted(rows) == list(range(53))
    same, other = (load(str(tmp_path), **SIZES, held_out=0.2, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(same.parts["test"].rows, images.parts["test"].rows)
    assert list(other.parts["test"].rows) != list(images.parts["test"].rows)


def test_what_is_too_few_to_be_cut(tmp_path):
    folder(tmp_path, ("train",), count=2)
    with pytest.raises(ValueError, match="the validation part is empty: a class needs 3 images"):
        load(f"folder:{tmp_path}", **SIZES)


AUGMENTATION = Augmentation("area", flip=True, color=0.3, lighting=0.1, erasing=0.3)


def assert_same(one, two):
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_order_and_changes_are_a_pure_function_of_seed_and_epoch(tmp_path, monkeypatch):
    source = f"folder:{folder(tmp_path)}"
    how = {"image_size": 8, "batch_size": 4, "augmentation": AUGMENTATION, "seed": 3}
    batches = load(source, **how).splits.train
    stream = list(batches.dataset(num_epochs=3).as_numpy_iterator())
    assert len(stream) == 3 * batches.steps_per_epoch
    start = 4  # in the second epoch
    monkeypatch.setattr(module, "MEMORY", 0)  # nor does it matter where the pixels are
    again = load(source, **how).splits.train.dataset(start, num_epochs=3)
    for one, two in zip(again.as_numpy_iterator(), stream[start:], strict=True):
        assert_same(one, two)
    half = batches.shard(2, [1]).dataset(num_epochs=3)
    for part, whole in zip(half.as_numpy_iterator(), stream, strict=True):
        assert_same(part, [array[(len(array) + 1) // 2 :] for array in whole])
    assert stream[0][0].tobytes() != load(source, **{**how, "seed": 4}).splits.train.peek()[0].tobytes()


def test_an_image_is_changed_anew_in_each_epoch_and_only_for_training():
    how = {"image_size": 8, "batch_size": 50, "channels": 1, "seed": 2}
    images = load("embedded:100", **how, augmentation=Augmentation("shift", flip=True, seed=1))
    plain = load("embedded:100", **how)
    part = images.parts["train"]
    assert images.splits.train.steps_per_epoch == 2
    epochs = list(images.splits.train.dataset(num_epochs=4).as_numpy_iterator())
    seen = [multiset(*map(np.concatenate, zip(*epochs[k : k + 2], strict=True))) for k in range(0, 8, 2)]
    assert all(len(set(seen[0]) & set(other)) < len(part.rows) / 4 for other in seen[1:])
    assert_same(everything(images.splits.test), everything(plain.splits.test))
    assert_same(everything(images.splits.validation), everything(plain.splits.validation))
    # As the augmentation alone does it, with both seeds, and the example's number plus the epoch times their count.
    order = module.shuffled_plan(len(part.rows), 50, seed=2)(3)[0]
    shifted = Augmentation("shift", flip=True, seed=3)(part.read(order), order + 3 * len(part.rows), 8)
    np.testing.assert_array_equal(epochs[6][0], shifted)


def test_a_crop_has_room_and_the_test_sees_the_middle(tmp_path, kept):
    for split in ("train", "validation", "test"):
        for name in "ab":
            write(tmp_path / split / name / "1.png", noise(ord(name), 40, 60))
    images = load(f"folder:{tmp_path}", image_size=28, batch_size=2, augmentation=Augmentation("area"))
    stored = images.parts["test"].read(np.array([0]))[0]
    assert stored.shape == (32, 32, 3) and images.splits.train.peek()[0].shape == (2, 28, 28, 3)
    # Resized as a whole and then cut, as usual; Pillow works with rounded sizes then.
    expected = np.asarray(Image.fromarray(noise(ord("a"), 40, 60)).resize((48, 32), Image.Resampling.BILINEAR))
    assert np.abs(stored.astype(int) - expected[:, 8:40]).max() <= 1
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], stored[2:30, 2:30])
    assert next(images.blocks("test", 9))[0].shape == (2, 28, 28, 3)


def damage(root):
    """A truncated, an empty and a wrong file among good ones."""
    jpeg = write(root / "train" / "cat" / "x truncated.jpg", noise(3, 64, 64), quality=95)
    jpeg.write_bytes(jpeg.read_bytes()[:2000])
    (root / "train" / "cat" / "y empty.png").write_bytes(b"")
    (root / "test" / "cat" / "z text.jpg").write_text("this is no image")
    return {jpeg: "truncated", root / "train/cat/y empty.png": "it is empty", root / "test/cat/z text.jpg": "identify"}


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
    assert capsys.readouterr().err == ""


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
        with pytest.raises(ValueError, match=rf"{bad[which].name} cannot be read as an image: .*--skip_corrupt"):
            load(source, **SIZES)


def test_a_file_that_may_not_be_read_is_not_called_damaged(tmp_path, kept):
    folder(tmp_path)
    os.symlink(tmp_path / "nothing.png", tmp_path / "train" / "cat" / "gone.png")
    with pytest.raises(FileNotFoundError, match=r"gone\.png"):
        load(f"folder:{tmp_path}", **SIZES, skip_corrupt=True)


def test_errors_of_folders(tmp_path):
    root = folder(tmp_path / "good")
    source = f"folder:{root}"
    with pytest.raises(FileNotFoundError, match=r"--data=folder:.*nothing: no such folder; expected PATH/train/CLASS"):
        load(f"folder:{tmp_path / 'nothing'}", **SIZES)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        load("folder:", **SIZES)
    (tmp_path / "none").mkdir()
    with pytest.raises(ValueError, match="none holds no folders; expected PATH/train/CLASS"):
        load(f"folder:{tmp_path / 'none'}", **SIZES)
    with pytest.raises(ValueError, match="has one class only, cat"):
        load(f"folder:{folder(tmp_path / 'one', classes=('cat',))}", **SIZES)
    (root / "test" / "bird").mkdir()
    with pytest.raises(ValueError, match=r"test/bird holds no image \(.jpg"):
        load(source, **SIZES)
    write(root / "test" / "bird" / "1.png", noise(0))
    shutil.rmtree(root / "test" / "cat")
    with pytest.raises(ValueError, match=r"good/test has no folder cat; .*good/train has no folder bird. All parts"):
        load(source, **SIZES)
    with pytest.raises(ValueError, match="holds test, but no train"):
        load(f"folder:{folder(tmp_path / 'two', splits=('test',))}", **SIZES)
    folder(tmp_path / "three", splits=("train", "val", "validation"))
    with pytest.raises(ValueError, match="holds validation and val: only one can be"):
        load(f"folder:{tmp_path / 'three'}", **SIZES)
    write(folder(tmp_path / "four") / "train" / "stray.png", noise(0))
    with pytest.raises(ValueError, match="stray.png lies beside the folders of the classes"):
        load(f"folder:{tmp_path / 'four'}", **SIZES)


def test_a_class_of_damaged_files_only(tmp_path):
    folder(tmp_path)
    for path in (tmp_path / "train" / "cat").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="the class cat has no image to train on"):
        load(f"folder:{tmp_path}", **SIZES, skip_corrupt=True)


def test_what_lies_in_a_folder_by_the_way(tmp_path):
    folder(tmp_path)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "train" / "labels.csv").write_text("words")
    (tmp_path / "train" / "cat" / "Thumbs.db").write_text("words")
    (tmp_path / "train" / "cat" / "._1.png").write_text("words")
    assert load(f"folder:{tmp_path}", **SIZES).splits.train.num_examples == 10


def test_settings_out_of_range():
    for wrong, words in (
        ({"image_size": 0}, "--image_size=0: expected 1 or more"),
        ({"channels": 2}, "channels=2: expected 1"),
        ({"held_out": 0.5}, "--held_out=0.5: expected a share"),
        ({"batch_size": 0}, "batch_size"),
    ):
        with pytest.raises(ValueError, match=words):
            load("embedded:100", **{**SIZES, **wrong})
    for wrong in ("embedded:0", "embedded:1798", "embedded:many", "embedded:-3"):
        with pytest.raises(ValueError, match=rf"{wrong}: expected embedded or embedded:N, the first N of 1797"):
            load(wrong, **SIZES)
    with pytest.raises(ValueError, match="embedded:1 has one class only, 0"):
        load("embedded:1", **SIZES)
    with pytest.raises(ValueError, match="Did you mean 'folder'"):
        load("folders:/x", **SIZES)
    assert load("embedded:100", image_size=8, batch_size=1000).splits.train.steps_per_epoch == 1


def arrays(**changed):
    """As Keras' mnist.npz, small; None leaves an array out."""
    random = np.random.default_rng(0)
    made = {"x_train": random.integers(0, 256, (30, 12, 12)).astype("uint8"), "y_train": np.arange(30) % 3}
    made |= {"x_test": made["x_train"][:9] ^ 255, "y_test": np.arange(9) % 3}
    return {name: array for name, array in {**made, **changed}.items() if array is not None}


def saved(path, **changed):
    np.savez(path, **arrays(**changed))
    return path


def test_npz(tmp_path):
    path = saved(tmp_path / "a.npz")
    images = load(str(path), image_size=12, batch_size=5, channels=1)
    assert images.class_names == ("0", "1", "2") and images.counts["validation"].tolist() == [1, 1, 1]
    pictures, labels = everything(images.splits.test)
    np.testing.assert_array_equal(pictures[..., 0], arrays()["x_test"])
    np.testing.assert_array_equal(labels, arrays()["y_test"])
    whole = arrays()["x_train"][..., None]
    variants = {
        "channels": {"x_train": whole, "x_test": whole[:9]},
        "labels in a column": {"y_train": (np.arange(30) % 3)[:, None].astype("uint8")},
        "floats to 1": {"x_train": whole / 255, "x_test": (whole[:9] / 255).astype("float32")},
        "floats to 255": {"x_train": whole.astype("float32"), "x_test": whole[:9].astype("float64")},
        "other integers": {"x_train": whole.astype("int64")},
    }
    for name, changed in variants.items():
        other = load(f"npz:{saved(tmp_path / 'b.npz', **changed)}", image_size=12, batch_size=5, channels=1)
        assert_same(everything(other.splits.train), everything(images.splits.train))
        assert other.counts["train"].tolist() == [9, 9, 9], name
    own = {"x_validation": whole[:6], "y_validation": np.arange(6) % 2}
    other = load(f"npz:{saved(tmp_path / 'b.npz', **own)}", image_size=12, batch_size=5)
    assert other.counts["validation"].tolist() == [3, 3, 0] and other.counts["train"].tolist() == [10, 10, 10]
    assert everything(other.splits.validation)[0].shape == (6, 12, 12, 3)


def test_arrays_that_grow_too_large_are_resized_for_each_batch(tmp_path, kept):
    images = load(f"npz:{saved(tmp_path / 'a.npz')}", image_size=20, batch_size=5)
    assert isinstance(images.parts["train"].images, np.ndarray) == (kept == "in memory")
    first = Image.fromarray(arrays()["x_test"][0]).convert("RGB").resize((20, 20), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], np.asarray(first, "float32"))


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"x_test": None}, "has no array x_test; it has x_train, y_train, y_test"),
        ({"x_validation": np.zeros((3, 12, 12), "uint8")}, "has no array y_validation"),
        ({"x_train": np.zeros((30, 144), "uint8")}, r"x_train: shape \(30, 144\); expected \(examples, height, width"),
        ({"x_train": np.zeros((30, 3, 12, 12), "uint8")}, r"x_train: .* 12 channels; expected 1 or 3, last"),
        ({"x_train": np.zeros((30, 12, 12), bool)}, "x_train: bool; expected uint8, or floats"),
        ({"x_train": np.full((30, 12, 12), 300)}, "x_train: 300 to 300; expected 0 to 255"),
        ({"x_test": np.full((9, 12, 12), -0.5)}, "x_test: -0.5 to -0.5; expected 0 to 255"),
        ({"x_test": np.full((9, 12, 12), np.nan)}, "x_test: nan to nan"),
        ({"x_test": np.zeros((8, 12, 12), "uint8")}, "8 images in x_test, 9 labels in y_test"),
        ({"y_train": np.arange(30) / 3}, r"y_train: float64 \(30,\); expected integers"),
        ({"y_train": np.eye(30)}, r"y_train: float64 \(30, 30\); expected integers"),
        ({"y_train": np.arange(30) % 3 - 1}, "y_train: labels -1 to 1; expected 0 to 1"),
        ({"y_train": np.arange(30) % 3 + 1, "y_test": np.ones(9, int)}, "y_train: no label 0; expected each of 0 to 3"),
        ({"y_test": np.arange(9)}, "y_test: labels 0 to 8; expected 0 to 2, those of y_train"),
        ({"y_train": np.zeros(30, int), "y_test": np.zeros(9, int)}, "has one class only, 0"),
        ({"x_train": np.array([None] * 30)}, "x_train, is damaged, or no .npz of plain arrays: Object arrays"),
    ],
)
def test_errors_of_npz(tmp_path, changed, words):
    path = saved(tmp_path / "a.npz", **changed)
    with pytest.raises(ValueError, match=rf"a\.npz.*{words}"):
        load(f"npz:{path}", **SIZES)


def test_damaged_npz(tmp_path):
    path = saved(tmp_path / "a.npz")
    content = path.read_bytes()
    broken = bytearray(content)
    broken[1000:1010] = bytes(10)
    np.save(tmp_path / "a.npy", np.zeros(3))
    for damaged in (content[:3000], content[:2], b"", bytes(broken), (tmp_path / "a.npy").read_bytes()):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"a\.npz.* is damaged, or no .npz of plain arrays"):
            load(f"npz:{path}", **SIZES)
    with pytest.raises(FileNotFoundError, match="nothing.npz: no such file; expected an .npz of x_train"):
        load(f"npz:{tmp_path / 'nothing.npz'}", **SIZES)


def test_keras(monkeypatch, tmp_path, capsys):
    """By its interface: nothing is fetched here."""
    made = arrays()
    parts = (made["x_train"], made["y_train"] + 1), (made["x_test"], made["y_test"])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in module._KERAS:
        dataset = getattr(keras.datasets, name)
        number = 100 if name == "cifar100" else 10
        pixels = np.zeros((number, 6, 6, 3), "uint8")
        found = (np.concatenate([pixels] * 3), np.tile(np.arange(number), 3)[:, None]), (pixels, np.arange(number))
        monkeypatch.setattr(dataset, "load_data", lambda found=found: found)
        images = load(f"keras:{name}", **SIZES)
        assert len(set(images.class_names)) == number
        assert f"keras:{name}: Keras downloads it to {tmp_path / 'datasets'}" in capsys.readouterr().out
    assert images.class_names[8] == "bicycle" and images.class_names[99] == "worm"
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist.npz").write_bytes(b"")
    load("keras:mnist", **SIZES)
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: parts)
    with pytest.raises(ValueError, match="keras:mnist, y_train: no label 0; expected each of 0 to 9"):
        load("keras:mnist", **SIZES)

    def fails():
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fails)
    with pytest.raises(ValueError, match="keras:mnist could not be fetched or read: URL fetch failure"):
        load("keras:mnist", **SIZES)
    with pytest.raises(ValueError, match="keras:imagenet: expected keras:NAME with NAME one of mnist"):
        load("keras:imagenet", **SIZES)


class Label:
    num_classes, names = 2, ["left", "right"]


def tensorflow_datasets(monkeypatch, parts, features):
    builder = types.SimpleNamespace(
        download_and_prepare=lambda: None,
        info=types.SimpleNamespace(features=features, splits=parts),
        as_dataset=lambda split: [{"image": image, "label": np.int64(label)} for image, label in parts[split]],
    )
    stand_in = types.SimpleNamespace(builder=lambda name: builder, as_numpy=lambda dataset: dataset)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", stand_in)
    return builder


def test_tensorflow_datasets(monkeypatch):
    """By its interface: a builder with splits of examples that have an image and a label."""
    train = [(noise(k, 10 + k % 3, 12), k % 2) for k in range(20)]
    parts = {"train": train, "validation": train[:4], "test": [(noise(0), -1)] * 3}
    builder = tensorflow_datasets(monkeypatch, parts, {"image": None, "label": Label()})
    images = load("tfds:any", **SIZES)
    # Its test has no labels, so some of the training images are.
    counts = {split: counts.tolist() for split, counts in images.counts.items()}
    assert counts == {"train": [9, 9], "validation": [2, 2], "test": [1, 1]}
    assert images.class_names == ("left", "right")
    expected = Image.fromarray(train[1][0]).resize((10, 10), Image.Resampling.BILINEAR, box=(0.5, 0, 11.5, 11))
    np.testing.assert_array_equal(images.splits.validation.peek()[0][1], np.asarray(expected, "float32"))
    parts["validation"] = [(noise(0), 5)]
    with pytest.raises(ValueError, match="labels 5 to 5 in the validation part; expected 0 to 1"):
        load("tfds:any", **SIZES)
    del parts["train"]
    with pytest.raises(ValueError, match="tfds:any has no part train with labels; it has validation, test"):
        load("tfds:any", **SIZES)
    builder.info.features = {"image": None, "text": None}
    with pytest.raises(ValueError, match="no image with a class label: its features are image, text"):
        load("tfds:any", **SIZES)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match="pip install tensorflow-datasets"):
        load("tfds:any", **SIZES)
    with pytest.raises(ValueError, match="expected tfds:NAME"):
        load("tfds:", **SIZES)


def test_statistics(tmp_path, kept):
    images = load(f"folder:{folder(tmp_path)}", image_size=10, batch_size=4, augmentation=Augmentation("shift"))
    part = images.parts["train"]
    pixels = part.read(np.arange(len(part.rows))).astype("float64")
    mean, scale = images.statistics()
    assert mean.dtype == scale.dtype == np.float32
    np.testing.assert_allclose(mean, pixels.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(scale, pixels.std((0, 1, 2)), rtol=1e-6)
    flat = np.full((30, 12, 12), 77, "uint8")
    np.testing.assert_array_equal(
        load(f"npz:{saved(tmp_path / 'a.npz', x_train=flat)}", **SIZES, channels=1).statistics(), [[77], [1]]
    )


def test_no_more_files_wait_than_threads_can_take(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 5)
    root = folder(tmp_path)
    found = everything(load(f"folder:{root}", **SIZES).splits.test)
    np.testing.assert_array_equal(found[0], np.stack([noise(12 + k) for k in range(12)]))


def test_the_end_of_the_program_waits_for_what_is_read(tmp_path, monkeypatch):
    """Otherwise a thread may come back to an interpreter that is gone, and the data set waits for it for ever."""
    monkeypatch.setattr(module, "MEMORY", 0)
    part = load(f"folder:{folder(tmp_path)}", **SIZES).parts["test"]
    begun, ended = threading.Event(), threading.Event()

    def slow(path, shape):
        begun.set()
        ended.wait(0.3)
        return np.zeros(shape, "uint8")

    monkeypatch.setattr(module, "pixels", slow)
    reader = threading.Thread(target=lambda: (part.read(np.array([0])), ended.set()))
    reader.start()
    begun.wait()
    module._reads.settle()
    assert ended.is_set()
    reader.join()


def test_at_the_end_of_the_program_images_are_read_without_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MEMORY", 0)
    batches = load(f"folder:{folder(tmp_path)}", **SIZES).splits.test
    expected = everything(batches)
    gone = concurrent.futures.ThreadPoolExecutor(1)
    gone.shutdown()
    monkeypatch.setattr(module, "_threads", lambda: gone)
    assert_same(everything(batches), expected)


def test_cifar10_as_published(test_data, tmp_path):
    """The first files of two classes: 32 x 32 JPEG."""
    left = {"train/bird": 60, "train/frog": 60}
    with tarfile.open(test_data / "cifar10.tar.xz", "r|xz") as archive:
        for member in archive:
            where = str(pathlib.PurePosixPath(member.name).parent)
            if member.isfile() and left.get(where):
                left[where] -= 1
                archive.extract(member, tmp_path, filter="data")
            if not any(left.values()):
                break
    images = load(str(tmp_path / "train"), image_size=32, batch_size=32, augmentation=Augmentation("shift", flip=True))
    assert images.class_names == ("bird", "frog")
    assert {split: counts.tolist() for split, counts in images.counts.items()} == {
        "train": [48, 48],
        "validation": [6, 6],
        "test": [6, 6],
    }
    mean, scale = images.statistics()
    # All of CIFAR-10 has 125.3, 123.0, 113.9 and 63.0, 62.1, 66.7.
    assert np.abs(mean - [125, 123, 114]).max() < 25 and np.abs(scale - [63, 62, 67]).max() < 20
    path = sorted((tmp_path / "train" / "bird").iterdir())[images.parts["test"].rows[0]]
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], np.asarray(Image.open(path), "float32"))
