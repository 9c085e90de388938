import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import bucketed_plan, grouped_plan, shuffled_plan

NUMBER = tf.TensorSpec([None], tf.int64)


def numbers(num_examples=10, batch_size=3, seed=0, **options):
    """Batches whose examples are their own indices."""
    plan = shuffled_plan(num_examples, batch_size, seed=seed, **options)
    return Batches(lambda indices: indices, plan, NUMBER, num_examples=num_examples)


def listed(dataset):
    return [batch.tolist() for batch in dataset.as_numpy_iterator()]


def as_lists(batches):
    return [batch.tolist() for batch in batches]


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


def test_examples_are_counted_as_they_are_left():
    for part, num_examples in (
        (numbers(), 10),
        (numbers().take(1), 3),
        (numbers().take(99), 10),
        (numbers().map(lambda i: -i).take(2), 6),
        (numbers().at_least(3), 9),
        (numbers().spread(4), 4),
        (numbers(9).shard(3, [0, 2]), 6),
        (numbers().take(2).spread(5), 5),
        (numbers().subset(np.array([4, 2]), shuffled_plan(2, 1, seed=0)).take(1), 1),
    ):
        assert part.num_examples == num_examples == sum(map(len, listed(part.dataset(num_epochs=1))))
    assert numbers().take(1).contents == numbers().contents, "which are the whole's, whatever is taken"
    for none in (0, -1):
        with pytest.raises(ValueError, match=f"take: expected 1 batch or more; got {none}"):
            numbers().take(none)
        with pytest.raises(ValueError, match=f"spread: expected 1 example or more; got {none}"):
            numbers().spread(none)


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


def test_a_seed_for_each_example_is_a_pure_function_of_seed_epoch_and_example():
    def seen(batches, start=0, epochs=3):
        """By epoch and example, the seed it was given."""
        steps = enumerate(batches.dataset(start, num_epochs=epochs).as_numpy_iterator(), start)
        return {
            (step // batches.steps_per_epoch, i): s
            for step, (indices, seeds) in steps
            for i, s in zip(indices.tolist(), seeds.tolist(), strict=True)
        }

    def pairs(batches, seed):
        return batches.map(lambda i: (i, i)).map(lambda i, same, seeds: (same, seeds), seed=seed)

    whole = seen(pairs(numbers(), seed=5))
    assert len(set(whole.values())) == len(whole) == 30
    assert not set(whole.values()) & set(seen(pairs(numbers(), seed=6)).values())
    assert seen(pairs(numbers(), seed=0)) == {(epoch, i): 10 * epoch + i for epoch, i in whole}
    # Other batches, only parts of them, a resume: the seeds stay.
    assert seen(pairs(numbers(batch_size=4, seed=9), seed=5)) == whole
    for part in (seen(pairs(numbers(batch_size=4), seed=5).shard(2, [1])), seen(pairs(numbers(), seed=5), start=6)):
        assert part and part.items() < whole.items()
    pool = np.array([7, 2, 3])
    chosen = seen(pairs(numbers(), seed=5).subset(pool, shuffled_plan(3, 2, seed=1)))
    assert chosen == {(epoch, i): s for (epoch, i), s in whole.items() if i in pool}


def test_a_subset_has_a_plan_a_fingerprint_and_a_resume_of_its_own():
    batches, pool = numbers().map(lambda i: -i), np.array([9, 1, 4, 6, 0])
    plan = shuffled_plan(5, 2, seed=2)
    chosen = batches.subset(pool, plan)
    expected = [(-pool[batch]).tolist() for epoch in range(3) for batch in plan(epoch)]
    assert (chosen.num_examples, chosen.steps_per_epoch) == (5, 3)
    assert listed(chosen.dataset(num_epochs=3)) == expected
    assert listed(chosen.dataset(start_step=4, num_epochs=3)) == expected[4:]
    assert (
        len(
            {batches.fingerprint, chosen.fingerprint, batches.subset(pool[1:], shuffled_plan(4, 2, seed=2)).fingerprint}
        )
        == 3
    )
    assert chosen.fingerprint == batches.take(2).subset(pool, plan).fingerprint
    assert listed(chosen.take(1).dataset(num_epochs=1)) == expected[:1]
    # A subset of a subset is one of the whole's examples too.
    assert chosen.subset(np.array([9]), shuffled_plan(1, 2, seed=0)).peek().tolist() == [-9]
    for wrong in ([0, 10], [-1], [1, 1], [[1]]):
        with pytest.raises(ValueError, match="indices: expected"):
            batches.subset(np.array(wrong), shuffled_plan(len(wrong), 2, seed=0))
    with pytest.raises(ValueError, match="is empty"):
        batches.subset(np.array([], int), shuffled_plan(0, 2, seed=0))


def test_batches_of_one_size_can_be_stacked():
    shapes = np.array([[2, 3], [3, 2], [2, 3], [2, 3], [3, 2]])
    images = [np.full(shape, number) for number, shape in enumerate(shapes)]
    batches = Batches(
        lambda indices: np.stack([images[i] for i in indices]),
        grouped_plan(shapes, 2, seed=0),
        tf.TensorSpec([None, None, None], tf.int64),
        num_examples=5,
    )
    assert sorted(batch.shape for batch in batches.dataset(num_epochs=1).as_numpy_iterator()) == [
        (1, 2, 3), (2, 2, 3), (2, 3, 2),
    ]  # fmt: skip


def test_an_epoch_as_arrays():
    numbers = np.arange(10.0, dtype="float32")
    signature = (tf.TensorSpec([None], tf.float32), {"twice": tf.TensorSpec([None], tf.float32)})
    plan = shuffled_plan(10, batch_size=4, seed=0, shuffle=False)
    batches = Batches(lambda i: (numbers[i], {"twice": 2 * numbers[i]}), plan, signature, num_examples=10)
    once, named = batches.arrays()
    np.testing.assert_array_equal(once, numbers)
    np.testing.assert_array_equal(named["twice"], 2 * numbers)
