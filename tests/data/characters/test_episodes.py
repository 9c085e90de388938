import numpy as np
import pytest

from toolkit.data.characters import episodes

LABELS = np.repeat([0, 3, 4, 7, 9, 12], 8)


def test_an_episode_is_a_function_of_seed_and_number():
    how = {"num_ways": 3, "num_shots": 2, "num_queries": 2}
    found = episodes.shots(LABELS, range(20), **how, seed=1)
    alone = episodes.shots(LABELS, range(7, 8), **how, seed=1)
    np.testing.assert_array_equal(found.rows[7], alone.rows[0])
    np.testing.assert_array_equal(found.values[7], alone.values[0])
    other = episodes.shots(LABELS, range(20), **how, seed=2)
    assert (found.rows != other.rows).any(axis=1).all() and len({tuple(row) for row in found.rows}) == 20


def test_shots_are_other_drawings_than_queries():
    found = episodes.shots(LABELS, range(30), num_ways=4, num_shots=3, num_queries=2)
    assert found.num_supports == 12 and found.rows.shape == found.values.shape == (30, 20)
    for rows, values in zip(found.rows, found.values, strict=True):
        assert len(set(rows)) == 20
        pairs = set(zip(LABELS[rows].tolist(), values.tolist(), strict=True))
        assert len(pairs) == 4 and {value for _, value in pairs} == {0, 1, 2, 3}, "a class has one number"
        assert np.bincount(values[:12]).tolist() == [3] * 4 and np.bincount(values[12:]).tolist() == [2] * 4
    assert len({tuple(values) for values in found.values}) > 20, "the order is random"
    chosen = np.concatenate([LABELS[rows] for rows in found.rows])
    assert set(chosen) == set(LABELS)


def test_how_often_a_class_was_seen_before():
    found = episodes.occurrences(LABELS, range(5), num_ways=3, num_each=4)
    assert found.num_supports == 12
    for values, seen in zip(found.values, found.seen, strict=True):
        expected = [list(values[:place]).count(value) for place, value in enumerate(values)]
        assert seen.tolist() == expected and max(seen) == 3


def test_more_than_there_is():
    with pytest.raises(ValueError, match="an episode of 7 classes: there are 6"):
        episodes.shots(LABELS, range(1), num_ways=7, num_shots=1)
    with pytest.raises(ValueError, match="9 drawings of a class in an episode: class 0 has 8"):
        episodes.shots(LABELS, range(1), num_ways=2, num_shots=8)
    with pytest.raises(ValueError, match="an episode of 0 classes"):
        episodes.occurrences(LABELS, range(1), num_ways=0, num_each=1)
