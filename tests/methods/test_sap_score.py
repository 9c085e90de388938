import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import pearsonr

from toolkit.methods.sap_score import sap_score, sap_score_of_correlations


def drawn(seed, sizes=(3, 4, 3), num_examples=600):
    return np.random.default_rng(seed).integers(sizes, size=(num_examples, len(sizes)))


def accuracy(code, factor, test_code, test_factor):
    """Of the SVM: ½(w² + b²) + Σ C_i max(0, 1 - y_i (w x_i + b))² for each value, minimised by SciPy."""
    values, counts = np.unique(factor, return_counts=True)
    margins = []
    for value, count in zip(values, counts, strict=True):
        signs = np.where(factor == value, 1.0, -1.0)
        costs = 0.01 * np.where(factor == value, len(factor) / (len(values) * count), 1.0)

        def objective(line, signs=signs, costs=costs):
            return line @ line / 2 + np.sum(costs * np.maximum(0, 1 - signs * (line[0] * code + line[1])) ** 2)

        slope, offset = minimize(objective, np.zeros(2)).x
        margins.append(slope * test_code + offset)
    return np.mean(values[np.argmax(margins, axis=0)] == test_factor)


def test_is_the_gap_of_svms_that_scipy_trains():
    random = np.random.default_rng(0)
    mixing = np.array([[1.0, 0.3], [0.2, 0.8], [0.1, 0.5]])
    factors, test_factors = drawn(1), drawn(2)
    factors[:400] = [1, 3, 0]  # of unlike counts
    codes, test_codes = (each @ mixing + 0.2 * random.normal(size=(600, 2)) for each in (factors, test_factors))
    scores = np.sort(
        [
            [accuracy(codes[:, i], factors[:, k], test_codes[:, i], test_factors[:, k]) for k in range(3)]
            for i in range(2)
        ],
        axis=0,
    )
    assert sap_score(codes, factors, test_codes, test_factors) == pytest.approx(
        np.mean(scores[1] - scores[0]), abs=2e-3
    )
    assert np.mean(scores[1] - scores[0]) > 0.05


def test_of_correlations_is_scipys():
    factors = drawn(3)
    codes = factors @ np.random.default_rng(4).normal(size=(3, 4)) + 1e3
    scores = np.sort(
        [[pearsonr(code, factor).statistic ** 2 for factor in factors.T] for code in codes.T],
        axis=0,
    )
    assert sap_score_of_correlations(codes, factors) == pytest.approx(np.mean(scores[-1] - scores[-2]), rel=1e-9)


def test_perfect_constant_and_cheats():
    """Of two values a code tells all, and other codes half."""
    factors, test_factors = drawn(5, (2, 2, 2)), drawn(6, (2, 2, 2))

    def both(change):
        codes, test_codes = change(factors), change(test_factors)
        return sap_score(codes, factors, test_codes, test_factors), sap_score_of_correlations(codes, factors)

    assert both(lambda each: each[:, ::-1] * -4.0) == pytest.approx((0.5, 1), abs=0.05)
    assert both(lambda each: np.full(each.shape, 0.1)) == (0, 0)
    assert both(lambda each: np.concatenate([each * 4.0, each * -4.0], axis=1)) == pytest.approx((0, 0), abs=1e-9)
    # A factor that is missing takes its share.
    assert both(lambda each: each * [4.0, 4.0, 0.0])[1] == pytest.approx(2 / 3, abs=0.02)
    random = np.random.default_rng(7)
    assert both(lambda each: random.normal(size=each.shape)) == pytest.approx((0, 0), abs=0.05)


def test_what_cannot_be_measured_is_refused():
    factors = drawn(8)
    codes = factors * 1.0
    for score in (
        lambda codes, factors: sap_score(codes, factors, codes, factors),
        sap_score_of_correlations,
    ):
        with pytest.raises(ValueError, match="a gap takes at least 2 codes; got 1"):
            score(codes[:, :1], factors)
        with pytest.raises(ValueError, match="factor 1 is always 0"):
            score(codes, factors * [1, 0, 1])
        with pytest.raises(ValueError, match="NaN"):
            score(codes * np.nan, factors)
