import collections

import numpy as np
import pytest

from toolkit.metrics.many_to_one_accuracy import many_to_one, many_to_one_accuracy


def brute_force(codes, labels, test_codes, test_labels):
    """By a table of counts and a loop."""
    counts = collections.defaultdict(collections.Counter)
    for code, label in zip(codes, labels, strict=True):
        counts[code][label] += 1

    def best(counter):
        return min(counter, key=lambda label: (-counter[label], label))

    common = best(collections.Counter(labels))
    told = [best(counts[code]) if code in counts else common for code in test_codes]
    right = np.mean([a == b for a, b in zip(told, test_labels, strict=True)])
    return 100 * right, 100 * np.mean([common == label for label in test_labels])


@pytest.mark.parametrize("seed", range(5))
def test_is_the_brute_force(seed):
    random = np.random.default_rng(seed)
    labels, test_labels = random.choice(5, 300, p=[0.4, 0.3, 0.1, 0.1, 0.1]), random.integers(0, 6, 100)
    # Some codes occur in the test alone, most are noisy, and ties are frequent.
    codes = 10 * labels + random.integers(0, 25, 300)
    test_codes = 10 * test_labels + random.integers(0, 25, 100)
    found = many_to_one_accuracy(codes, labels, test_codes, test_labels)
    expected = brute_force(codes.tolist(), labels.tolist(), test_codes.tolist(), test_labels.tolist())
    np.testing.assert_allclose([found["accuracy_percent"], found["chance_percent"]], expected)


def test_perfect_constant_and_cheat():
    random = np.random.default_rng(0)
    labels, test_labels = random.choice(4, (2, 2000), p=[0.55, 0.15, 0.15, 0.15])
    perfect = many_to_one_accuracy(100 - labels, labels, 100 - test_labels, test_labels)
    constant = many_to_one_accuracy(labels * 0, labels, test_labels * 0, test_labels)
    # A code of its own for each example knows all that it was found on, and nothing beyond.
    own = np.arange(2000)
    cheat = many_to_one_accuracy(own, labels, own + 2000, test_labels)
    assert many_to_one_accuracy(own, labels, own, labels)["accuracy_percent"] == 100
    assert perfect["accuracy_percent"] == 100
    for found in (constant, cheat):
        assert found["accuracy_percent"] == found["chance_percent"] == 100 * np.mean(test_labels == 0)


def test_several_codes_a_label():
    random = np.random.default_rng(1)
    labels, codes = random.integers(0, 3, (4, 10)), random.integers(0, 8, (4, 10, 6))
    found = many_to_one_accuracy(codes[:2], labels[:2], codes[2:], labels[2:])
    flat = codes.reshape(2, -1).tolist(), labels.repeat(6).reshape(2, -1).tolist()
    expected = brute_force(flat[0][0], flat[1][0], flat[0][1], flat[1][1])
    np.testing.assert_allclose([found["accuracy_percent"], found["chance_percent"]], expected)
    assert many_to_one(codes, labels)(codes).shape == codes.shape


@pytest.mark.parametrize(
    ("codes", "labels", "says"),
    [
        ([1, 2, 3], [1, 2], r"got labels \(2,\) and codes \(3,\)"),
        ([1, 2], [[1], [2]], "expected a label for each code"),
        ([], [], "codes: expected integers; got float64"),
        (np.zeros(0, int), np.zeros(0, int), "expected a label for each code"),
        ([0.5], [1], "codes: expected integers"),
        ([1], ["a"], "labels: expected integers"),
    ],
)
def test_what_does_not_go_together_is_refused(codes, labels, says):
    with pytest.raises(ValueError, match=says):
        many_to_one(codes, labels)
    with pytest.raises(ValueError, match=says):
        many_to_one_accuracy([1], [1], codes, labels)
