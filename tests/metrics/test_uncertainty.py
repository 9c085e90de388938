import numpy as np
import pytest
from scipy import stats

from toolkit.metrics import uncertainty

RANDOM = np.random.default_rng(0)
PASSES = RANDOM.dirichlet(np.full(4, 0.5), (25, 30))
NAMES = ("entropy", "least_confidence", "closeness", "entropy_of_mean", "disagreement", "variation_ratio")


def test_entropy_is_scipys():
    found = uncertainty.entropy(PASSES[0])
    np.testing.assert_allclose(found, [stats.entropy(row, base=2) for row in PASSES[0]], rtol=1e-12)
    assert uncertainty.entropy(np.eye(3)).tolist() == [0, 0, 0]
    assert uncertainty.entropy(np.full((2, 8), 1 / 8)).tolist() == [3, 3]


def test_confidence_and_margin():
    by_hand = [sorted(row, reverse=True) for row in PASSES[0].tolist()]
    np.testing.assert_allclose(uncertainty.least_confidence(PASSES[0]), [1 - row[0] for row in by_hand])
    np.testing.assert_allclose(uncertainty.closeness(PASSES[0]), [1 - (row[0] - row[1]) for row in by_hand])


def test_dbal_is_the_entropy_of_the_mean_and_bald_takes_the_mean_entropy_away():
    for example, (dbal, bald) in enumerate(
        zip(uncertainty.entropy_of_mean(PASSES), uncertainty.disagreement(PASSES), strict=True)
    ):
        passes = PASSES[:, example]
        mean = passes.sum(axis=0) / 25
        assert dbal == pytest.approx(stats.entropy(mean, base=2))
        published = -sum(p * np.log2(p + 1e-6) for p in mean)
        published -= sum(-sum(p * np.log2(p + 1e-6) for p in one) for one in passes) / 25
        assert bald == pytest.approx(published, abs=1e-12)
        # the mutual information of label and weights, without the published epsilon
        assert bald == pytest.approx(dbal - np.mean([stats.entropy(one, base=2) for one in passes]), abs=2e-5)


def test_bald_is_zero_where_all_passes_are_equally_unsure():
    alike = np.repeat(PASSES[:1], 25, axis=0)
    np.testing.assert_allclose(uncertainty.disagreement(alike), 0, atol=1e-12)


def test_variation_ratio_is_scipys():
    votes = PASSES[:5].argmax(axis=-1)
    expected = 1 - stats.mode(votes, axis=0).count / 5
    np.testing.assert_allclose(uncertainty.variation_ratio(PASSES[:5]), expected)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_probability_is_refused(name):
    measure = getattr(uncertainty, name)
    with pytest.raises(ValueError, match="add up to 1"):
        measure(np.full((2, 3, 4), np.nan))
    with pytest.raises(ValueError, match="add up to 1"):
        measure(np.log(PASSES[:2]))
    with pytest.raises(ValueError, match=r"two classes or more; got \(2, 3, 1\)"):
        measure(np.ones((2, 3, 1)))
