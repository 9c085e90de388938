import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.data.masks.pairs import everything, folder, image, numbers, save, voc
from toolkit.data import masks
from toolkit.data.masks.augmentation import Augmentation
from toolkit.data.masks.loading import load


def test_batches_and_examples(tmp_path, kept):
    found = load(f"folder:{folder(tmp_path)}", batch_size=3, image_size=10, crop_size=(8, 16))
    images, labels = everything(found.splits.train)
    assert images.dtype == np.float32 and labels.dtype == np.int32
    assert images.shape == (4, 8, 16, 3) and labels.shape == (4, 8, 16)
    assert set(np.unique(labels)) == {0, 1, 2, 255} and (images[labels == 255] == 128).all()
    assert found.parts["train"].sizes.tolist() == [[10, 12]] * 4
    pairs = list(found.examples("validation"))
    for number, (one, its) in enumerate(pairs):
        np.testing.assert_array_equal(one, image(300 + number))
        np.testing.assert_array_equal(its, numbers(300 + number))
        assert its.dtype == np.uint8
    chosen = list(found.examples("validation", 2))
    assert len(chosen) == 2 and (chosen[1][0] == pairs[3][0]).all() and len(list(found.examples("test", 99))) == 4
    mean, scale = found.statistics()
    pixels = np.concatenate([found.parts["train"][k][..., :3].reshape(-1, 3) for k in range(4)])
    np.testing.assert_allclose(mean, pixels.mean(0), rtol=1e-5)
    np.testing.assert_allclose(scale, pixels.std(0), rtol=1e-5)
    assert found.contents["classes"] == ["road", "sky", "tree"]
    assert found.for_classes(["road", "sky", "tree"], "--weights") is found
    with pytest.raises(ValueError, match="--data has other classes than --weights: car, tree"):
        found.for_classes(["road", "sky", "car"], "--weights")


def test_augmented_batches_are_a_pure_function_of_seed_epoch_and_example(tmp_path):
    """Images of unlike sizes, in any batch: what is seen of one in an epoch does not know the others."""
    for number, size in enumerate([(20, 24), (31, 12), (16, 40), (20, 24), (9, 9)]):
        save(tmp_path / "images" / f"{number}.png", image(number, size))
        save(tmp_path / "masks" / f"{number}.png", numbers(number, size))

    def seen(batch_size, seed=0):
        how = {"crop_size": (12, 14), "held_out": 0.2, "augmentation": Augmentation()}
        images, labels = everything(load(f"folder:{tmp_path}", batch_size=batch_size, seed=seed, **how).splits.train)
        return {(one.tobytes(), its.tobytes()) for one, its in zip(images, labels, strict=True)}

    assert len(one := seen(1)) == 3 and one == seen(3) and not one & seen(3, seed=1)


def test_parts_that_are_missing(tmp_path, capsys):
    found = load(f"folder:{folder(tmp_path / 'a', splits=('train', 'val'))}", batch_size=3)
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 3, "validation": 1, "test": 4}
    assert all("val" in each.name for each in found.parts["test"].examples), "what is published is of that part"
    assert "has no test part: its validation part is tested" in capsys.readouterr().err
    found = load(f"folder:{folder(tmp_path / 'b', splits=('train',), each=20)}", batch_size=3)
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 16, "validation": 2, "test": 2}
    names = [each.name for part in found.parts.values() for each in part.examples]
    assert len(set(names)) == 20
    other = load(f"folder:{tmp_path / 'b'}", batch_size=3, seed=1)
    assert [each.name for each in other.parts["test"].examples] != [each.name for each in found.parts["test"].examples]
    with pytest.raises(ValueError, match="the validation part is empty. Give more images"):
        load(f"folder:{folder(tmp_path / 'c', splits=('train',), each=2)}", batch_size=3)


def test_ignored_numbers_close_up(tmp_path):
    folder(tmp_path)
    found = load(str(tmp_path), batch_size=4, ignored=[1])
    assert found.class_names == ("road", "tree")
    for (_, labels), number in zip(found.examples("test"), range(400, 404), strict=True):
        np.testing.assert_array_equal(labels, np.array([0, 255, 1])[numbers(number)])
    last = load(str(tmp_path), batch_size=4, ignored=[2], class_names=["a", "b"])
    assert last.class_names == ("a", "b")
    assert last.counts["test"].sum() == sum((numbers(number) < 2).sum() for number in range(400, 404))


def test_names_and_numbers_that_are_given(tmp_path):
    folder(tmp_path)
    assert load(str(tmp_path), batch_size=4, num_classes=5).class_names == tuple("01234")
    assert load(str(tmp_path), batch_size=4, class_names=list("abcd")).class_names == tuple("abcd")


