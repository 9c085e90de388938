"""Against the rule written out in plain Python, query by query, and NumPy's sort of all similarities."""

import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers import memory_state

SLOTS, SIZE = 12, 5


def vectors(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def arrays(state):
    return [np.asarray(each) for each in state]


def a_memory(seed=0, used=SLOTS):
    """Keys of length 1, values below 4, ages; the slots from `used` on are empty."""
    random = np.random.default_rng(seed)
    keys = vectors(seed, SLOTS, SIZE)
    keys /= np.linalg.norm(keys, axis=1, keepdims=True)
    values = random.integers(0, 4, SLOTS).astype("int32")
    keys[used:], values[used:] = 0, -1
    return keys, values, random.permutation(100)[:SLOTS].astype("int32")


def by_the_rule(keys, values, ages, query, label, noise):
    """One query, as section 2 of the paper says it."""
    keys, values, ages, query = keys.astype("float64"), values.copy(), ages.copy(), query / np.linalg.norm(query)
    used = [slot for slot in range(len(values)) if values[slot] >= 0]
    nearest = max(used, key=lambda slot: keys[slot] @ query, default=None)
    if nearest is not None and values[nearest] == label:
        slot, key = nearest, (keys[nearest] + query) / np.linalg.norm(keys[nearest] + query)
    else:
        free = [slot for slot in range(len(values)) if values[slot] < 0]
        slot, key = free[0] if free else int(np.argmax(ages + noise)), query
    ages += 1
    keys[slot], values[slot], ages[slot] = key, label, 0
    return keys, values, ages


@pytest.mark.parametrize("used", [0, 7, SLOTS])
def test_one_query_after_the_other_is_by_the_papers_rule(used):
    random = np.random.default_rng(1)
    ours = theirs = a_memory(used=used)
    for step in range(40):
        query, label = vectors(step, SIZE), int(random.integers(0, 4))
        noise = random.uniform(-8, 8, SLOTS).astype("float32")
        ours = arrays(memory_state.remembered(*ours, query[None], np.array([label]), noise))
        theirs = by_the_rule(*theirs, query, label, noise)
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-5)
        for one, other in zip(ours[1:], theirs[1:], strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_allclose(np.linalg.norm(ours[0], axis=1), 1.0, atol=1e-6)


def test_queries_of_a_batch_share_a_key_and_never_a_slot():
    keys, values, ages = a_memory()
    ages[3], values[3] = 1000, 2  # the oldest, and the nearest of the first two queries
    queries = np.stack([3 * keys[3], keys[3] + 0.01, *vectors(7, 4, SIZE), keys[5]]).astype("float32")
    labels = np.array([2, 2, 77, 77, 78, -1, -1])
    found = arrays(memory_state.remembered(keys, values, ages, queries, labels, np.zeros(SLOTS, "float32")))
    units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    together = keys[3] + units[0] + units[1]
    np.testing.assert_allclose(found[0][3], together / np.linalg.norm(together), atol=1e-6)
    oldest = np.argsort(-ages)[1:4]  # but for slot 3, which was just met
    np.testing.assert_allclose(found[0][oldest], units[2:5], atol=1e-6)
    np.testing.assert_array_equal(found[1][oldest], [77, 77, 78])
    expected = ages + 1
    expected[[3, *oldest]] = 0
    np.testing.assert_array_equal(found[2], expected)
    left = np.setdiff1d(np.arange(SLOTS), [3, *oldest])
    np.testing.assert_array_equal(found[0][left], keys[left])  # not slot 5's either: its query has no label
    np.testing.assert_array_equal(found[1][left], values[left])


def test_noise_decides_among_slots_of_like_age():
    keys, values, _ = a_memory()
    noise, query = np.zeros(SLOTS, "float32"), vectors(1, 1, SIZE)
    noise[7] = 8
    for ages, slot in ((np.full(SLOTS, 9, "int32"), 7), (np.arange(0, 20 * SLOTS, 20, dtype="int32"), SLOTS - 1)):
        _, found, _ = arrays(memory_state.remembered(keys, values, ages, query, np.array([50]), noise))
        assert found[slot] == 50 and np.sum(found == 50) == 1


def test_what_was_seen_once_is_recalled_after_5000_other_writes():
    """By the paper's claim of a long life: more slots than there are classes, and each class seen again and again."""
    random = np.random.default_rng(0)
    centres = vectors(0, 60, 32)
    state = arrays(memory_state.empty(100, 32))
    remember = tf.function(memory_state.remembered)
    rare = vectors(99, 1, 32)
    state = remember(*state, rare, np.array([1234]), np.zeros(100, "float32"))
    for _ in range(250):
        labels = random.integers(0, 60, 20)
        queries = centres[labels] + 0.3 * random.standard_normal((20, 32)).astype("float32")
        state = remember(*state, queries, labels, random.uniform(-8, 8, 100).astype("float32"))
    found = memory_state.recalled(*state[:2], rare + 0.1 * vectors(5, 1, 32))
    assert found["value"] == 1234 and found["confidence"] > 0.9
    assert state[2][int(found["slot"][0])] == 250


def test_recalled_is_the_softmax_over_the_neighbours():
    keys, values, _ = a_memory(used=9)
    queries = vectors(3, 20, SIZE)
    similarity = queries @ keys[:9].T / np.linalg.norm(queries, axis=1, keepdims=True)
    for number, temperature in ((9, np.log(1.8) / 0.1), (256, np.log(0.2 * SLOTS) / 0.1), (4, 1.0)):
        found = {name: np.asarray(each) for name, each in memory_state.recalled(keys, values, queries, number).items()}
        order = np.argsort(-similarity, axis=1)[:, :number]
        near = np.take_along_axis(similarity, order, axis=1)
        weights = np.exp(temperature * near) / np.exp(temperature * near).sum(axis=1, keepdims=True)
        np.testing.assert_array_equal(found["slot"], order[:, 0])
        np.testing.assert_array_equal(found["value"], values[order[:, 0]])
        same = values[order] == found["value"][:, None]
        # The empty slots of a memory smaller than `number` weigh next to nothing.
        np.testing.assert_allclose(found["confidence"], (same * weights).sum(axis=1), atol=0.02 if number > 9 else 1e-5)


def test_an_empty_memory_has_no_class_zero():
    found = memory_state.recalled(*memory_state.empty(6, SIZE)[:2], vectors(0, 3, SIZE))
    assert np.all(found["value"] == -1) and not np.any(found["confidence"])
    keys, values, ages = arrays(
        memory_state.remembered(*memory_state.empty(6, SIZE), -vectors(0, 1, SIZE), np.array([4]), np.zeros(6))
    )
    # Empty slots' keys of zero are nearer to this query than the one key that there is.
    found = memory_state.recalled(keys, values, vectors(0, 1, SIZE))
    assert found["value"] == 4 and found["confidence"] > 0


@pytest.mark.parametrize(("block", "number"), [(2**16, 1), (2**16, 2), (2**16, 50), (600, 300), (37, 2), (37, 50)])
def test_neighbours_are_those_of_a_full_sort(block, number, monkeypatch):
    monkeypatch.setattr(memory_state, "_BLOCK", block)
    random = np.random.default_rng(0)
    keys, values = vectors(0, 1501, 8), random.integers(-1, 3, 1501).astype("int32")
    queries = vectors(1, 6, 8)
    everything = np.where(values >= 0, queries @ keys.T, -2)
    found, slots = memory_state.neighbors(keys, values, queries, number)
    expected = -np.sort(-everything, axis=1)[:, :number]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        np.take_along_axis(everything, np.asarray(slots), axis=1), expected, rtol=1e-5, atol=1e-6
    )
    assert all(len(set(row)) == number for row in np.asarray(slots))


def test_newest_is_the_slot_of_the_label_used_last():
    _, values, ages = a_memory()
    for label in range(4):
        slots = np.flatnonzero(values == label)
        assert memory_state.newest(values, ages, np.array([label]))[0] == slots[np.argmin(ages[slots])]


def test_unit_vectors():
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [1e-3, 0.0]], "float16")
    np.testing.assert_allclose(memory_state.unit(rows), [[0.6, 0.8], [0, 0], [1, 0]], atol=1e-6)
    assert memory_state.unit(rows).dtype == "float32"
