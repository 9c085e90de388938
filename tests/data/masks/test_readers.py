import os
import pathlib
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.data.data_sets import stand_in
from tests.data.masks.pairs import everything, folder, image, numbers, save, voc
from toolkit.data.masks.loading import load
from toolkit.data.masks.readers import READERS, sniff
from toolkit.data.masks.voc import CLASS_NAMES
from toolkit.data.scenes.generator import scene
from toolkit.data.scenes.scene import CLASSES

DATA = os.environ.get("TOOLKIT_TEST_DATA")


def test_embedded_are_scenes():
    found = load("embedded:24:48", batch_size=5)
    assert found.class_names == CLASSES and found.crop_size == (48, 48)
    images, labels = everything(found.splits.validation)
    for number, (one, its) in enumerate(zip(images, labels, strict=True), start=2):
        made = scene(0, number, 48)
        np.testing.assert_array_equal(one, made.image)
        np.testing.assert_array_equal(its, made.labels)
    # Another seed is another order, not another test part.
    other = load("embedded:24:48", batch_size=5, seed=7)
    np.testing.assert_array_equal(everything(other.splits.test)[0], everything(found.splits.test)[0])
    for source in ("embedded:2", "embedded:24:20", "embedded:24:300", "embedded:x", "embedded:²", "embedded:9:9:9"):
        with pytest.raises(
            ValueError, match=rf"--data={source}: expected embedded\[:SCENES\[:SIDE\]\], 3 to 1,000,000"
        ):
            load(source, batch_size=5)


def test_voc(tmp_path, kept):
    root = voc(tmp_path, most=20)
    found = load(f"voc:{root}", batch_size=3)
    assert found.class_names == CLASS_NAMES and len(CLASS_NAMES) == 21
    images, labels = everything(found.splits.test)
    for place, number in enumerate(range(5, 8)):
        np.testing.assert_array_equal(labels[place], numbers(number, most=20))
        with Image.open(root / "JPEGImages" / f"2007_{number:06}.jpg") as jpeg:
            np.testing.assert_array_equal(images[place], np.asarray(jpeg))
    assert len(found.parts["train"]) + len(found.parts["validation"]) == 5
    (root / "labels.txt").write_text("".join(f"class {number}\n" for number in range(21)))
    assert load(str(tmp_path), batch_size=3).class_names[20] == "class 20"


def test_folder(tmp_path, kept):
    found = load(f"folder:{folder(tmp_path)}", batch_size=3)
    assert found.class_names == ("road", "sky", "tree")
    images, labels = everything(found.splits.test)
    for number in range(4):
        np.testing.assert_array_equal(images[number], image(400 + number))
        np.testing.assert_array_equal(labels[number], numbers(400 + number))


def test_without_names_the_training_masks_say_how_many(tmp_path):
    folder(tmp_path, names=None)
    assert load(str(tmp_path), batch_size=2).class_names == ("0", "1", "2")
    save(tmp_path / "train" / "masks" / "01.png", numbers(0, most=5))
    found = load(str(tmp_path), batch_size=2)
    assert found.class_names == tuple("012345") and found.counts["train"][5] > 0


def test_tfds(monkeypatch):
    def example(number, size=(20, 24)):
        return {"image": image(number, size), "segmentation_mask": numbers(number, size)[..., None] + 1}

    parts = {"train": [example(k, (20, 24 + k)) for k in range(9)], "test": [example(k) for k in range(20, 23)]}
    asked = stand_in(monkeypatch, parts, {"image": None, "segmentation_mask": None})
    found = load("tfds:pets", batch_size=3, crop_size=(20, 20), ignored=[0])
    assert asked == ["pets"] and found.class_names == ("1", "2", "3")
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 8, "validation": 1, "test": 3}
    for number, (one, labels) in enumerate(found.examples("test"), start=20):
        np.testing.assert_array_equal(one, image(number))
        np.testing.assert_array_equal(labels, numbers(number))
    grey = {"image": image(0)[..., :1], "segmentation_mask": numbers(0)}
    stand_in(monkeypatch, {"train": [grey] * 4}, {"image": None, "segmentation_mask": None})
    assert load("tfds:grey", batch_size=2).crop_size == (20, 24)
    for wrong, words in (
        (
            {"segmentation_mask": numbers(0, (10, 24))},
            r"segmentation_mask uint8 \(10, 24\); expected integers \(20, 24\)",
        ),
        ({"image": image(0).astype("float32")}, "image float32"),
        ({"segmentation_mask": np.full((20, 24), 1000)}, "numbers 1000 to 1000; expected classes"),
    ):
        stand_in(monkeypatch, {"train": [{**grey, **wrong}]}, {"image": None, "segmentation_mask": None})
        with pytest.raises(ValueError, match=f"tfds:grey, train example 0: {words}"):
            load("tfds:grey", batch_size=2)
    stand_in(monkeypatch, {"train": []}, {"image": None, "label": None})
    with pytest.raises(ValueError, match="has no image with a segmentation_mask: its features are image, label"):
        load("tfds:mnist", batch_size=2)
    stand_in(monkeypatch, {"test": [grey]}, {"image": None, "segmentation_mask": None})
    with pytest.raises(ValueError, match="has no part train; it has test"):
        load("tfds:grey", batch_size=2)


def test_sniff(tmp_path):
    assert sniff(voc(tmp_path / "VOC2012")) == "voc" and sniff(tmp_path) == "voc"
    assert sniff(folder(tmp_path / "other")) == "folder"
    (tmp_path / "a.zip").touch()
    (tmp_path / "a.txt").touch()
    assert sniff(tmp_path / "a.zip") == "folder" and sniff(tmp_path / "a.txt") is None
    assert list(READERS) == ["embedded", "voc", "folder", "tfds"]


@pytest.mark.skipif(not DATA, reason="TOOLKIT_TEST_DATA names no folder")
@pytest.mark.slow
def test_camvid():
    found = load(f"folder:{DATA}/camvid", image_size=60, batch_size=8, ignored=[11])
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 331, "validation": 36, "test": 101}
    assert found.class_names == tuple(map(str, range(11))) and found.crop_size == (60, 80)
    assert all(counts.all() for counts in found.counts.values())
    shapes = {(one.shape, labels.shape, int(labels[labels != 255].max())) for one, labels in found.examples("test", 5)}
    assert {shape[:2] for shape in shapes} == {((360, 480, 3), (360, 480))} and max(s[2] for s in shapes) <= 10


@pytest.mark.skipif(not DATA, reason="TOOLKIT_TEST_DATA names no folder")
@pytest.mark.slow
def test_photos_in_vocs_layout(tmp_path):
    packed = pathlib.Path(DATA, "more", "ccp_voc_500.tar.xz")
    subprocess.run(["tar", "xf", packed, "-C", tmp_path], check=True)
    found = load(f"voc:{tmp_path}", image_size=60, crop_size=(60, 60), batch_size=8)
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 360, "validation": 40, "test": 100}
    assert len(found.class_names) == 59 and found.class_names[14] == "dress" and found.counts["train"][14] > 0
