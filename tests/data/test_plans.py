import itertools

import numpy as np
import pytest

from toolkit.data.plans import bucketed_plan, grouped_plan, paired_plan, shuffled_plan


def as_lists(batches):
    return [batch.tolist() for batch in batches]


@pytest.mark.parametrize(
    "make",
    [
        shuffled_plan,
        lambda n, *a, **k: bucketed_plan(np.arange(n) % 7, *a, **k),
        lambda n, *a, **k: grouped_plan(np.arange(n) % 3, *a, **k),
        lambda n, *a, **k: paired_plan(n // 3, n - n // 3, *a, **k),
    ],
)
def test_order_is_a_pure_function_of_seed_and_epoch(make):
    plan = make(50, 4, seed=3)
    epochs = [as_lists(plan(epoch)) for epoch in range(4)]
    again = make(50, 4, seed=3)
    assert [as_lists(again(epoch)) for epoch in (3, 1, 2, 0)] == [epochs[epoch] for epoch in (3, 1, 2, 0)]
    other = make(50, 4, seed=4)
    different = [*epochs, *(as_lists(other(epoch)) for epoch in range(4))]
    assert all(one != two for one, two in itertools.combinations(different, 2))


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("num_buckets", [1, 2, 8, 50])
def test_every_epoch_has_each_example_once_and_as_many_batches(num_buckets, shuffle):
    random = np.random.default_rng(0)
    for num_examples, batch_size in [(1, 1), (1, 8), (7, 7), (8, 7), (30, 4), (33, 4), (100, 9), (101, 1), (257, 16)]:
        lengths = random.integers(1, 40, num_examples)
        plan = bucketed_plan(lengths, batch_size, seed=1, num_buckets=num_buckets, shuffle=shuffle)
        for epoch in range(5):
            batches = plan(epoch)
            assert sorted(np.concatenate(batches).tolist()) == list(range(num_examples))
            assert len(batches) == int(np.ceil(num_examples / batch_size))
            sizes = sorted(len(batch) for batch in batches)
            assert sizes[1:] == [batch_size] * (len(batches) - 1) and 0 < sizes[0] <= batch_size


def padding(plan, lengths):
    """The part of an epoch's elements that is padding."""
    batches = [lengths[batch] for batch in plan(0)]
    return 1 - sum(batch.sum() for batch in batches) / sum(batch.max() * len(batch) for batch in batches)


def test_buckets_hold_like_lengths():
    lengths = np.random.default_rng(0).integers(20, 320, 1000)
    buckets, plain = bucketed_plan(lengths, 16, seed=0), shuffled_plan(1000, 16, seed=0)
    assert padding(plain, lengths) > 0.4
    assert padding(buckets, lengths) < 0.12
    # By rank, a batch lies within an eighth of the examples, a whole batch more at most.
    ranks = np.argsort(np.argsort(lengths, kind="stable"))
    assert max(np.ptp(ranks[batch]) for batch in buckets(5)) <= 1000 / 8 + 16
    # Who meets whom changes from epoch to epoch, and long batches come among short ones.
    assert {frozenset(batch) for batch in as_lists(buckets(0))}.isdisjoint(map(frozenset, as_lists(buckets(1))))
    means = np.array([lengths[batch].mean() for batch in buckets(0)])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.4


def test_unshuffled_order_is_the_given_one():
    assert as_lists(shuffled_plan(5, 2, seed=0, shuffle=False)(9)) == [[0, 1], [2, 3], [4]]
    plan = bucketed_plan(np.array([9, 1, 8, 2, 7]), 2, seed=0, shuffle=False, num_buckets=2)
    assert as_lists(plan(0)) == as_lists(plan(1)) == [[1, 3], [0, 2], [4]]


@pytest.mark.parametrize("sizes", [{"batch_size": 0}, {"batch_size": -2}, {"batch_size": 2, "num_buckets": 0}])
def test_sizes_are_at_least_one(sizes):
    with pytest.raises(ValueError, match="batch_size and num_buckets must be at least 1; got"):
        bucketed_plan(np.ones(5), seed=0, **sizes)


@pytest.mark.parametrize("shuffle", [True, False])
def test_a_batch_is_of_one_size(shuffle):
    sizes = np.random.default_rng(0).integers(8, 11, (100, 2))
    plan = grouped_plan(sizes, 7, seed=0, shuffle=shuffle)
    counts = np.unique(sizes, axis=0, return_counts=True)[1]
    for epoch in range(3):
        batches = plan(epoch)
        assert sorted(np.concatenate(batches).tolist()) == list(range(100))
        assert len(batches) == np.ceil(counts / 7).sum()
        assert all(len(np.unique(sizes[batch], axis=0)) == 1 for batch in batches)
    assert as_lists(grouped_plan(["b", "a", "b"], 2, seed=0, shuffle=False)(1)) == [[1], [0, 2]]
    assert grouped_plan([], 2, seed=0)(0) == []
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        grouped_plan(sizes, 0, seed=0)


@pytest.mark.parametrize(("num_first", "num_second", "batch_size"), [(3, 20, 4), (20, 3, 6), (1, 1, 8), (5, 40, 10)])
def test_pairs_are_in_turn_of_both_kinds(num_first, num_second, batch_size):
    plan = paired_plan(num_first, num_second, batch_size, seed=0)
    for epoch in range(3):
        batches = plan(epoch)
        assert {len(batch) for batch in batches} == {batch_size}
        first, second = (np.concatenate([batch[start::2] for batch in batches]) for start in (0, 1))
        assert first.min() >= 0 and first.max() < num_first <= second.min() and second.max() < num_first + num_second
        for found, number in ((first, num_first), (second - num_first, num_second)):
            counts = np.bincount(found, minlength=number)
            assert counts.max() - counts.min() <= 1 and counts.sum() == len(batches) * batch_size // 2
    with pytest.raises(ValueError, match="an even batch_size; got 3 and 20 examples and batch_size=5"):
        paired_plan(3, 20, 5, seed=0)
    with pytest.raises(ValueError, match="one example of each kind at least"):
        paired_plan(0, 20, 4, seed=0)
