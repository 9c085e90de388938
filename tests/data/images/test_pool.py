import numpy as np
import pytest

from toolkit.data.images import pool as pools
from toolkit.data.images.augmentation import Augmentation
from toolkit.data.images.labelled import Part, load
from toolkit.data.images.pool import Pool, PoolShape
from toolkit.data.images.store import Store

LABELS = np.repeat(np.arange(5), 100)


def part(labels=LABELS):
    pixels = np.zeros((len(labels), 4, 4, 3), "uint8")
    pixels[:, 0, 0, 0], pixels[:, 0, 0, 1] = np.arange(len(labels)) % 256, np.arange(len(labels)) // 256
    return Part(Store(pixels, np.arange(len(labels))), labels)


def parts():
    return {"train": part(), "validation": part(), "test": part()}


def test_counts_fall_by_the_same_factor():
    shaped = PoolShape(imbalance=16.0, seed=3)(parts())
    assert np.bincount(shaped["train"].labels).tolist() == [100, 50, 25, 12, 6]  # 100 / 2 ** class, rounded to even
    np.testing.assert_array_equal(shaped["train"].labels, LABELS[shaped["train"].store.rows])
    assert len(shaped["test"].labels) == len(shaped["validation"].labels) == 500
    few = PoolShape(imbalance=1e4)({**parts(), "train": part(np.array([0, 0, 1, 1]))})
    assert np.bincount(few["train"].labels).tolist() == [2, 1]


def test_copies_are_of_a_twentieth_and_the_pool_stays_as_large():
    shaped = PoolShape(redundancy=0.8, seed=1)(parts())["train"]
    rows, counts = np.unique(shaped.store.rows, return_counts=True)
    assert len(shaped.labels) == 500 and len(rows) == 100
    assert (counts > 1).sum() == 5 and counts[counts > 1].sum() == 405 and np.ptp(counts[counts > 1]) <= 1
    np.testing.assert_array_equal(shaped.labels, LABELS[shaped.store.rows])
    other = PoolShape(redundancy=0.8, seed=2)(parts())["train"]
    assert (other.store.rows != shaped.store.rows).any()


def test_a_small_validation_part_has_all_classes():
    shaped = PoolShape(validation_size=25)(parts())["validation"]
    assert np.bincount(shaped.labels).tolist() == [5] * 5 and len(np.unique(shaped.store.rows)) == 25
    whole = PoolShape(validation_size=500)(parts())["validation"]
    np.testing.assert_array_equal(whole.store.rows, np.arange(500))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"imbalance": 0.5}, "--imbalance=0.5: expected 1 or more"),
        ({"imbalance": float("inf")}, "--imbalance=inf"),
        ({"redundancy": 1.0}, "--redundancy=1.0: expected a share"),
        ({"validation_size": 0}, "--validation_size=0: no validation data"),
        ({"validation_size": 501}, "--validation_size=501: there are 500 validation images"),
    ],
)
def test_shapes_that_cannot_be(how, told):
    with pytest.raises(ValueError, match=told):
        PoolShape(**how)(parts())


@pytest.fixture(scope="module", name="images")
def few_digits():
    return load("embedded:200", image_size=8, batch_size=16)


def test_loaded_images_are_shaped_before_labels_are_made_wrong(images):
    found = load("embedded:200", image_size=8, batch_size=16, shaped=PoolShape(redundancy=0.5), label_noise=0.3)
    train = found.parts["train"]
    assert len(train.labels) == len(images.parts["train"].labels)
    assert len(np.unique(train.store.rows)) < 0.6 * len(train.labels)
    right = dict(zip(images.parts["train"].store.rows, images.parts["train"].labels, strict=True))
    wrong = np.mean([right[row] != label for row, label in zip(train.store.rows, train.labels, strict=True)])
    assert wrong == pytest.approx(0.3, abs=0.01)
    assert found.contents != images.contents


def test_batches_have_the_labels_that_were_given(images):
    pool = Pool(images)
    rows, labels = np.array([40, 3, 17, 99, 5]), np.array([7, 8, 9, 0, 1])
    plan = pools.plan_of(5, 2, seed=3)
    pixels, told = pool.batches(rows, labels, plan).arrays()
    assert sorted(told.tolist()) == [0, 1, 7, 8, 9] and pixels.dtype == np.float32
    for image, label in zip(pixels, told, strict=True):
        np.testing.assert_array_equal(image, pool.shown(rows[labels == label])[0])
    change = Augmentation("shift")
    changed = pool.batches(rows, labels, plan, lambda images, seeds: change(images, seeds, 8))
    more = pool.batches(np.append(rows, 60), np.append(labels, 2), pools.plan_of(6, 8, seed=0), changed_by(change))
    before, after = (dict(zip(*each.arrays()[::-1], strict=True)) for each in (changed, more))
    for label in labels:  # an image is changed alike when others are labelled after it
        np.testing.assert_array_equal(before[label], after[label])


def changed_by(change):
    return lambda images, seeds: change(images, seeds, 8)


def test_images_without_labels_follow_those_that_have_one(images, tmp_path):
    from PIL import Image

    (tmp_path / "deep" / "er").mkdir(parents=True)
    for number, place in enumerate(("a.png", "deep/b.png", "deep/er/c.png")):
        Image.fromarray(np.full((8, 8, 3), 50 * number, "uint8")).save(tmp_path / place)
    (tmp_path / "notes.txt").write_text("nothing")
    pool = Pool(images, pools.unlabelled(str(tmp_path), images))
    known = len(images.parts["train"].labels)
    assert len(pool) == known + 3 and (pool.labels[known:] == pools.UNKNOWN).all()
    np.testing.assert_array_equal(pool.labels[:known], images.parts["train"].labels)
    shown = pool.shown(np.array([known + 2, 0, known]))
    assert (shown[0] == 100).all() and (shown[2] == 0).all()
    np.testing.assert_array_equal(shown[1], images.cut(images.parts["train"].store.read(np.array([0])))[0])
    assert "unlabelled" not in Pool(images).contents and pool.contents == pool.contents
    Image.fromarray(np.full((8, 8, 3), 60, "uint8")).save(tmp_path / "a.png")
    assert Pool(images, pools.unlabelled(str(tmp_path), images)).contents != pool.contents  # another picture


def test_a_folder_without_images_is_refused(images, tmp_path):
    with pytest.raises(ValueError, match="there is no image in it"):
        pools.unlabelled(str(tmp_path), images)
    with pytest.raises(FileNotFoundError, match="--unlabelled=.*none: no such folder"):
        pools.unlabelled(str(tmp_path / "none"), images)
    with pytest.raises(ValueError, match="No image has a label yet"):
        pools.plan_of(0, 4, seed=0)
