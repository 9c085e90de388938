import shutil
import sys

import keras
import numpy as np
import pytest
import sklearn.datasets
import tensorflow as tf
from PIL import Image

from tests.data.data_sets import stand_in
from tests.data.images.pictures import SIZES, arrays, assert_same, everything, folder, multiset, noise, saved, write
from toolkit.data.images import labelled, readers
from toolkit.data.images.labelled import SPLITS, load
from toolkit.data.scenes.generator import Generator
from toolkit.data.scenes.shapes import SHAPES
from toolkit.data.scenes.textures import TEXTURES


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
    np.testing.assert_array_equal(other.parts["test"].store.rows, images.parts["test"].store.rows)
    assert load("embedded:300", **SIZES).splits.train.num_examples == 300 - 30 - 60
    colored = load("embedded", image_size=8, batch_size=100).splits.test.peek()[0]
    np.testing.assert_array_equal(colored, np.repeat(images.splits.test.peek()[0], 3, -1))


def test_drawings_are_scenes_of_one_object_under_either_label():
    shapes, textures = (load(f"embedded:{kind}:200", image_size=40, batch_size=10) for kind in ("shapes", "textures"))
    assert shapes.class_names == tuple(SHAPES) and textures.class_names == tuple(TEXTURES)
    assert [len(shapes.parts[split].labels) for split in SPLITS] == pytest.approx([140, 20, 40], abs=5)
    make = Generator(40, num_objects=(1, 1), sizes=(0.4, 0.8))
    for images, name in ((shapes, "shape"), (textures, "texture")):
        for part in images.parts.values():
            pixels = part.store.read(range(len(part.labels)))
            for row, label, image in zip(part.store.rows, part.labels, pixels, strict=True):
                (it,) = make(0, row).objects
                assert images.class_names[label] == getattr(it, name)
                np.testing.assert_array_equal(image, make(0, row).image)
    assert load("embedded:shapes:100", image_size=8, batch_size=10).splits.test.peek()[0].shape == (10, 8, 8, 3)
    other = load("embedded:shapes:200", image_size=40, batch_size=10, seed=9)
    np.testing.assert_array_equal(other.parts["test"].store.rows, shapes.parts["test"].store.rows)


