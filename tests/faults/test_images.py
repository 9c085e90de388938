"""Images: files that are something else, or say that they are giants; folders in any order; names; numbers."""

import os
import pathlib

import numpy as np
import pytest

from recipes import image_classification as recipe
from tests.faults.hostile import CANARY, check_answer, table, unchanged
from tests.faults.pictures import FILES, GIANT, NONE, POSTSCRIPT, encoded, png
from tests.faults.samples import folders, picture, write
from toolkit import data
from toolkit.data.images import files, store
from toolkit.data.images.labelled import load
from toolkit.files import limits
from toolkit.training import Run


@pytest.mark.parametrize("content, expected", table(FILES))
def test_files(content, expected, tmp_path, monkeypatch):
    program = write(tmp_path / "bin" / "gs", f"#!/bin/sh\ntouch {tmp_path}/{CANARY}-of-ghostscript\n".encode())
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "photo.jpg", content)
    with unchanged(tmp_path):
        for read in (lambda: files.read(path, 8), lambda: files.read_named(str(path), 8)):
            check_answer(read, [path.name], expected)


@pytest.mark.parametrize("how", ["in memory", "streamed", "skipped", "checked"])
def test_postscript_is_no_image_wherever_it_is_read(how, tmp_path, monkeypatch):
    source = folders(tmp_path).source
    write(tmp_path / "train" / "cat" / "0.png", POSTSCRIPT)
    write(tmp_path / "train" / "cat" / "notes", POSTSCRIPT)
    monkeypatch.setattr(store, "MEMORY", 0 if how == "streamed" else store.MEMORY)
    monkeypatch.setattr("PIL.EpsImagePlugin.Ghostscript", None)  # to be called where it is begun
    if how in ("in memory", "streamed"):
        check_answer(lambda: load(source, image_size=8, batch_size=4), ["0.png"], "--skip_corrupt")
    else:
        images = load(source, image_size=8, batch_size=4, skip_corrupt=True)
        assert len(images.skipped) == 1 and NONE in images.skipped[0]
        assert len(images.left_out) == 1 and "notes (no image)" in images.left_out[0]
        report = data.images.report.examine(images, batch_size=4).report
        assert report.sections["images"]["left_out_because_no_images"] == 1
        assert "Files or folders that are not read: 1, such as" in str(report)


def test_a_large_image_may_be_allowed(tmp_path):
    path = write(tmp_path / "large.png", encoded("PNG", (1000, 1000), "L"))
    limits.allow(0.0009)
    try:
        check_answer(lambda: files.read(path, 8), ["large.png"], GIANT)
        limits.allow(0.001)
        check_answer(lambda: files.read(path, 8), [], "works")
    finally:
        limits.allow(None)


def test_no_bound_of_pillows_own(tmp_path):
    """400 million pixels are more than Pillow opens by itself, and of one byte less than a gigabyte."""
    files.check(write(tmp_path / "large.png", png(20_000, 20_000, color=0)))
    with pytest.raises(ValueError, match=f"it would take 1.5 GB, and 1.0 GB {GIANT}2"):
        files.check(write(tmp_path / "larger.png", png(40_000, 40_000, color=0)))


# ruff: noqa: E501
# A tree of folders as words: an image where a path has a "."; its parts, what is left out, or what is answered.
LAYOUT = "cat/1.png cat/2.png cat/3.png dog/1.png dog/2.png dog/3.png"


def under(*names, what=LAYOUT):
    return " ".join(f"{name}/{path}" for name in names for path in what.split())


