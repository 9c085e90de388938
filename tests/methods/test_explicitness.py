import numpy as np
import pytest

from toolkit.methods.explicitness import explicitness


def drawn(seed, num_examples=400):
    return np.random.default_rng(seed).integers([5, 2], size=(num_examples, 2))


def by_pairs(code, factor, test_code, test_factor):
    """The areas of one code: the share of pairs in the right order, whichever order the training examples have."""
    areas = []
    for value in np.unique(factor):
        sign = np.sign(code[factor == value].mean() - code[factor != value].mean())
        differences = sign * (test_code[test_factor == value][:, None] - test_code[test_factor != value])
        areas.append(np.mean((differences > 0) + 0.5 * (differences == 0)))
    return np.mean(areas)


def test_of_one_code_is_the_share_of_pairs_in_order():
    factors, test_factors, random = drawn(0), drawn(1), np.random.default_rng(2)
    codes, test_codes = (
        each[:, :1] * 3.0 + each[:, 1:] - 70.0 + random.normal(size=(400, 1)) for each in (factors, test_factors)
    )
    expected = [by_pairs(codes[:, 0], factors[:, k], test_codes[:, 0], test_factors[:, k]) for k in range(2)]
    found = explicitness(codes, factors, test_codes, test_factors)
    assert found == pytest.approx(np.mean(expected), rel=1e-9)
    assert 0.5 < min(expected) < max(expected) < 0.9


def test_perfect_constant_and_noise():
    factors, test_factors = drawn(3), drawn(4)
    one_hot = [
        np.concatenate([np.eye(5)[each[:, 0]], np.eye(2)[each[:, 1]]], axis=1) for each in (factors, test_factors)
    ]
    assert explicitness(one_hot[0], factors, one_hot[1], test_factors) == 1
    # However the codes are mixed and scaled, and beside a dead one.
    mixing = np.random.default_rng(5).normal(size=(7, 7)) * 1e3
    mixed = [np.concatenate([each @ mixing, np.ones((400, 1))], axis=1) for each in one_hot]
    assert explicitness(mixed[0], factors, mixed[1], test_factors) == pytest.approx(1, abs=1e-3)
    # The factors themselves: those in the middle of five are not cut off by a threshold.
    itself = explicitness(factors * 1.0, factors, test_factors * 1.0, test_factors)
    assert itself == pytest.approx(np.mean([np.mean([1, 0.75, 0.5, 0.75, 1]), 1]), abs=0.02)
    assert explicitness(np.ones((400, 2)), factors, np.ones((400, 2)), test_factors) == 0.5
    random = np.random.default_rng(6)
    noise = explicitness(random.normal(size=(400, 3)), factors, random.normal(size=(400, 3)), test_factors)
    assert noise == pytest.approx(0.5, abs=0.06)


def test_what_cannot_be_measured_is_refused():
    factors = drawn(7)
    with pytest.raises(ValueError, match="4 of factor 0 is in one of both"):
        explicitness(factors * 1.0, factors, factors * 1.0, np.minimum(factors, 3))
    with pytest.raises(ValueError, match="4 of factor 0 is in one of both"):
        explicitness(factors * 1.0, np.minimum(factors, 3), factors * 1.0, factors)
    with pytest.raises(ValueError, match="NaN"):
        explicitness(factors * np.nan, factors, factors * 1.0, factors)
    with pytest.raises(ValueError, match="factor 1 is always 0"):
        explicitness(factors * 1.0, factors * [1, 0], factors * 1.0, factors)