def test_embedded_is_resized_as_pillow_does():
    digits = sklearn.datasets.load_digits()
    images = load("embedded:100", image_size=20, batch_size=100, channels=1)
    part = images.parts["train"]
    for row, picture in zip(part.store.rows[:5], everything(load_in_order("embedded:100", 20))[0], strict=False):
        digit = Image.fromarray(np.rint(digits.images[row] * 255 / 16).astype("uint8"))
        expected = digit.resize((20, 20), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(picture[..., 0], np.asarray(expected, "float32"))


def load_in_order(source, size):
    """The training part's batches, unshuffled."""
    part = load(source, image_size=size, batch_size=100, channels=1).parts["train"]
    return labelled._batches(part, 100, 0, (size, size, 1), train=False).map(
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
    assert isinstance(images.parts["train"].store.images, np.ndarray) == (kept == "in memory")


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
    with pytest.raises(ValueError, match=r"test/bird holds no image \(JPEG"):
        load(source, **SIZES)
    write(root / "test" / "bird" / "1.png", noise(0))
    shutil.rmtree(root / "test" / "cat")
    with pytest.raises(ValueError, match=r"good/test has no folder cat; .*good/train has no folder bird. All parts"):
        load(source, **SIZES)
    with pytest.raises(ValueError, match="holds test, but no train"):
        load(f"folder:{folder(tmp_path / 'two', splits=('test',))}", **SIZES)
    folder(tmp_path / "three", splits=("train", "val", "validation"))
    with pytest.raises(ValueError, match="holds val and validation: only one can be"):
        load(f"folder:{tmp_path / 'three'}", **SIZES)
    write(folder(tmp_path / "four") / "train" / "stray.png", noise(0))
    with pytest.raises(ValueError, match="stray.png lies beside the folders of the classes"):
        load(f"folder:{tmp_path / 'four'}", **SIZES)


def test_what_lies_in_a_folder_by_the_way(tmp_path):
    folder(tmp_path)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "train" / "labels.csv").write_text("words")
    (tmp_path / "train" / "cat" / "Thumbs.db").write_text("words")
    (tmp_path / "train" / "cat" / "._1.png").write_text("words")
    assert load(f"folder:{tmp_path}", **SIZES).splits.train.num_examples == 10


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
        ({"x_train": np.array([None] * 30)}, "x_train, is an array of Python objects"),
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
        with pytest.raises(ValueError, match=r"a\.npz.*(is not a|is empty|damaged|cut short)"):
            load(f"npz:{path}", **SIZES)
    with pytest.raises(FileNotFoundError, match="nothing.npz: no such file; expected a .npz of x_train"):
        load(f"npz:{tmp_path / 'nothing.npz'}", **SIZES)


def test_keras(monkeypatch, tmp_path, capsys):
    """By its interface: nothing is fetched here."""
    made = arrays()
    parts = (made["x_train"], made["y_train"] + 1), (made["x_test"], made["y_test"])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for name in readers._KERAS:
        dataset = getattr(keras.datasets, name)
        number = 100 if name == "cifar100" else 10
        pixels = np.zeros((number, 6, 6, 3), "uint8")
        found = (np.concatenate([pixels] * 3), np.tile(np.arange(number), 3)[:, None]), (pixels, np.arange(number))
        monkeypatch.setattr(dataset, "load_data", lambda found=found: found)
        images = load(f"keras:{name}", **SIZES)
        assert len(set(images.class_names)) == number
        assert f"keras:{name}: Keras downloads it to {tmp_path / 'datasets'}" in capsys.readouterr().out
    assert images.class_names[8] == "bicycle" and images.class_names[99] == "worm"
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: parts)
    with pytest.raises(ValueError, match="keras:mnist, y_train: no label 0; expected each of 0 to 9"):
        load("keras:mnist", **SIZES)

    def fails():
        raise Exception("URL fetch failure: no route to host")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fails)
    with pytest.raises(ValueError, match=r"keras:mnist could not be .* no route to host. .* remove .*mnist\.npz"):
        load("keras:mnist", **SIZES)
    with pytest.raises(ValueError, match="keras:imagenet: expected keras:NAME with NAME one of mnist"):
        load("keras:imagenet", **SIZES)
    # What Keras downloaded before is read without it.
    (tmp_path / "datasets").mkdir()
    cached, labels = tmp_path / "datasets" / "mnist.npz", np.arange(30) % 10
    saved(cached, y_train=labels, y_test=labels[:9])
    capsys.readouterr()
    assert len(load("keras:mnist", **SIZES).class_names) == 10 and capsys.readouterr().out == ""
    saved(cached, y_train=labels + 1, y_test=labels[:9])
    with pytest.raises(ValueError, match=r"mnist\.npz, y_train: labels 1 to 10; expected 0 to 9"):
        load("keras:mnist", **SIZES)
    cached.write_bytes(cached.read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"mnist\.npz is not a .*Remove .*mnist\.npz, and Keras downloads it anew\.$"):
        load("keras:mnist", **SIZES)


class Label:
    num_classes, names = 2, ["left", "right"]


def example(image, label):
    return {"image": image, "label": np.int64(label)}


def test_tensorflow_datasets(monkeypatch):
    """By its interface: a builder with splits of examples that have an image and a label."""
    train = [example(noise(k, 10 + k % 3, 12), k % 2) for k in range(20)]
    parts = {"train": train, "validation": train[:4], "test": [example(noise(0), -1)] * 3}
    stand_in(monkeypatch, parts, features := {"image": None, "label": Label()})
    images = load("tfds:any", **SIZES)
    # Its test has no labels, so some of the training images are.
    counts = {split: counts.tolist() for split, counts in images.counts.items()}
    assert counts == {"train": [9, 9], "validation": [2, 2], "test": [1, 1]}
    assert images.class_names == ("left", "right")
    expected = Image.fromarray(train[1]["image"]).resize((10, 10), Image.Resampling.BILINEAR, box=(0.5, 0, 11.5, 11))
    np.testing.assert_array_equal(images.splits.validation.peek()[0][1], np.asarray(expected, "float32"))
    parts["validation"] = [example(noise(0), 5)]
    with pytest.raises(ValueError, match="labels 5 to 5 in the validation part; expected 0 to 1"):
        load("tfds:any", **SIZES)
    del parts["train"]
    with pytest.raises(ValueError, match="tfds:any has no part train with labels; it has validation, test"):
        load("tfds:any", **SIZES)
    features["text"] = features.pop("label")
    with pytest.raises(ValueError, match="no image with a class label: its features are image, text"):
        load("tfds:any", **SIZES)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match="pip install tensorflow-datasets"):
        load("tfds:any", **SIZES)
    with pytest.raises(ValueError, match="expected tfds:NAME"):
        load("tfds:", **SIZES)
