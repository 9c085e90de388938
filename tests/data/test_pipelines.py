import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.data.pipelines import Batches, Splits, bucketed_plan, shuffled_plan

NUMBER = tf.TensorSpec([None], tf.int64)


def numbers(num_examples=10, batch_size=3, seed=0, **options):
    """Batches whose examples are their own indices."""
    plan = shuffled_plan(num_examples, batch_size, seed=seed, **options)
    return Batches(lambda indices: indices, plan, NUMBER, num_examples=num_examples)


def listed(dataset):
    return [batch.tolist() for batch in dataset.as_numpy_iterator()]


def as_lists(batches):
    return [batch.tolist() for batch in batches]


@pytest.mark.parametrize("make", [shuffled_plan, lambda n, *a, **k: bucketed_plan(np.arange(n) % 7, *a, **k)])
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


def test_resuming_at_any_step_is_the_tail_of_the_whole():
    batches = numbers().map(lambda i: i * 2)
    plan = shuffled_plan(10, 3, seed=0)
    whole = [[2 * i for i in batch] for epoch in range(3) for batch in as_lists(plan(epoch))]
    assert listed(batches.dataset(num_epochs=3)) == whole and len(whole) == 3 * batches.steps_per_epoch
    for step in range(len(whole) + 2):
        assert listed(batches.dataset(start_step=step, num_epochs=3)) == whole[step:]
        if step % 3 == 0:
            endless = batches.dataset(start_step=step).take(5)
            assert listed(endless)[: len(whole) - step] == whole[step : step + 5]


def test_a_far_step_is_found_without_reading_what_comes_before():
    reads, epochs = [], []
    random_plan = shuffled_plan(10, 3, seed=0)

    def read(indices):
        reads.append(indices)
        return indices

    def plan(epoch):
        epochs.append(epoch)
        return random_plan(epoch)

    batches = Batches(read, plan, NUMBER, num_examples=10)
    first = next(batches.dataset(start_step=1_000_001).as_numpy_iterator())
    assert first.tolist() == random_plan(250_000)[1].tolist()
    assert len(reads) < 20 and set(epochs[1:]) <= set(range(250_000, 250_005)), "only what is prefetched"


def test_map_in_order_and_without_touching_the_original():
    batches = numbers(4, 2, shuffle=False)
    pairs = batches.map(lambda i: (i, i + 10))
    assert [
        (x.tolist(), y.tolist())
        for x, y in pairs.map(lambda x, y: (y, x - y)).dataset(num_epochs=1).as_numpy_iterator()
    ] == [([10, 11], [-10, -10]), ([12, 13], [-10, -10])]
    named = batches.map(lambda i: {"whole": i}).map(lambda example: {"half": example["whole"] / 2})
    assert named.peek()["half"].tolist() == [0.0, 0.5]
    assert batches.peek().tolist() == [0, 1]
    assert pairs.num_examples == 4 and pairs.steps_per_epoch == 2


def test_take_is_the_first_batches_of_each_epoch():
    plan = shuffled_plan(10, 3, seed=0)
    for taken in (numbers().take(2).map(lambda i: -i), numbers().map(lambda i: -i).take(2)):
        expected = [[-i for i in batch] for epoch in range(3) for batch in as_lists(plan(epoch)[:2])]
        assert taken.steps_per_epoch == 2
        assert listed(taken.dataset(num_epochs=3)) == expected
        assert listed(taken.dataset(start_step=3, num_epochs=3)) == expected[3:]
    assert numbers().take(99).steps_per_epoch == 4


def test_spread_is_single_examples_from_end_to_end():
    first = [i for batch in as_lists(shuffled_plan(10, 3, seed=0)(0)) for i in batch]
    spread = numbers().map(lambda i: -i).spread(4)
    assert spread.steps_per_epoch == 4
    assert listed(spread.dataset(num_epochs=1)) == [[-first[index]] for index in (0, 3, 6, 9)]
    assert [batch[0] for batch in listed(numbers().spread(99).dataset(num_epochs=1))] == first


def test_peek_is_the_first_batch():
    batches = numbers(seed=5)
    assert batches.peek().tolist() == batches.peek().tolist() == shuffled_plan(10, 3, seed=5)(0)[0].tolist()


