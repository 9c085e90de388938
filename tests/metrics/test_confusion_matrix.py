import numpy as np
import pytest
import sklearn.metrics

from toolkit.metrics.confusion_matrix import confusion_matrix, confusions_in_words, most_confused

RANDOM = np.random.default_rng(0)
LABELS, GUESSES = RANDOM.integers(0, 6, (2, 300))


def test_is_scikit_learns():
    found = confusion_matrix(LABELS, GUESSES, 9)  # some classes never occur
    np.testing.assert_array_equal(found, sklearn.metrics.confusion_matrix(LABELS, GUESSES, labels=range(9)))
    assert found.shape == (9, 9) and found.dtype == "int64"
    # uint8, as labels are often stored, does not overflow.
    many = np.array([200, 255], "uint8")
    assert confusion_matrix(many, many[::-1], 256)[200, 255] == 1


def test_is_bracketed():
    np.testing.assert_array_equal(confusion_matrix(LABELS, LABELS, 6), np.diag(np.bincount(LABELS)))
    constant = confusion_matrix(LABELS, np.full(300, 2), 6)
    np.testing.assert_array_equal(constant[:, 2], np.bincount(LABELS))
    assert constant.sum() == 300 and most_confused(np.diag([5, 4]), 3) == []


def test_most_confused_is_the_sorted_list_of_all_pairs():
    matrix = confusion_matrix(LABELS, GUESSES, 6)
    pairs = [(i, j, int(matrix[i, j])) for i in range(6) for j in range(6) if i != j]
    assert most_confused(matrix, 8) == sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))[:8]
    assert matrix.trace() == np.sum(LABELS == GUESSES)  # and is left as it was


@pytest.mark.parametrize(
    ("labels", "guesses", "message"),
    [
        ([0, 1], [0], "as many predictions as labels"),
        ([0, 6], [0, 1], "labels to be class numbers from 0 to 5; got 6"),
        ([0, 1], [0, -1], "predictions to be class numbers from 0 to 5; got -1"),
        ([0, 1], [0, 0.5], "predictions to be class numbers from 0 to 5; got 0.5"),
    ],
)
def test_what_cannot_be_counted(labels, guesses, message):
    with pytest.raises(ValueError, match=message):
        confusion_matrix(np.array(labels), np.array(guesses), 6)


def test_words():
    matrix = np.array([[9, 1, 0], [3, 7, 0], [0, 0, 5]])
    assert confusions_in_words(matrix, ["a", "b", "c"]) == ["3 of 10 b taken for a", "1 of 10 a taken for b"]
