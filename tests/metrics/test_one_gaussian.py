import numpy as np
from scipy import stats

from toolkit.metrics.one_gaussian import one_gaussian_log_loss


def test_is_scipys():
    random = np.random.default_rng(0)
    train, test = (
        np.column_stack([random.normal(size=(n, 2)) @ [[2.0, 0.5], [0.0, 0.3]] + [1, -2], random.random(n) < 0.2])
        for n in (500, 90)
    )
    normal = stats.multivariate_normal(train[:, :2].mean(axis=0), np.cov(train[:, :2].T))
    expected = -normal.logpdf(test[:, :2]).mean() - stats.bernoulli(train[:, 2].mean()).logpmf(test[:, 2]).mean()
    np.testing.assert_allclose(one_gaussian_log_loss(train, test), expected, rtol=1e-6)


def test_what_fits_worse_costs_more():
    random = np.random.default_rng(1)
    points = np.column_stack([random.normal(size=(300, 2)), random.random(300) < 0.5])
    same, scaled, shifted = (
        one_gaussian_log_loss(points, points * a + b) for a, b in ((1, 0), ([3, 3, 1], 0), (1, [2, 0, 0]))
    )
    assert same < scaled and same < shifted