def test_cardinality():
    batches = numbers()
    for start, num_epochs, left in [(0, 1, 4), (3, 2, 5), (8, 2, 0), (9, 2, 0), (0, 0, 0)]:
        dataset = batches.dataset(start_step=start, num_epochs=num_epochs)
        assert dataset.cardinality() == left == len(listed(dataset))
    assert batches.dataset().cardinality() == batches.dataset(7).cardinality() == tf.data.INFINITE_CARDINALITY


def test_nested_batches_keep_names_shapes_and_types():
    signature = {"z": tf.TensorSpec([None, None], tf.bool), "a": (tf.TensorSpec([None, 2], tf.float32), NUMBER)}

    def read(indices):
        return {
            "a": (np.ones([len(indices), 2], "float32"), indices),
            "z": np.zeros([len(indices), indices[0] + 1], bool),
        }

    batches = Batches(read, shuffled_plan(5, 2, seed=0, shuffle=False), signature, num_examples=5)
    assert batches.dataset().element_spec == signature
    first, second, last = batches.dataset(num_epochs=1).as_numpy_iterator()
    assert [batch["z"].shape for batch in (first, second, last)] == [(2, 1), (2, 3), (1, 5)]
    assert last["a"][1].tolist() == [4] and last["a"][0].dtype == np.float32


def test_no_examples():
    with pytest.raises(ValueError, match="is empty"):
        numbers(0)


class Steps(keras.callbacks.Callback):
    """Counts steps."""

    def on_train_begin(self, logs=None):
        self.count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def test_in_fit():
    batches = numbers(10, 4).map(lambda i: (tf.zeros([tf.size(i), 1]), tf.cast(i, tf.float32)[:, None]))
    model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.optimizer.learning_rate = 0.0  # the prediction stays zero, so the loss is the mean square of the targets
    steps = Steps()
    expected = np.mean(np.arange(10.0) ** 2)
    one = batches.dataset(num_epochs=1)
    history = model.fit(one, epochs=2, validation_data=one, shuffle=False, verbose=0, callbacks=[steps]).history
    assert steps.count == 6
    np.testing.assert_allclose([history["loss"], history["val_loss"]], expected, rtol=1e-5)
    history = model.fit(
        batches.dataset(start_step=3), epochs=3, steps_per_epoch=3, shuffle=False, verbose=0, callbacks=[steps]
    ).history
    assert steps.count == 9
    np.testing.assert_allclose(history["loss"], expected, rtol=1e-5)


def test_splits_map_each_part():
    splits = Splits(numbers(4), numbers(5), numbers(6)).map(lambda i: i + 1)
    for part, num_examples in [(splits.train, 4), (splits.validation, 5), (splits.test, 6)]:
        assert sorted(sum(listed(part.dataset(num_epochs=1)), [])) == list(range(1, num_examples + 1))


@pytest.mark.parametrize("num_shards", [2, 3])
def test_shards_share_each_batch_out_and_none_is_read_twice(num_shards):
    plan = bucketed_plan(np.arange(23) % 7, 5, seed=1)
    whole = Batches(lambda i: np.asarray(i), plan, tf.TensorSpec([None], tf.int64), num_examples=23).at_least(
        num_shards
    )
    shards = [whole.shard(num_shards, [index]).dataset(num_epochs=2) for index in range(num_shards)]
    merged = [np.concatenate(parts).tolist() for parts in zip(*(s.as_numpy_iterator() for s in shards), strict=True)]
    assert merged == [batch.tolist() for batch in whole.dataset(num_epochs=2).as_numpy_iterator()]
    both = whole.shard(num_shards, range(num_shards))
    assert both.steps_per_epoch == num_shards * whole.steps_per_epoch
    flat = [i for batch in both.dataset(num_epochs=1).as_numpy_iterator() for i in batch]
    assert sorted(flat) == sorted(i for batch in whole.dataset(num_epochs=1).as_numpy_iterator() for i in batch)


def test_a_batch_too_small_to_share():
    whole = Batches(
        lambda i: np.asarray(i), shuffled_plan(11, 5, seed=0), tf.TensorSpec([None], tf.int64), num_examples=11
    )
    with pytest.raises(ValueError, match="A batch of 1 examples cannot be cut in 2 parts"):
        whole.shard(2, [0])
    assert whole.at_least(2).steps_per_epoch == 2
