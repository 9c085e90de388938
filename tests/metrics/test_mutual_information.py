import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.metrics import mutual_info_score

from toolkit.metrics.mutual_information import discretize, entropies, mutual_information


def examples(num_examples=500):
    random = np.random.default_rng(0)
    factors = random.integers([-3, 0, 5], [2, 2, 9], size=(num_examples, 3))
    codes = factors @ random.normal(size=(3, 4)) + random.normal(size=(num_examples, 4)) * 0.3
    return codes, factors


@pytest.mark.parametrize("num_bins", [2, 7, 20])
def test_is_scikit_learns(num_bins):
    codes, factors = examples()
    bins = np.stack([np.digitize(each, np.histogram(each, num_bins)[1][:-1]) for each in codes.T], axis=1)
    np.testing.assert_array_equal(discretize(codes, num_bins), bins - 1)
    expected = [[mutual_info_score(code, factor) for factor in factors.T] for code in bins.T]
    np.testing.assert_allclose(mutual_information(codes, factors, num_bins), expected, rtol=1e-9)
    assert np.min(expected) < 0.1 < 0.3 < np.max(expected)


def test_is_the_sum_of_the_definition():
    codes, factors = examples(60)
    bins, expected = discretize(codes, 5), np.zeros((4, 3))
    for i in range(4):
        for k in range(3):
            for c in range(5):
                for v in np.unique(factors[:, k]):
                    joint = np.mean((bins[:, i] == c) & (factors[:, k] == v))
                    if joint:
                        apart = np.mean(bins[:, i] == c) * np.mean(factors[:, k] == v)
                        expected[i, k] += joint * np.log(joint / apart)
    np.testing.assert_allclose(mutual_information(codes, factors, 5), expected, rtol=1e-9)


def test_entropies_are_scipys():
    factors = examples()[1]
    expected = [entropy(np.unique(each, return_counts=True)[1]) for each in factors.T]
    np.testing.assert_allclose(entropies(factors), expected, rtol=1e-12)


def test_all_nothing_and_a_dead_code():
    factors = np.stack(np.mgrid[:4, :5], axis=-1).reshape(-1, 2)
    codes = np.stack([factors[:, 0] * -0.3, np.full(20, 1 / 3), np.full(20, 5.0) + np.arange(20) % 2 * 1e-15], axis=1)
    assert (discretize(codes)[:, 1] == discretize(codes)[0, 1]).all()
    found = mutual_information(codes, factors)
    np.testing.assert_allclose(found[:2], [[np.log(4), 0], [0, 0]], atol=1e-12)
    # Independent, of as many examples as the docstring says: what noise says.
    random = np.random.default_rng(1)
    noise = mutual_information(random.uniform(size=(3000, 40)), random.integers(6, size=(3000, 1)))
    assert noise.mean() == pytest.approx(19 * 5 / 6000, rel=0.15)


def test_what_cannot_be_measured_is_refused():
    codes, factors = examples()
    with pytest.raises(ValueError, match="got 20 bins and 19 examples"):
        mutual_information(codes[:19], factors[:19])
    with pytest.raises(ValueError, match="expected at least 2"):
        mutual_information(codes, factors, 1)
    with pytest.raises(ValueError, match="factor 1 is always 1"):
        mutual_information(codes, np.where([False, True, False], 1, factors))
    with pytest.raises(ValueError, match="codes: expected finite numbers"):
        discretize(codes * np.nan)
    with pytest.raises(ValueError, match=r"\(examples, codes\); got shape \(500,\)"):
        discretize(codes[:, 0])
