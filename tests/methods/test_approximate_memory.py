"""Beside the exact search; what needs faiss is skipped without it."""

import importlib.util
import sys

import numpy as np
import pytest

from toolkit.layers import memory_state
from toolkit.methods.approximate_memory import ApproximateMemory

needs_faiss = pytest.mark.skipif(importlib.util.find_spec("faiss") is None, reason="faiss is not installed")


def memory(seed=0, slots=3000, size=16):
    """Keys around 40 centres, every seventh slot empty; and queries near to keys."""
    random = np.random.default_rng(seed)
    keys = random.standard_normal((40, size))[random.integers(0, 40, slots)] + random.standard_normal((slots, size)) / 3
    keys = np.asarray(memory_state.unit(keys))
    values = random.integers(0, 500, slots).astype("int32")
    values[::7] = -1
    used = random.choice(np.flatnonzero(values >= 0), 200)
    return keys, values, 2 * keys[used] + 0.2 * random.standard_normal((200, size)).astype("float32")


@needs_faiss
def test_with_all_lists_it_is_the_exact_search():
    keys, values, queries = memory()
    ours = ApproximateMemory(keys, values, num_probes=10**6)
    assert ours.num_lists == round(2 * np.sum(values >= 0) ** 0.5) and ours.recall(queries, 5) == 1.0
    expected = memory_state.recalled(keys, values, queries)
    found = ours.recalled(queries)
    np.testing.assert_array_equal(found["slot"], expected["slot"])
    np.testing.assert_array_equal(found["value"], expected["value"])
    np.testing.assert_allclose(found["confidence"], expected["confidence"], atol=1e-5)
    assert not np.any(values[found["slot"]] < 0)


@needs_faiss
def test_fewer_lists_cost_recall_and_recall_tells_the_truth():
    keys, values, queries = memory()
    ours = ApproximateMemory(keys, values, num_probes=1)
    found = {}
    similarity = np.where(values >= 0, queries @ keys.T, -np.inf)
    for ours.num_probes in (1, 2, 8):
        found[ours.num_probes] = ours.recall(queries)
        right = ours.nearest(queries, 1)[1][:, 0] == similarity.argmax(axis=1)
        assert found[ours.num_probes] == pytest.approx(np.mean(right))
    assert 0.3 < found[1] < found[2] < found[8] and found[8] > 0.95
    few = ours.recalled(queries)
    assert np.mean(few["value"] == values[similarity.argmax(axis=1)]) > 0.95


@needs_faiss
def test_what_the_memory_learns_is_taken_over():
    keys, values, queries = memory()
    ours = ApproximateMemory(keys, values, num_probes=10**6)
    ages = np.arange(len(keys), dtype="int32")
    # A key that moves, one that is written to an empty slot, one that takes another's place, one that only has a new
    # value, one that is forgotten.
    after = memory_state.remembered(
        keys, values, ages, queries[:4], np.array([900, 901, 902, 903]), np.zeros(len(keys))
    )
    after_keys, after_values = np.array(after[0]), np.array(after[1])
    used = np.flatnonzero(after_values >= 0)[30:33]
    after_keys[used[0]], after_values[used[1]], after_values[used[2]] = -after_keys[used[0]], 77, -1
    assert ours.update(after_keys, after_values) == 7
    expected = memory_state.recalled(after_keys, after_values, queries)
    for name, each in ours.recalled(queries).items():
        np.testing.assert_allclose(each, expected[name], atol=1e-5, err_msg=name)
    assert ours.update(after_keys, after_values) == 0


@needs_faiss
def test_lists_that_hold_nothing_near_say_so():
    keys, values = np.eye(3, dtype="float32"), np.array([5, 6, 7], "int32")
    found = ApproximateMemory(keys, values, num_lists=3, num_probes=1).recalled(np.array([[1.0, 0.1, 0.0]]))
    assert found["value"] == 5 and found["slot"] == 0 and found["confidence"] > 0.9


@needs_faiss
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"values": np.full(8, -1)}, "The memory is empty"),
        ({"values": np.zeros(7)}, r"got shapes \(8, 2\) and \(7,\)"),
        ({"num_probes": 0}, "must be at least 1"),
        ({"margin": 0.0}, "margin over 0"),
    ],
)
def test_what_cannot_be_searched(change, message):
    with pytest.raises(ValueError, match=message):
        ApproximateMemory(**({"keys": np.ones((8, 2)), "values": np.zeros(8)} | change))


@needs_faiss
def test_an_update_of_another_size():
    with pytest.raises(ValueError, match=r"as at first; got \(5, 2\) and \(5,\)"):
        ApproximateMemory(np.ones((8, 2)), np.zeros(8)).update(np.ones((5, 2)), np.zeros(5))


@needs_faiss
def test_queries_of_another_size_are_refused():
    keys, values, queries = memory()
    ours = ApproximateMemory(keys, values)
    for call in (ours.recalled, ours.recall, lambda wrong: ours.nearest(wrong, 1)):
        with pytest.raises(ValueError, match=r"expected queries \(batch, ..., 16\), of the keys' size; got shape"):
            call(queries[:, :8])


def test_without_faiss_it_says_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ValueError, match=r"-m pip install 'faiss-cpu>=1.9'"):
        ApproximateMemory(np.ones((8, 2)), np.zeros(8))
