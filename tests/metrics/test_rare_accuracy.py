import numpy as np
import pytest

from toolkit.metrics.rare_accuracy import rare_accuracy


def test_perfect_and_wrong_everywhere():
    counts = np.arange(-1, 40)
    names = {"unseen", "seen_1_to_3", "seen_4_to_15", "seen_16_or_more"}
    assert rare_accuracy(np.ones(41), counts) == dict.fromkeys(names, 100.0)
    assert rare_accuracy(np.zeros(41), counts) == dict.fromkeys(names, 0.0)


def test_who_knows_the_frequent_only():
    random = np.random.default_rng(0)
    counts = random.integers(-1, 30, (50, 7))
    found = rare_accuracy(counts >= 10, counts, edges=(0, 10, 20))
    assert found == {"seen_0_to_9": 0.0, "seen_10_to_19": 100.0, "seen_20_or_more": 100.0}
    half = rare_accuracy([[True, False, True]], [[2, 3, -1]])
    assert half == {"seen_1_to_3": 50.0}


def test_a_count_for_each():
    with pytest.raises(ValueError, match=r"got \(2,\) and \(3,\)"):
        rare_accuracy([True, False], [1, 2, 3])