TREES = [
    ("plain", LAYOUT, {"train": "."}),
    ("train and test", under("train", "test"), {"train": "train", "test": "test"}),
    *(
        (f"{train} and {test}", under(train, test), {"train": train, "test": test})
        for train, test in [("Training", "Testing"), ("TRAIN", "TEST"), ("train_set", "test_set"), ("trainset", "test")]
        + [("Train", "test"), ("training_set", "Test"), ("train-images", "test-images"), ("TrainData", "TestData")]
        + [("seg_train", "seg_test"), ("asl_alphabet_train", "asl_alphabet_test"), ("train2017", "test2017")]
        if (train, test) != ("trainset", "test")
    ),
    *((f"train and {name}", under("train", name), {"train": "train", "validation": name})
      for name in ("val", "valid", "Validation", "dev", "val_set", "VALID", "development")),
    ("nested", under("photos/images/train", "photos/images/test"), {"train": "photos/images/train", "test": "photos/images/test"}),
    ("nested twice", under("seg_train/seg_train", "seg_test/seg_test"), {"train": "seg_train/seg_train", "test": "seg_test/seg_test"}),
    ("classes, nested", under("photos"), {"train": "photos"}),
    ("images beside what is none", under("images/train", "images/test") + " labels/train/ labels/test/", {"train": "images/train", "test": "images/test"}),
    ("train alone", under("train"), {"train": "train"}),
    ("a class called train", "train/1.png train/2.png train/3.png car/1.png car/2.png car/3.png", {"train": "."}),
    ("a class called test", "test/1.png test/2.png test/3.png car/1.png car/2.png car/3.png", {"train": "."}),
    ("a class called train in both parts", under("train", "test", what="train/1.png train/2.png train/3.png car/1.png car/2.png"), {"train": "train", "test": "test"}),
    ("classes with words of parts in their names", "train_station/1.png train_station/2.png train_station/3.png test_tube/1.png test_tube/2.png test_tube/3.png", {"train": "."}),
    ("classes with the same folders in them", under("cat", "dog", what="day/1.png day/2.png night/1.png night/2.png"), {"train": "."}),
    ("two for validation", under("train", "val", "dev"), "val and dev|dev and val"),
    ("two for test", under("train", "Test", "test"), "only one can be the test part"),
    ("two for train", under("train1", "train2"), "only one can be the train part"),
    ("no train", under("test"), "holds test, but no train"),
    ("parts beside classes", under("train") + " " + LAYOUT, "are these parts or classes"),
    ("parts beside an unknown one", under("train", "holdout"), "are these parts or classes"),
    ("parts beside a folder of images", under("train", "test") + " predict/1.png", "are these parts or classes"),
    ("seg_train beside seg_pred", under("seg_train", "seg_test") + " seg_pred/1.png", "are these parts or classes"),
    ("a part without classes", under("train") + " test/1.png test/2.png", "are these parts or classes"),
    ("parts without classes", "train/1.png train/2.png test/1.png test/2.png", "images lie in test and train"),
    ("a part of images alone", "train/1.png train/2.png", "images lie in train"),
    ("an empty part", under("train") + " test/", "test holds no image"),
    ("a part of other files", under("train") + " test/cat/1.txt", "test holds no image"),
    ("parts in classes", under("cat", "dog", what="train/1.png train/2.png test/1.png"), "each class holds test and train"),
    ("a class that one part lacks", under("train") + " test/cat/1.png", "test has no folder dog"),
    ("other letters in one part", under("train") + " test/Cat/1.png test/dog/1.png", "no folder cat"),
    ("an empty class", LAYOUT + " bird/", "bird holds no image"),
    ("a class of other files", LAYOUT + " bird/1.txt", "bird/1.txt (no image)"),
    ("an image beside the classes", LAYOUT + " 1.png", "lies beside the folders"),
    ("images alone", "1.png 2.png", "lies beside the folders"),
    ("one class", "cat/1.png cat/2.png", "has one class only"),
    ("nothing", "", "holds no folders"),
    ("only other files", "1.txt a/2.txt", "a holds no image"),
    ("hidden and machines' folders", under("train", "test") + " .git/train/cat/1.png train/.ipynb_checkpoints/1.png train/cat/.ipynb_checkpoints/1.png train/cat/@eaDir/1.png train/@eaDir/x/1.png __MACOSX/train/cat/1.png $RECYCLE.BIN/1.png lost+found/1.png", {"train": "train", "test": "test"}),
]  # fmt: skip


def plant(root, words):
    root.mkdir(exist_ok=True)
    for number, word in enumerate(words.split()):
        if word.endswith("/"):
            (root / word).mkdir(parents=True, exist_ok=True)
        else:
            write(root / word, picture(number, size=(8, 8)) if word.endswith(".png") else b"words\n")


@pytest.mark.parametrize("words, expected", table(TREES))
def test_folders(words, expected, tmp_path, capsys):
    root = tmp_path / "photos"
    plant(root, words)
    found = []

    def read():
        found.append(data.images.folders.labelled(str(root)))
        if len(found[0].class_names) < 2:
            raise ValueError(f"{root} has one class only")

    if isinstance(expected, dict):
        check_answer(read, [], "works")
        assert found[0].folders == expected
        shown = sum(
            word.endswith(".png")
            for word in words.split()
            if not any(mark in word for mark in ("/.", "@", "__", "$", "+")) and word[0] != "."
        )
        assert sum(map(len, found[0].items.values())) == shown
        assert not found[0].left_out
    else:
        error = check_answer(read, [str(root)])
        assert error and any(words in str(error) for words in expected.split("|")), error


def test_copies_between_parts_are_told_in_training(tmp_path, capsys):
    plant(tmp_path, under("train", "test"))
    for number in (1, 2):
        write(tmp_path / "test" / "cat" / f"{number}.png", (tmp_path / "train" / "dog" / f"{number}.png").read_bytes())
    load(str(tmp_path), image_size=8, batch_size=2)
    assert "33 % of the test images are training images too" in capsys.readouterr().err


