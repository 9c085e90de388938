import collections
import re

import numpy as np
import pytest

from toolkit.data.classified.bag_of_words import bags

TRAIN = ["The cat sat on the mat.", "A cat, a DOG!", "dogs and cats: 42 of them", "x y z", "the end"]
TEST = ["the cat 42", "nothing known"]


def test_bags_are_what_plain_python_counts():
    words, train, test = bags(iter(TRAIN), iter(TEST), 4)
    own = [set(re.findall(r"\w\w+", text.lower())) for text in TRAIN]
    counts = collections.Counter(word for each in own for word in each)
    expected = sorted(sorted(counts, key=lambda word: (-counts[word], word))[:4])
    assert words == expected and {"cat", "the"} <= set(words)
    np.testing.assert_array_equal(train, [[word in each for word in words] for each in own])
    np.testing.assert_array_equal(test[0], [word in ("the", "cat", "42") for word in words])
    assert train.dtype == np.float32 and not test[1].any()


def test_all_words_where_more_are_asked_for():
    words, train, _ = bags(TRAIN, TEST, 1000)
    assert words == sorted({word for text in TRAIN for word in re.findall(r"\w\w+", text.lower())})
    assert train.shape == (5, len(words))


def test_no_word_at_all():
    with pytest.raises(ValueError, match="no word of two letters"):
        bags(["a b", "!"], ["more"], 5)


def test_more_than_the_memory_holds_is_refused(monkeypatch):
    from toolkit.files import limits

    monkeypatch.setattr(limits, "half_of_memory", lambda: 50)
    with pytest.raises(ValueError, match=r"4 words of each text \(--num_words\) would take"):
        bags(TRAIN, TEST, 4)
