import numpy as np
import pytest

from toolkit.data.images.labelled import load
from toolkit.data.label_noise import flipped

LABELS = np.random.default_rng(0).integers(0, 5, 4000).astype("int32")


def test_a_share_is_of_another_class_each_alike():
    found, wrong = flipped(LABELS, 0.3, 5, seed=1)
    np.testing.assert_array_equal(found != LABELS, wrong)
    assert wrong.sum() == 1200 and found.dtype == np.int32 and 0 <= found.min() <= found.max() < 5
    counts = np.bincount((found - LABELS)[wrong] % 5, minlength=5)
    assert counts[0] == 0 and np.abs(counts[1:] - 300).max() < 5 * np.sqrt(300)
    np.testing.assert_array_equal(flipped(LABELS, 0.3, 5, seed=1)[0], found)
    assert (flipped(LABELS, 0.3, 5, seed=2)[1] != wrong).any()
    more, _ = flipped(LABELS, 0.5, 5, seed=1)
    np.testing.assert_array_equal(more[wrong], found[wrong])


def test_all_and_none():
    labels = np.array([0, 1, 1])
    np.testing.assert_array_equal(flipped(labels, 1.0, 2)[0], [1, 0, 0])
    np.testing.assert_array_equal(flipped(labels, 0.0, 2)[0], labels)


def test_of_loaded_images_the_training_part_alone_has_them():
    clean, noisy = (load("embedded:300", image_size=8, batch_size=30, seed=4, label_noise=each) for each in (0.0, 0.2))
    labels = {split: [each.parts[split].labels for each in (clean, noisy)] for split in clean.parts}
    assert np.mean(labels["train"][0] != labels["train"][1]) == pytest.approx(0.2, abs=0.005)
    for split in ("validation", "test"):
        np.testing.assert_array_equal(*labels[split])
    read = np.concatenate([batch for _, batch in noisy.splits.train.dataset(num_epochs=1).as_numpy_iterator()])
    np.testing.assert_array_equal(np.bincount(read), np.bincount(labels["train"][1]))
    assert clean.contents != noisy.contents


@pytest.mark.parametrize(
    ("share", "classes", "told"),
    [(1.5, 5, "share from 0 to 1"), (-0.1, 5, "share"), (0.5, 1, "two"), (0.1, 4, "labels of 0 to 3; got 0 to 4")],
)
def test_what_is_out_of_range(share, classes, told):
    with pytest.raises(ValueError, match=told):
        flipped(LABELS, share, classes)