def test_names_that_are_no_text(tmp_path, monkeypatch, capsys):
    """From the folder to pictures, tables and the network."""
    for number, name in enumerate((b"caf\xe9", b"$\\frac{", b"two\nlines", "犬".encode())):
        for count in range(6):
            write(pathlib.Path(os.fsdecode(os.path.join(os.fsencode(tmp_path / "data"), name, b"%d\xff.png" % count))),
                  picture(10 * number + count))  # fmt: skip
    images = load(f"folder:{tmp_path / 'data'}", image_size=8, batch_size=2)
    assert images.class_names == ("$\\frac{", "caf\\xe9", "two\\x0alines", "犬")
    found = data.images.report.examine(images, batch_size=2)
    assert str(found.report).encode()
    run = Run(recipe.Settings(workdir=str(tmp_path / "run")), "image_classification")
    names = list(images.class_names) + ["\udce9"]
    run.picture("confusion", recipe.visualize.classification.confusion(np.eye(5, dtype=int), names))
    run.table("classes", [{"class": name, "images": 1} for name in images.class_names])
    run.close()
    assert (tmp_path / "run" / "pictures" / "confusion.svg").exists()


def test_two_names_that_are_written_alike(tmp_path):
    for name in (b"caf\xe9", b"caf\\xe9"):
        write(pathlib.Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name, b"1.png"))), picture())
    check_answer(
        lambda: data.images.folders.labelled(str(tmp_path)), [str(tmp_path)], "are both written caf\\xe9: rename one"
    )


def arrays(**changed):
    made = {"x_train": np.zeros((30, 8, 8), "uint8"), "y_train": np.arange(30) % 3}
    made |= {"x_test": np.ones((30, 8, 8), "uint8"), "y_test": np.arange(30) % 3}
    return {**made, **changed}


def one_label(value, dtype="int64"):
    labels = (np.arange(30) % 3).astype(dtype)
    labels[7] = value
    return labels


ARRAYS = [
    ("a label of 10^12", {"y_train": one_label(10**12)}, "expected the numbers of classes"),
    ("a label of 10^9 of 32 bits", {"y_train": one_label(10**9, "int32")}, "expected the numbers of classes"),
    ("a label of 2^64 - 1", {"y_train": one_label(2**64 - 1, "uint64")}, "y_train: labels -1"),
    ("a negative label", {"y_train": one_label(-(2**62))}, "y_train: labels -"),
    ("a test label of 10^12", {"y_test": one_label(10**12)}, "y_test: labels 0 to 1000000000000; expected 0 to 2"),
    ("a negative test label", {"y_test": one_label(-1)}, "y_test: labels -1 to 2"),
    ("fewer labels", {"y_train": np.arange(29) % 3}, "30 images in x_train, 29 labels"),
    ("no images", {"x_train": np.zeros((0, 8, 8), "uint8"), "y_train": np.zeros(0, int)}, "0 images in x_train"),
    ("images without height", {"x_train": np.zeros((30, 0, 8), "uint8")}, "expected (examples, height, width"),
    ("images of one pixel", {"x_train": np.zeros((30, 1, 1), "uint8")}, "works"),
    ("one row of 10^5", {"x_train": np.zeros((30, 1, 100_000), "uint8")}, "works"),
    ("complex images", {"x_train": np.zeros((30, 8, 8), complex)}, "complex128; expected uint8"),
    ("dates", {"x_train": np.zeros((30, 8, 8), "datetime64[s]")}, "expected uint8"),
    ("words as labels", {"y_train": np.array(["cat", "dog", "cow"] * 10)}, "expected integers"),
    ("records", {"x_train": np.zeros((30, 8, 8), [("a", "u1")])}, "expected uint8"),
    ("objects", {"x_train": np.array([None] * 30)}, "Python objects"),
    ("infinite images", {"x_train": np.full((30, 8, 8), np.inf, "float32")}, "inf to inf"),
    ("NaN in one", {"x_train": np.where(np.arange(1920).reshape(30, 8, 8) == 9, np.nan, 0)}, "nan to nan"),
    ("half floats", {"x_train": np.zeros((30, 8, 8), "float16")}, "works"),
    ("big-endian", {"x_train": np.zeros((30, 8, 8), ">i8")}, "works"),
    ("in Fortran's order", {"x_train": np.asfortranarray(np.zeros((30, 8, 8), "uint8"))}, "works"),
    ("12 bits", {"x_train": np.full((30, 8, 8), 4095, "uint16")}, "expected 0 to 255"),
]


