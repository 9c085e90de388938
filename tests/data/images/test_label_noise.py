import numpy as np
import pytest

from toolkit.data.images.label_noise import with_wrong
from toolkit.data.images.labelled import load

LABELS = np.random.default_rng(0).integers(0, 5, 4000).astype("int32")


def test_a_share_is_of_another_class_each_alike():
    found = with_wrong(LABELS, 0.3, 5, seed=1)
    wrong = found != LABELS
    assert wrong.sum() == 1200 and found.dtype == np.int32 and 0 <= found.min() <= found.max() < 5
    counts = np.bincount((found - LABELS)[wrong] % 5, minlength=5)
    assert counts[0] == 0 and np.abs(counts[1:] - 300).max() < 5 * np.sqrt(300)
    np.testing.assert_array_equal(with_wrong(LABELS, 0.3, 5, seed=1), found)
    assert (with_wrong(LABELS, 0.3, 5, seed=2) != found).any()
    more = with_wrong(LABELS, 0.5, 5, seed=1)
    np.testing.assert_array_equal(more[wrong], found[wrong])
    np.testing.assert_array_equal(with_wrong(LABELS, 0.0, 5), LABELS)


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
    ("share", "classes", "told"), [(1.5, 3, "share from 0 to 1"), (-0.1, 3, "share"), (0.5, 1, "two")]
)
def test_what_is_no_share_is_refused(share, classes, told):
    with pytest.raises(ValueError, match=told):
        with_wrong(LABELS, share, classes)
