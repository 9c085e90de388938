"""Functions on batches, and the seeds of examples that they are given."""

import numpy as np
import pytest
import tensorflow as tf

from toolkit.data.mapping import mapped
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan


def numbers(num_examples=10, batch_size=3, **options):
    """Batches whose examples are their own indices."""
    plan = shuffled_plan(num_examples, batch_size, seed=0, **options)
    return Batches(lambda indices: indices, plan, tf.TensorSpec([None], tf.int64), num_examples=num_examples)


def test_a_function_of_other_arguments_is_named_before_it_is_traced():
    def noisy(number, seeds):
        return number

    with pytest.raises(
        ValueError, match=r"noisy\(number, seeds\) is called with 1 arguments, with map.*seed=\) one more"
    ):
        numbers().map(noisy).peek()
    with pytest.raises(ValueError, match="is called with 2 arguments, the last one the examples' seeds"):
        numbers().map(lambda number: number, seed=0).peek()
    assert numbers().map(noisy, seed=0).peek().tolist() == numbers().peek().tolist()


def test_functions_with_and_without_a_seed_follow_one_another():
    made = numbers(4, 2, shuffle=False).map(lambda i: i + 1).map(lambda i, s: {"i": i, "s": s}, seed=0)
    made = made.map(lambda d: (d["i"], d["s"])).map(lambda i, s, again: (i, s, again - s), seed=0).map(lambda *d: d)
    assert [each.tolist() for each in made.peek()] == [[1, 2], [0, 1], [0, 0]]
    assert [each.tolist() for each in next(made.dataset(2).as_numpy_iterator())] == [[1, 2], [4, 5], [0, 0]]


def test_each_seed_moves_the_numbers_by_its_place_in_weyls_sequence():
    batch, numbers = tf.constant([1.5, 2.5]), tf.constant([3, 2**40], tf.int64)
    seeds = [0, 1, 7]
    dataset = tf.data.Dataset.from_tensors((batch, numbers))
    functions = [(lambda *given: given, seed) for seed in seeds]
    [(same, *found)] = mapped(dataset, functions, num_parallel_calls=1).as_numpy_iterator()
    np.testing.assert_array_equal(same, batch)
    for seed, its in zip(seeds, found, strict=True):
        expected = [(number + seed * 0x9E3779B97F4A7C15) % 2**64 for number in (3, 2**40)]
        assert [int(each) % 2**64 for each in its] == expected
    [alone] = mapped(tf.data.Dataset.from_tensors(batch), [(lambda values: 2 * values, None)]).as_numpy_iterator()
    np.testing.assert_array_equal(alone, [3, 5])
