"""Masks: files that are another kind of mask, giants, lists and names that do not fit, numbers out of range."""

import os

import pytest

from tests.data.masks.pairs import folder, numbers, save, voc
from tests.faults.hostile import check_answer, table
from tests.faults.pictures import FILES, GIANT, POSTSCRIPT, gif, jpeg, png, tiff
from tests.faults.samples import write
from toolkit.data.masks import folders, store
from toolkit.data.masks.loading import load


def peek(source, **how):
    load(source, batch_size=2, **how).splits.train.peek()


# By what stands in the place of one mask.
MASKS = [
    *((name, content, why) for name, content, why in FILES if GIANT in why or content == POSTSCRIPT),
    ("a mask of another size", png(30, 20, color=0), "it is 30 x 20, and its image"),
    ("a mask of colours", png(24, 20, color=2), "saved as RGB; give --from_palette"),
    ("a JPEG mask", jpeg(24, 20), "a JPEG changes numbers"),
    ("a mask in a palette that is missing", png(24, 20, color=3), ""),
    ("a TIFF of negative numbers", tiff(24, 20, tags=[(339, 3, 1, 2)]), ""),
    ("a GIF of many pictures", gif(24, 20, frames=1000), ""),
    ("a mask whose pixels end early", png(24, 2000, color=0), ""),
]


@pytest.mark.parametrize("how", ["in memory", "streamed", "skipped"])
@pytest.mark.parametrize("content, expected", table(MASKS, tenth=5))
def test_files(content, expected, how, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "MEMORY", 0 if how == "streamed" else store.MEMORY)
    path = write(folder(tmp_path) / "train" / "masks" / "01.png", content)
    if how == "skipped":
        check_answer(lambda: peek(f"folder:{tmp_path}", skip_corrupt=True), [path.name], "works")
    else:
        check_answer(lambda: peek(f"folder:{tmp_path}"), [path.name], expected)


def links(root):
    os.symlink(root / "train", root / "val")
    os.symlink(root, root / "train" / "images" / "more")


def case(root):
    (root / "train" / "masks" / "01.png").rename(root / "train" / "masks" / "01.PNG")
    save(root / "train" / "masks" / "X.png", numbers(0))
    save(root / "train" / "images" / "x.png", numbers(0))


def many(root):
    (root / "class_names.txt").write_text("a name\n" * 300)


FOLDERS = [
    ("links into each other", links, "works"),
    ("names that differ in case only", case, "large and small letters only"),
    ("no masks", lambda root: (root / "train" / "masks").rename(root / "train" / "other"), "no folder of masks"),
    ("empty folder of masks", lambda root: [p.unlink() for p in (root / "train" / "masks").iterdir()], "of masks"),
    ("three hundred names of classes", many, "expected the names of at most 256"),
    ("names of classes in a folder", lambda root: (root / "classes.txt").mkdir(), "works"),
    ("names of classes on a device", lambda root: _linked(root / "class_names.txt", "/dev/zero"), "a device"),
    ("a pipe among the images", lambda root: os.mkfifo(root / "train" / "images" / "a.png"), "a.png"),
    ("a name with a new line", lambda root: save(root / "train" / "images" / "a\nb.png", numbers(0)), "has no mask"),
]


def _linked(path, target):
    path.unlink(missing_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("change, expected", table(FOLDERS, tenth=3))
def test_folders(change, expected, tmp_path):
    change(folder(tmp_path, splits=("train",), each=6))
    check_answer(lambda: peek(f"folder:{tmp_path}"), [str(tmp_path)], expected)


LISTS = [
    ("a name that leads away", b"../../../etc/passwd\n2007_000001\n", "names passwd, but there is no image"),
    ("a name of zero bytes", b"a\0b\n", "there is no image"),
    ("a long name", b"a" * 5000 + b"\n", "names no image"),
    ("a name twice", b"2007_000001\n2007_000001\n", "names 2007_000001, which"),
    ("ten thousand names", b"".join(b"%d\n" % number for number in range(10_000)), "so it is with 10000"),
    ("Latin-1", b"2007_00000\xe9\n", "is not UTF-8"),
]


@pytest.mark.parametrize("content, expected", table(LISTS, tenth=3))
def test_lists(content, expected, tmp_path):
    path = write(voc(tmp_path) / "ImageSets" / "Segmentation" / "train.txt", content)
    check_answer(lambda: peek(f"voc:{tmp_path}"), [str(path), str(tmp_path)], expected)


SOURCES = [
    ("a folder of nobody", "folder:~nosuchuser/photos", "~nosuchuser"),
    ("a folder of zero bytes", "voc:a\0b", "voc:"),
    ("a folder of a long name", "voc:" + "a" * 300, "voc:a"),
    ("a folder that is a device", "folder:/dev/null", "/dev/null is no folder"),
    ("no folder", "voc:", "voc:: no such folder"),
    ("scenes in superscript", "embedded:²", "embedded:²"),
    ("scenes of many digits", "embedded:" + "9" * 9999, "embedded:999"),
    ("scenes of 10^9", "embedded:999999999", "expected embedded[:SCENES"),
    ("scenes of giant size", "embedded:5:999", "32 to 256 pixels"),
]


@pytest.mark.parametrize("source, expected", table(SOURCES, tenth=3))
def test_sources(source, expected):
    check_answer(lambda: peek(source), [expected.split(" ")[0], source[:9]], expected)


def test_a_folder_of_many_levels(tmp_path):
    """It is not looked into for ever."""
    deep = tmp_path / "images" / "/".join(["a"] * 100)
    deep.mkdir(parents=True)
    save(deep / "a.png", numbers(0))
    with pytest.raises(ValueError, match="has no folder of images"):
        folders.paired(tmp_path)
