import numpy as np
import pytest
from scipy import stats

from toolkit.metrics.inception_score import inception_score


def probabilities(num_samples, num_classes, seed=0, concentration=0.3):
    return np.random.default_rng(seed).dirichlet(np.full(num_classes, concentration), num_samples)


@pytest.mark.parametrize(("num_samples", "num_splits"), [(60, 1), (60, 10), (67, 10), (7, 7)])
def test_is_that_of_scipys_entropy(num_samples, num_splits):
    some = probabilities(num_samples, 5)
    starts = [i * num_samples // num_splits for i in range(num_splits + 1)]
    parts = [some[start:end] for start, end in zip(starts, starts[1:], strict=False)]
    scores = [np.exp(np.mean([stats.entropy(row, part.mean(axis=0)) for row in part])) for part in parts]
    found = inception_score(some, num_splits)
    np.testing.assert_allclose(found, [np.mean(scores), np.std(scores)], rtol=1e-9, atol=1e-9)


def test_perfect_constant_and_cheat():
    """From 1 to the number of classes; one sure image of each class, over and over, is not told from the best."""
    perfect = np.eye(8)[np.random.default_rng(1).permutation(np.arange(8000) % 8)]
    assert inception_score(perfect, 1) == pytest.approx((8, 0))
    mean, deviation = inception_score(perfect)
    assert 7.9 < mean < 8 and 0 < deviation < 0.1
    assert inception_score(np.full((50, 8), 1 / 8)) == pytest.approx((1, 0))
    assert inception_score(np.eye(8)[np.full(50, 3)]) == pytest.approx((1, 0))
    assert inception_score(probabilities(500, 8)).mean < 4
    cheat = np.tile(np.eye(8), (10, 1))
    assert inception_score(cheat) == pytest.approx((8, 0))
    # Class by class: each split sees one class alone.
    assert inception_score(np.eye(8).repeat(10, axis=0), 8) == pytest.approx((1, 0))


def test_half_precision_is_brought_to_the_sum_1():
    some = probabilities(40, 10)
    rounded = some * np.random.default_rng(1).uniform(0.995, 1.005, (40, 1))
    np.testing.assert_allclose(inception_score(rounded), inception_score(some), rtol=1e-9)


def test_what_cannot_be_measured_is_refused():
    some = probabilities(9, 3)
    for wrong, message in (
        (some[0], r"expected probabilities \(samples, classes\); got \(3,\)"),
        (some, "num_splits must be from 1 to the number of samples, 9; got 10"),
        (np.full((20, 3), 2.0), "are these logits"),
        (np.tile([1.5, -0.5], (20, 1)), "are these logits"),
        (np.full((20, 3), np.nan), "are these logits"),
    ):
        with pytest.raises(ValueError, match=message):
            inception_score(wrong)
    with pytest.raises(ValueError, match="got 0"):
        inception_score(some, 0)
