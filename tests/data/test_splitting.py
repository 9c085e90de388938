import numpy as np
import pytest

from toolkit.data.splitting import split

LABELS = np.repeat([0, 1, 7], [40, 10, 3])


@pytest.mark.parametrize("labels", [None, LABELS])
def test_each_example_is_in_one_part_which_the_seed_decides(labels):
    parts = split(53, [0.2, 0.1], seed=3, labels=labels)
    assert sorted(np.concatenate(parts)) == list(range(53))
    again, other = (split(53, [0.2, 0.1], seed=seed, labels=labels) for seed in (3, 4))
    assert all(np.array_equal(one, two) for one, two in zip(parts, again, strict=True))
    assert not all(np.array_equal(one, two) for one, two in zip(parts, other, strict=True))


def test_plain_shares():
    assert [len(part) for part in split(53, [0.2, 0.1], seed=0)] == [53 - 10 - 5, 10, 5]
    assert [len(part) for part in split(3, [0.05, 0.05], seed=0)] == [1, 1, 1]
    left, first, second = split(10, [0.2, 0.3], seed=5)
    np.testing.assert_array_equal(np.concatenate([first, second, left]), np.random.default_rng(5).permutation(10))


def test_a_share_is_what_it_says_in_decimals():
    for percent in range(1, 100):
        assert [len(part) for part in split(100, [percent / 100], seed=0)] == [100 - percent, percent]
    assert [len(part) for part in split(100, [0.299], seed=0)] == [71, 29]


@pytest.mark.parametrize("num_examples, shares", [(1, [0.5]), (2, [0.1, 0.1]), (10, [0.6, 0.4]), (0, [0.1])])
def test_some_example_is_left_to_train_on(num_examples, shares):
    with pytest.raises(ValueError, match=f"^{num_examples} examples are too few to hold out .* and leave one"):
        split(num_examples, shares, seed=0)


def test_shares_of_each_class():
    """At least one of each class, also of a rare one, as long as one is left to train on."""
    parts = split(53, [0.2, 0.2], seed=0, labels=LABELS)
    assert [np.bincount(LABELS[part])[[0, 1, 7]].tolist() for part in parts] == [[24, 6, 1], [8, 2, 1], [8, 2, 1]]
    assert all(np.all(np.diff(part) > 0) for part in parts)
    assert [len(part) for part in split(2, [0.4, 0.4], seed=0, labels=np.zeros(2, int))] == [2, 0, 0]
    # A class is split the same, whatever other classes there are.
    alone = split(40, [0.2, 0.2], seed=0, labels=LABELS[:40])
    assert all(np.array_equal(one, two[two < 40]) for one, two in zip(alone, parts, strict=True))


def test_labels_for_each_example():
    with pytest.raises(ValueError, match="a label for each of 5 examples; got labels of shape"):
        split(5, [0.2], seed=0, labels=LABELS)
