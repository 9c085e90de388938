import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_classif

from toolkit.methods.dci import completeness, dci, disentanglement

TWO_OF_TEN = 1 - np.log(2) / np.log(10)


def drawn(seed, sizes=(3, 2, 4), num_examples=300):
    return np.random.default_rng(seed).integers(sizes, size=(num_examples, len(sizes)))


def test_scores_are_scipys_entropies():
    importances = np.random.default_rng(0).gamma(0.3, size=(7, 4))
    codes, factors = importances.sum(axis=1), importances.sum(axis=0)
    expected = np.sum(codes / codes.sum() * (1 - entropy(importances.T, base=4)))
    assert disentanglement(importances) == pytest.approx(expected, rel=1e-9)
    expected = np.sum(factors / factors.sum() * (1 - entropy(importances, base=7)))
    assert completeness(importances) == pytest.approx(expected, rel=1e-9)


def test_unit_values():
    diagonal = np.diag([5.0, 1.0, 0.1])
    empty = np.concatenate([diagonal, np.zeros((2, 3))])
    for matrix in (diagonal, empty, diagonal[:2]):
        assert disentanglement(matrix) == completeness(matrix) == 1
    two_factors, two_codes = np.tile(np.eye(5), (1, 2)), np.tile(np.eye(5), (2, 1))
    assert disentanglement(two_factors) == pytest.approx(TWO_OF_TEN) and completeness(two_factors) == 1
    assert completeness(two_codes) == pytest.approx(TWO_OF_TEN) and disentanglement(two_codes) == 1
    assert disentanglement(np.ones((3, 4))) == pytest.approx(0) == completeness(np.ones((3, 4)))
    assert disentanglement(np.zeros((3, 4))) == 0 == completeness(np.zeros((3, 4)))


def test_perfect_duplicated_and_two_in_one():
    factors, test_factors = drawn(1), drawn(2)
    permuted = dci(factors[:, [2, 0, 1]] * -0.3, factors, test_factors[:, [2, 0, 1]] * -0.3, test_factors)
    assert permuted[:3] == pytest.approx((1, 1, 1))
    np.testing.assert_allclose(permuted.importances, np.eye(3)[[2, 0, 1]], atol=1e-9)
    twice = dci(np.tile(factors, 2) * 1.0, factors, np.tile(test_factors, 2) * 1.0, test_factors)
    assert twice[:3] == pytest.approx((1, 1 - np.log(2) / np.log(6), 1), abs=0.02)
    # One code holds two of three factors: they count 2 of 3, and log 2 / log 3 is lost of them.
    codes, test_codes = (
        np.stack([each[:, 0] * 2.0 + each[:, 1], each[:, 2]], axis=1) for each in (factors, test_factors)
    )
    mixed = dci(codes, factors, test_codes, test_factors)
    assert mixed[:3] == pytest.approx((1 - 2 / 3 * np.log(2) / np.log(3), 1, 1))


def test_constant_and_noise():
    factors, test_factors = drawn(3), drawn(4)
    constant = dci(np.ones((300, 2)), factors, np.ones((300, 2)), test_factors)
    most = [np.bincount(factor).argmax() for factor in factors.T]
    assert constant[:3] == pytest.approx((0, 0, np.mean(test_factors == most)))
    random = np.random.default_rng(5)
    noise = dci(random.normal(size=(300, 2)), factors, random.normal(size=(300, 2)), test_factors)
    assert noise.disentanglement < 0.05 and noise.completeness < 0.05
    assert noise.informativeness == pytest.approx(np.mean([1 / 3, 1 / 2, 1 / 4]), abs=0.08)


def test_importances_go_to_the_codes_that_say_something():
    """The codes that matter most are those of most mutual information, by another estimate."""
    random = np.random.default_rng(6)
    mixing = np.array([[1.0, 0.0, 0.3], [0.0, 1.0, 0.3], [0.0, 0.2, 1.0]])
    factors, test_factors = drawn(7, num_examples=150), drawn(8, num_examples=150)
    codes, test_codes = (each @ mixing + 0.2 * random.normal(size=(150, 3)) for each in (factors, test_factors))
    found = dci(codes, factors, test_codes, test_factors)
    for k in range(3):
        assert found.importances[:, k].argmax() == mutual_info_classif(codes, factors[:, k], random_state=0).argmax()
    assert 0.2 < found.disentanglement < 0.95 and found.importances.sum(axis=0) == pytest.approx(np.ones(3))
    again = dci(codes, factors, test_codes, test_factors)
    assert found[:3] == again[:3] and (found.importances == again.importances).all()


def test_what_cannot_be_measured_is_refused():
    factors = drawn(9)
    codes = factors * 1.0
    with pytest.raises(ValueError, match="2 codes and 2 factors or more; got 1 and 3"):
        dci(codes[:, :1], factors, codes[:, :1], factors)
    with pytest.raises(ValueError, match="got 3 and 1"):
        dci(codes, factors[:, :1], codes, factors[:, :1])
    with pytest.raises(ValueError, match="factor 2 is always 0"):
        dci(codes, factors * [1, 1, 0], codes, factors)
    with pytest.raises(ValueError, match="NaN"):
        dci(codes, factors, codes * np.nan, factors)
    with pytest.raises(ValueError, match=r"2 or more of each; got \(3, 1\)"):
        disentanglement(np.ones((3, 1)))
    for wrong in (-np.ones((2, 2)), np.full((2, 2), np.nan)):
        with pytest.raises(ValueError, match="expected finite numbers of 0 or more"):
            completeness(wrong)