@pytest.mark.parametrize("changed, expected", table(ARRAYS))
def test_arrays(changed, expected, tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, **arrays(**changed))
    check_answer(lambda: load(f"npz:{path}", image_size=8, batch_size=4).splits.train.peek(), [path.name], expected)


def settings(**flags):
    """A recipe asked for its data."""

    def read(folder):
        write(folder / "photos.zip", b"PK")
        recipe.load(recipe.Settings(workdir=str(folder / "run"), **flags))

    return read


def named(names, **how):
    def read(folder):
        plant(folder, "a,b.png c.png d/")
        os.mkfifo(folder / "pipe.jpg")
        os.chdir(folder)
        files.read_named(names, 8, **how)

    return read


FLAGS = [
    ("images of 20,000", settings(image_size=20_000), "--image_size must be at most"),
    ("images of 2^31 - 1", settings(image_size=2**31 - 1, batch_size=1), "--image_size must be at most"),
    ("a batch of 2^31 - 1", settings(batch_size=2**31 - 1), "--batch_size must be at most"),
    ("an export of 10^18", settings(export_size="1000000000x1000000000"), "--export_size must be HEIGHTxWIDTH"),
    ("an export in superscript", settings(export_size="²x³"), "--export_size must be HEIGHTxWIDTH"),
    ("an export of many digits", settings(export_size="9" * 9999 + "x9"), "--export_size must be HEIGHTxWIDTH"),
    ("an export of nothing", settings(export_size="x"), "--export_size must be HEIGHTxWIDTH"),
    ("nothing held out", settings(held_out=0.0), "--held_out"),
    ("all held out", settings(held_out=0.5), "--held_out"),
    ("NaN held out", settings(held_out=float("nan")), "--held_out"),
    ("weights of nobody", settings(weights="~nosuchuser/a.keras"), "~nosuchuser"),
    ("weights in a folder", settings(weights="/tmp"), "/tmp is a folder; expected --weights"),
    ("weights of a device", settings(weights="/dev/zero"), "/dev/zero is a pipe or a device"),
    ("no weights there", settings(weights="none.keras"), "none.keras: no such file"),
    ("a folder of nobody", settings(data="folder:~nosuchuser/photos"), "~nosuchuser"),
    ("a folder of zero bytes", settings(data="folder:a\0b"), "folder:"),
    ("a folder of a long name", settings(data="folder:" + "a" * 300), "folder:a"),
    ("a folder that is a device", settings(data="folder:/dev/null"), "/dev/null is no folder"),
    ("a packed folder", settings(data="photos.zip"), "photos.zip is no folder; expected PATH/train"),
    ("a packed folder, by its reader", settings(data="folder:photos.zip"), "Unpack what is packed"),
    ("a file of nobody", settings(data="npz:~nosuchuser/a.npz"), "~nosuchuser"),
    ("a file without a name", settings(data="npz:"), "npz:FILE"),
    ("a file that is a folder", settings(data="npz:/tmp"), "/tmp is a folder"),
    ("embedded in superscript", settings(data="embedded:²"), "embedded:²"),
    ("drawings in superscript", settings(data="embedded:shapes:²"), "expected embedded:shapes[:IMAGES], 100 to"),
    ("drawings without number", settings(data="embedded:textures:"), "expected embedded:textures[:IMAGES], 100 to"),
    ("too many drawings", settings(data="embedded:shapes:999999"), "100 to 100,000 images"),
    ("drawings of another kind", settings(data="embedded:colours"), "or embedded:shapes or embedded:textures"),
    ("embedded of many digits", settings(data="embedded:" + "9" * 9999), "embedded:999"),
    ("no such set of Keras'", settings(data="keras:../../etc"), "keras:../../etc"),
    ("a name with a comma", named("a,b.png"), "works"),
    ("names with a comma among others", named("c.png,a,b.png, c.png"), "works"),
    ("a comma at the end", named("c.png,"), "works"),
    ("commas alone", named(",,,"), "--images=,,,: expected paths"),
    ("no such image", named("c.png,e.png"), "--images: e.png: no such file"),
    ("an image that is a folder", named("d"), "--images: d is a folder"),
    ("an image that is a pipe", named("pipe.jpg"), "--images: pipe.jpg is a pipe"),
    ("an image of nobody", named("~nosuchuser/a.png"), "--images: ~nosuchuser"),
    ("an image of a zero byte", named("a\0.png"), "--images: "),
    ("an image of a long name", named("a" * 300), "--images: "),
    ("ten thousand commas", named("x," * 10_000), "--images: x: no such file"),
]


@pytest.mark.parametrize("read, expected", table(FLAGS))
def test_flags(read, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_answer(lambda: read(tmp_path), [expected.split(":")[0], "photos.zip"], expected)
