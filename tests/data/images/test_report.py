import numpy as np
import pytest
from PIL import Image

from toolkit.data.images import store
from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.labelled import load
from toolkit.data.images.report import examine


def folder(root, **parts):
    """Parts of {class: pictures}, written as PNG files."""
    for split, classes in parts.items():
        for name, pictures in classes.items():
            (root / split / name).mkdir(parents=True)
            for number, picture in enumerate(pictures):
                Image.fromarray(picture).save(root / split / name / f"{number:03}.png")
    return f"folder:{root}"


def noise(count, seed, side=8):
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3)).astype("uint8")


def found_in(source, **how):
    return examine(load(source, image_size=8, batch_size=4, **how), batch_size=4)


def test_numbers(tmp_path):
    source = folder(
        tmp_path,
        train={"a": noise(12, 0), "b": noise(6, 1)},
        validation={"a": noise(2, 2), "b": noise(3, 3)},
        test={"a": noise(4, 4), "b": noise(5, 5)},
    )
    found = found_in(source)
    sections = found.report.sections
    assert sections["images"]["images"] == {"train": 18, "validation": 5, "test": 9}
    assert sections["images_of_each_class"]["b"] == {"train": 6, "validation": 3, "test": 5}
    assert sections["images"]["largest_class_to_smallest"] == 2 and sections["images"]["classes"] == 2
    pixels = np.concatenate([noise(12, 0), noise(6, 1)]).astype("float64")
    red = [sections["training_pixels_0_to_255"][name]["red"] for name in ("mean", "scale")]
    np.testing.assert_allclose(red, [pixels[..., 0].mean(), pixels[..., 0].std()], rtol=1e-5)
    assert sections["batches"]["steps_in_an_epoch"] == 5
    assert not found.report.refusal and not found.report.changes
    assert "Ready: 18 images of 2 classes to train on." in str(found.report)
    assert found.counts["test"].tolist() == [4, 5] and found.class_names == ("a", "b")
    np.testing.assert_array_equal(found.examples["b"], noise(6, 1))
    assert found.examples["a"].shape == (8, 8, 8, 3)


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_what_looks_wrong(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(store, "MEMORY", memory)
    train = noise(24, 0)
    source = folder(
        tmp_path,
        train={"a": train, "b": np.concatenate([noise(3, 1), np.full((1, 8, 8, 3), 9, "uint8")])},
        validation={"a": noise(2, 3), "b": noise(2, 4)},
        test={"a": train[4:8], "b": np.concatenate([noise(15, 2), np.full((1, 8, 8, 3), 9, "uint8")])},
    )
    (tmp_path / "train" / "a" / "bad.png").write_bytes(b"")
    found = found_in(source, skip_corrupt=True)
    images, changes = found.report.sections["images"], "\n".join(found.report.changes)
    assert images["copies_of_training_images_%"] == {"validation": 0, "test": 20}
    assert images["left_out_because_damaged"] == 1
    assert "1 files are left out, such as:" in changes and "bad.png" in changes
    assert "20 % of the test images are training images too" in changes
    assert "The class a has 24 training images, b has 4" in changes
    assert "4 % of the train images are of one colour" in changes
    assert "But look at this first" in str(found.report)


def test_a_class_that_is_not_held_out(tmp_path):
    pictures = noise(20, 0)
    source = folder(tmp_path, train={"a": pictures, "b": pictures[:1], "c": pictures[:1]}, test={
        name: noise(2, ord(name)) for name in "abc"
    })  # fmt: skip
    changes = "\n".join(found_in(source).report.changes)
    assert "No validation image of b and 1 other classes: a larger --held_out, or more images." in changes


def test_images_that_are_all_the_same_are_refused(tmp_path):
    same = np.repeat(noise(1, 0), 8, axis=0)
    found = found_in(folder(tmp_path, train={"a": same, "b": same}, test={"a": noise(2, 1), "b": noise(2, 2)}))
    assert "All training images are the same" in found.report.refusal and "NOT READY" in str(found.report)


def test_of_many_classes_the_largest_and_the_smallest_are_told(tmp_path):
    classes = {f"class {number:02}": noise(6 + number % 2, number, 4) for number in range(30)}
    classes["class 17"] = noise(20, 99, 4)
    found = examine(
        load(folder(tmp_path, train=classes, test={name: noise(1, 50, 4) for name in classes}), image_size=4,
             batch_size=8, augmentation=Augmentation("area")),
        batch_size=8,
    )  # fmt: skip
    assert next(iter(found.report.sections["images_of_each_class"])) == "class 17"
    assert len(found.report.sections["images_of_each_class"]) == 2 and len(found.examples) == 20
    assert found.examples["class 17"].shape == (8, 4, 4, 3)
    assert found.report.sections["batches"]["size"] == "4 x 4 x 3"
