import numpy as np
import pytest

from toolkit.data.classified.label_noise import flipped


def test_a_share_of_the_labels_is_another_one():
    labels = np.arange(1000) % 4
    found, wrong = flipped(labels, 0.1, 4, seed=1)
    assert wrong.sum() == 100 and found.dtype == labels.dtype
    np.testing.assert_array_equal(found != labels, wrong)
    moves = np.bincount((found - labels)[wrong] % 4, minlength=4)
    assert moves[0] == 0 and (moves[1:] > 20).all()  # each other class alike probable
    again, _ = flipped(labels, 0.1, 4, seed=1)
    np.testing.assert_array_equal(found, again)
    assert (flipped(labels, 0.1, 4, seed=2)[1] != wrong).any()


def test_all_and_none():
    labels = np.array([0, 1, 1])
    np.testing.assert_array_equal(flipped(labels, 1.0, 2)[0], [1, 0, 0])
    np.testing.assert_array_equal(flipped(labels, 0.0, 2)[0], labels)


@pytest.mark.parametrize("how", [(0.1, 1), (1.1, 3), (-0.1, 3), (0.1, 2)])
def test_what_is_out_of_range(how):
    with pytest.raises(ValueError, match="expected"):
        flipped(np.array([0, 1, 2]), *how)