def test_damaged_masks_are_left_out_where_the_classes_are_looked_for(tmp_path):
    folder(tmp_path, names=None)
    path = tmp_path / "train" / "masks" / "01.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"01.png cannot be read as a mask.*--skip_corrupt"):
        load(str(tmp_path), batch_size=2)
    found = load(str(tmp_path), batch_size=2, skip_corrupt=True)
    assert found.class_names == ("0", "1", "2") and len(found.skipped) == 1


def test_a_class_that_a_part_lacks_is_told(tmp_path, capsys):
    folder(tmp_path)
    for number in range(4):
        save(tmp_path / "val" / "masks" / f"{number:02}.png", numbers(number, most=1))
    found = load(str(tmp_path), batch_size=4)
    assert "no validation pixel of tree." in capsys.readouterr().err and found.counts["validation"][2] == 0


def test_from_palette(tmp_path):
    root = voc(tmp_path)
    for path in (root / "SegmentationClass").iterdir():
        Image.open(path).convert("RGB").save(path)
    with pytest.raises(ValueError, match=r"2007_000000.png cannot .*saved as RGB; give --from_palette"):
        load(f"voc:{root}", batch_size=2)
    found = load(f"voc:{root}", batch_size=2, from_palette=True, num_classes=3)
    for example, (_, labels) in zip(found.parts["train"].examples, found.examples("train"), strict=True):
        np.testing.assert_array_equal(labels, numbers(int(example.name[-10:-4])))
    with pytest.raises(ValueError, match="the colour .*, which the palette has not"):
        load(f"voc:{root}", batch_size=2, from_palette=[(0, 0, 0), (1, 2, 3)], num_classes=3)


@pytest.mark.parametrize(
    "changed, words",
    [
        ({"image_size": 0}, "--image_size=0: expected 1 or more"),
        ({"crop_size": (0, 8)}, "--crop_size=0x8: expected 1 or more"),
        ({"held_out": 0.5}, "--held_out=0.5: expected a share"),
        (
            {"num_classes": 2},
            "has the number 2 of no class: there are 2, 0 to 1 by --num_classes. Give more",
        ),
        ({"num_classes": 1}, "--num_classes=1: expected 2 to 255"),
        ({"num_classes": 4, "class_names": ["a", "b"]}, "--num_classes=4, but --class_names has 2"),
        ({"class_names": ["a"]}, "classes a; expected two or more"),
        ({"class_names": ["a", "a", "b"]}, "each named once"),
        ({"ignored": [300]}, "--ignored=300: expected numbers of 0 to 255"),
        ({"from_palette": [(0, 0)]}, "from_palette: expected at most 256 colours"),
        ({"batch_size": 10**9}, "A batch of --batch_size=1000000000 images of up to 20 x 24 would take"),
    ],
)
def test_errors(tmp_path, changed, words):
    with pytest.raises(ValueError, match=words):
        load(str(folder(tmp_path)), **{"batch_size": 4, **changed})


def test_images_of_unlike_sizes_need_a_crop(tmp_path):
    save(folder(tmp_path) / "train" / "images" / "09.png", image(0, (30, 16)))
    save(tmp_path / "train" / "masks" / "09.png", numbers(0, (30, 16)))
    with pytest.raises(ValueError, match=r"images of 20x16 to 30x24 pixels .*: --crop_size=20x16"):
        load(str(tmp_path), batch_size=5)
    found = load(str(tmp_path), batch_size=5, crop_size=(26, 26))
    assert found.splits.train.peek()[0].shape == (5, 26, 26, 3)


def test_what_has_no_partner_or_is_damaged(tmp_path, kept):
    folder(tmp_path)
    (tmp_path / "train" / "masks" / "00.png").unlink()
    with pytest.raises(ValueError, match=r"train/images/00.png has no mask; so it is with 1. .*--skip_corrupt"):
        load(str(tmp_path), batch_size=5)
    path = tmp_path / "train" / "masks" / "01.png"
    path.write_bytes(path.read_bytes()[:60])
    found = load(str(tmp_path), batch_size=5, skip_corrupt=True)
    assert len(found.parts["train"]) == 2 and len(found.skipped) == 2
    assert "00.png has no mask" in found.skipped[0] and "01.png cannot be read as a mask" in found.skipped[1]


def test_a_class_beyond_is_named_where_data_is_streamed(tmp_path, monkeypatch):
    monkeypatch.setattr(masks.store, "MEMORY", 0)
    folder(tmp_path)
    save(tmp_path / "train" / "masks" / "02.png", numbers(0, most=7))
    batches = load(str(tmp_path), batch_size=5).splits.train
    with pytest.raises(tf.errors.OpError, match=r"masks/02.png has the number 3 and 4 other numbers of no class"):
        list(batches.dataset(num_epochs=1))
