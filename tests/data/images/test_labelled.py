import pathlib
import tarfile

import numpy as np
import pytest
from PIL import Image

from tests.data.images.pictures import SIZES, assert_same, everything, folder, multiset, noise, saved, write
from toolkit.data.images import store
from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.labelled import SPLITS, load
from toolkit.data.plans import shuffled_plan


def test_a_folder_without_parts_is_cut_by_class_and_seed(tmp_path):
    for name, count in (("a", 40), ("b", 10), ("c", 3)):
        for k in range(count):
            write(tmp_path / name / "below" / f"{k}.PNG", noise(k, 4, 4))
    images = load(str(tmp_path), **SIZES, held_out=0.2)
    counts = {split: counts.tolist() for split, counts in images.counts.items()}
    assert counts == {"train": [24, 6, 1], "validation": [8, 2, 1], "test": [8, 2, 1]}
    rows = np.concatenate([images.parts[split].store.rows for split in SPLITS])
    assert sorted(rows) == list(range(53))
    same, other = (load(str(tmp_path), **SIZES, held_out=0.2, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(same.parts["test"].store.rows, images.parts["test"].store.rows)
    assert list(other.parts["test"].store.rows) != list(images.parts["test"].store.rows)


def test_which_folder_became_which_part_is_told(tmp_path, capsys):
    folder(tmp_path / "photos", ("Training", "Test"))
    counts = load(f"folder:{tmp_path}", **SIZES).counts
    assert counts["test"].tolist() == [6, 6] and counts["train"].tolist() == [5, 5]
    assert f"--data=folder:{tmp_path}: train is photos/Training, test is photos/Test\n" in capsys.readouterr().err


def test_what_is_too_few_to_be_cut(tmp_path):
    folder(tmp_path, ("train",), count=2)
    with pytest.raises(ValueError, match="the validation part is empty: a class needs 3 images"):
        load(f"folder:{tmp_path}", **SIZES)


AUGMENTATION = Augmentation("area", flip=True, color=0.3, lighting=0.1, erasing=0.3)


def test_order_and_changes_are_a_pure_function_of_seed_and_epoch(tmp_path, monkeypatch):
    source = f"folder:{folder(tmp_path)}"
    how = {"image_size": 8, "batch_size": 4, "augmentation": AUGMENTATION, "seed": 3}
    batches = load(source, **how).splits.train
    stream = list(batches.dataset(num_epochs=3).as_numpy_iterator())
    assert len(stream) == 3 * batches.steps_per_epoch
    start = 4  # in the second epoch
    monkeypatch.setattr(store, "MEMORY", 0)  # nor does it matter where the pixels are
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
    assert all(len(set(seen[0]) & set(other)) < len(part.store.rows) / 4 for other in seen[1:])
    assert_same(everything(images.splits.test), everything(plain.splits.test))
    assert_same(everything(images.splits.validation), everything(plain.splits.validation))
    # As the augmentation alone does it, with both seeds, and the example's number plus the epoch times their count.
    order = shuffled_plan(len(part.store.rows), 50, seed=2)(3)[0]
    shifted = Augmentation("shift", flip=True, seed=3)(part.store.read(order), order + 3 * len(part.store.rows), 8)
    np.testing.assert_array_equal(epochs[6][0], shifted)


def test_a_crop_has_room_and_the_test_sees_the_middle(tmp_path, kept):
    for split in ("train", "validation", "test"):
        for name in "ab":
            write(tmp_path / split / name / "1.png", noise(ord(name), 40, 60))
    images = load(f"folder:{tmp_path}", image_size=28, batch_size=2, augmentation=Augmentation("area"))
    stored = images.parts["test"].store.read(np.array([0]))[0]
    assert stored.shape == (32, 32, 3) and images.splits.train.peek()[0].shape == (2, 28, 28, 3)
    # Resized as a whole and then cut, as usual; Pillow works with rounded sizes then.
    expected = np.asarray(Image.fromarray(noise(ord("a"), 40, 60)).resize((48, 32), Image.Resampling.BILINEAR))
    assert np.abs(stored.astype(int) - expected[:, 8:40]).max() <= 1
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], stored[2:30, 2:30])
    shown, _ = next(images.blocks("test", 9))
    np.testing.assert_array_equal(list(images.examples("test", 9)), shown)
    assert shown.shape == (2, 28, 28, 3) and len(list(images.examples("test", 1))) == 1


def test_a_class_of_damaged_files_only(tmp_path):
    folder(tmp_path)
    for path in (tmp_path / "train" / "cat").iterdir():
        path.write_bytes(b"")
    with pytest.raises(ValueError, match="the class cat has no image to train on"):
        load(f"folder:{tmp_path}", **SIZES, skip_corrupt=True)


def test_settings_out_of_range():
    for wrong, words in (
        ({"image_size": 0}, "--image_size=0: expected 1 or more"),
        ({"channels": 2}, "^--channels=2: expected 1"),
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


def test_statistics(tmp_path, kept):
    images = load(f"folder:{folder(tmp_path)}", image_size=10, batch_size=4, augmentation=Augmentation("shift"))
    part = images.parts["train"]
    pixels = part.store.read(np.arange(len(part.store.rows))).astype("float64")
    mean, scale = images.statistics()
    assert mean.dtype == scale.dtype == np.float32
    np.testing.assert_allclose(mean, pixels.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(scale, pixels.std((0, 1, 2)), rtol=1e-6)
    flat = np.full((30, 12, 12), 77, "uint8")
    np.testing.assert_array_equal(
        load(f"npz:{saved(tmp_path / 'a.npz', x_train=flat)}", **SIZES, channels=1).statistics(), [[77], [1]]
    )


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
    path = sorted((tmp_path / "train" / "bird").iterdir())[images.parts["test"].store.rows[0]]
    np.testing.assert_array_equal(images.splits.test.peek()[0][0], np.asarray(Image.open(path), "float32"))


def test_targets_of_several_heads():
    images = load("embedded:100", **SIZES)
    shown, targets = images.one_hot(["logits", "auxiliary"]).validation.peek()
    expected, labels = images.splits.validation.peek()
    np.testing.assert_array_equal(shown, expected)
    assert sorted(targets) == ["auxiliary", "logits"]
    for target in targets.values():
        np.testing.assert_array_equal(target, np.eye(10, dtype="float32")[labels])


def test_classes_of_a_network():
    images = load("embedded:100", **SIZES)
    assert images.for_classes(list("0123456789"), "the model") is images
    with pytest.raises(ValueError, match="--data has other classes than the model: 9, x."):
        images.for_classes(list("012345678x"), "the model")
    with pytest.raises(ValueError, match="the order"):
        images.for_classes(list("9876543210"), "the model")
