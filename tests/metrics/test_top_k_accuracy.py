import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import top_k_accuracy_score

from toolkit.metrics.top_k_accuracy import top_k_accuracy, wilson_interval

LABELS = np.random.default_rng(0).integers(0, 7, 200)


@pytest.mark.parametrize("k", range(1, 7))
def test_is_scikit_learns_where_there_are_no_ties(k):
    scores = np.random.default_rng(1).normal(size=(200, 7))
    np.testing.assert_allclose(
        top_k_accuracy(LABELS, scores, k), top_k_accuracy_score(LABELS, scores, k=k, labels=np.arange(7))
    )
    assert top_k_accuracy(LABELS, scores, 7) == 1.0


def test_is_bracketed():
    perfect = np.eye(7)[LABELS]
    assert top_k_accuracy(LABELS, perfect) == 1.0
    assert top_k_accuracy(LABELS, -perfect, 6) == 0.0
    always_three = np.eye(7)[np.full(200, 3)]
    assert top_k_accuracy(LABELS, always_three) == np.mean(LABELS == 3)
    # The cheat: all classes alike, or no numbers at all. Argmax would have those of class 0.
    for scores in (np.zeros((200, 7)), np.full((200, 7), np.nan)):
        assert all(top_k_accuracy(LABELS, scores, k) == 0.0 for k in range(1, 7))


def test_a_tie_at_the_last_place_counts_against():
    scores = np.array([[3.0, 2.0, 2.0, 1.0]])
    assert [top_k_accuracy(np.array([1]), scores, k) for k in (1, 2, 3)] == [0.0, 0.0, 1.0]
    assert top_k_accuracy(np.array([0]), np.array([[1.0, np.nan]])) == 0.0


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("right_of", [(0, 1), (1, 1), (0, 30), (30, 30), (17, 30), (1, 1000), (9_713, 10_000)])
def test_interval_is_scipys(right_of, confidence):
    expected = binomtest(*right_of).proportion_ci(confidence, method="wilson")
    found = wilson_interval(*right_of, confidence)
    np.testing.assert_allclose(found, (expected.low, expected.high), rtol=1e-9, atol=1e-12)
    assert 0 <= found[0] <= right_of[0] / right_of[1] <= found[1] <= 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((LABELS[:3], np.zeros((4, 7))), "a label for each example"),
        ((LABELS[:0], np.zeros((0, 7))), "a label for each example"),
        ((np.array([7]), np.zeros((1, 7))), "labels from 0 to 6; got some from 7"),
        ((np.array([-1]), np.zeros((1, 7))), "labels from 0 to 6; got some from -1"),
        ((LABELS, np.zeros((200, 7)), 8), "k must be from 1 to 7"),
        ((LABELS, np.zeros((200, 7)), 0), "k must be from 1 to 7"),
    ],
)
def test_what_cannot_be_scored(arguments, message):
    with pytest.raises(ValueError, match=message):
        top_k_accuracy(*arguments)


@pytest.mark.parametrize("arguments", [(0, 0), (3, 2), (-1, 2), (1, 2, 1.0), (1, 2, 0.0)])
def test_what_has_no_interval(arguments):
    with pytest.raises(ValueError, match="at least one example|confidence must be between"):
        wilson_interval(*arguments)
