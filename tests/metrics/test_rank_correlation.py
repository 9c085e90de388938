import numpy as np
import pytest
from scipy import stats

from toolkit.metrics.rank_correlation import rank_correlations


def test_as_scipy_has_it_with_ties_and_infinities():
    random = np.random.default_rng(0)
    scores = np.concatenate([random.standard_normal((40, 3)), random.integers(0, 4, (40, 2))], axis=1)
    scores[:, 1] += scores[:, 0]
    np.testing.assert_allclose(rank_correlations(scores), stats.spearmanr(scores).statistic, atol=1e-12)
    odd = np.where(scores[:, :3] > 1.5, np.inf, scores[:, :3])
    expected = stats.spearmanr(np.nan_to_num(odd, posinf=1e9)).statistic
    np.testing.assert_allclose(rank_correlations(odd), expected, atol=1e-12)


def test_any_growing_scale_is_the_same_order_and_noise_is_none():
    random = np.random.default_rng(1)
    values = random.standard_normal(4000)
    found = rank_correlations(np.stack([values, np.exp(values), -(values**3), random.permutation(values)], axis=1))
    np.testing.assert_allclose(found[0, :3], [1, 1, -1])
    assert abs(found[0, 3]) < 0.05
    assert np.array_equal(found, found.T)


def test_what_is_always_the_same_has_no_order():
    found = rank_correlations([[1, 5, 2], [2, 5, 3], [3, 5, 1]])
    assert np.isnan(found[1]).all() and np.isnan(found[:, 1]).all() and found[0, 2] == pytest.approx(-0.5)


@pytest.mark.parametrize("scores", [[1, 2], [[1, 2]], np.zeros((3, 0)), [[1, np.nan], [2, 3]]])
def test_refused(scores):
    with pytest.raises(ValueError, match=r"expected scores \(examples, scores\) of 2 examples or more"):
        rank_correlations(scores)
