import functools

import numpy as np
import pytest

from toolkit.metrics.character_error_rate import character_error_rate, confusions, edit_distance, error_rates


def by_definition(reference, reading):
    """Levenshtein's recursion, word for word."""

    @functools.cache
    def distance(i, j):
        if not (i and j):
            return i + j
        unlike = reference[i - 1] != reading[j - 1]
        return min(distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + unlike)

    return distance(len(reference), len(reading))


def test_distance_is_that_of_the_definition():
    random = np.random.default_rng(0)
    for _ in range(300):
        one, other = ("".join(random.choice(list("abc"), random.integers(0, 9))) for _ in range(2))
        assert edit_distance(one, other) == by_definition(one, other), (one, other)
        assert sum(confusions([one], [other]).values()) == edit_distance(one, other)


def test_rate_is_bracketed():
    texts = ["the quick", "brown fox", "jumps"]
    assert character_error_rate(texts, texts) == 0.0
    assert character_error_rate(texts, ["", "", ""]) == 100.0
    assert character_error_rate(["ab"], ["abcdef"]) == 200.0
    assert character_error_rate([["a", "b"]], [["a", "c"]]) == 50.0  # words


def test_confusions_name_what_was_there():
    assert confusions(["abc", "abc"], ["xbc", "xb"]) == {("a", "x"): 2, ("c", ""): 1}
    assert confusions(["ac"], ["abc"]) == {("", "b"): 1}


def test_what_cannot_be_compared():
    with pytest.raises(ValueError, match="as many readings"):
        character_error_rate(["a"], [])
    with pytest.raises(ValueError, match="of some characters"):
        character_error_rate([""], ["a"])


def test_error_rates_of_two_readings():
    texts, greedy, beam = ["ab cd", "efgh"], ["ab xd", "efgh"], ["ab cd", "efg"]
    assert error_rates(texts, greedy, beam) == {
        "character_error_rate_percent": pytest.approx(100 / 9),
        "character_error_rate_beam_percent": pytest.approx(100 / 9),
        "word_error_rate_percent": pytest.approx(100 / 3),
    }
    assert set(error_rates(texts, texts, texts).values()) == {0.0}
    assert set(error_rates(texts, ["", ""], ["", ""]).values()) == {100.0}
