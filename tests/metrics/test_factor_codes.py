import numpy as np
import pytest

from toolkit.metrics.factor_codes import FactorCodes, codes_with_factors, training_and_test

FACTORS = np.array([[0, 0], [1, 2], [2, 1]])
CODES = np.array([[0.5, 1.0, 2.0]] * 3)


def test_what_fits_is_returned():
    codes, factors = codes_with_factors(CODES.astype("float32"), FACTORS.astype("uint8"))
    assert (codes.dtype, factors.dtype) == ("float64", "int64")
    np.testing.assert_array_equal(codes, CODES)
    np.testing.assert_array_equal(factors, FACTORS)
    assert [each.shape for each in training_and_test(CODES, FACTORS, CODES[:2], FACTORS[:2])] == [
        (3, 3),
        (3, 2),
        (2, 3),
        (2, 2),
    ]


@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (CODES[:2], FACTORS, r"as many examples in both; got \(2, 3\) and \(3, 2\)"),
        (CODES[:, 0], FACTORS, r"got \(3,\) and \(3, 2\)"),
        (CODES, FACTORS[:, 0], r"got \(3, 3\) and \(3,\)"),
        (CODES[:0], FACTORS[:0], r"got \(0, 3\) and \(0, 2\)"),
        (CODES[:, :0], FACTORS, r"got \(3, 0\) and \(3, 2\)"),
        (CODES * np.nan, FACTORS, "got NaN or infinity"),
        (CODES * np.inf, FACTORS, "got NaN or infinity"),
        (CODES.astype(str), FACTORS, "codes: expected numbers; got <U"),
        (CODES, FACTORS * 1.0, "factors: expected integers; got float64"),
        (CODES, FACTORS * [1, 0] + [0, 7], "factor 1 is always 7. Leave out what does not vary"),
    ],
)
def test_what_does_not_fit_is_refused(codes, factors, message):
    for check in (
        lambda: codes_with_factors(codes, factors),
        lambda: training_and_test(CODES, FACTORS, codes, factors),
        lambda: training_and_test(codes, factors, CODES, FACTORS),
    ):
        with pytest.raises(ValueError, match=message):
            check()


def test_other_widths_in_the_test_are_refused():
    with pytest.raises(ValueError, match=r"as many codes and factors .* got \(2, 2\) and \(3, 2\)"):
        training_and_test(CODES, FACTORS, CODES[:, :2], FACTORS)
    with pytest.raises(ValueError, match=r"got \(3, 1\) and \(3, 2\)"):
        training_and_test(CODES, FACTORS, CODES, FACTORS[:, :1])


def test_factors_are_uniform_independent_and_those_of_the_seed():
    sizes = (2, 3, 5)
    drawn = FactorCodes(lambda factors: factors, sizes, seed=3).sample(100, 300)
    assert drawn.shape == (100, 300, 3)
    cells = np.ravel_multi_index(drawn.reshape(-1, 3).T, sizes)
    counts = np.bincount(cells, minlength=30)
    assert len(counts) == 30 and abs(counts - 1000).max() < 5 * np.sqrt(1000)
    np.testing.assert_array_equal(drawn, FactorCodes(lambda factors: factors, sizes, seed=3).sample(100, 300))
    assert (drawn != FactorCodes(lambda factors: factors, sizes, seed=4).sample(100, 300)).any()
    held = np.bincount(FactorCodes(lambda factors: factors, sizes).which(3000), minlength=3)
    assert len(held) == 3 and abs(held - 1000).max() < 5 * np.sqrt(1000)


def test_codes_are_asked_for_in_pieces():
    asked = []

    def represent(factors):
        asked.append(factors.shape)
        return np.stack([factors.sum(axis=1), factors[:, 0]], axis=1).astype("float32")

    source = FactorCodes(represent, (4, 4, 4))
    factors = source.sample(50, 41)
    codes = source.codes(factors)
    assert asked == [(1024, 3), (1024, 3), (2, 3)] and codes.dtype == "float64"
    np.testing.assert_array_equal(codes, np.stack([factors.sum(axis=2), factors[..., 0]], axis=-1))


def test_what_cannot_be_asked_is_refused():
    for sizes in ((3,), (), 3, (3.0, 2.0), ((3, 2),)):
        with pytest.raises(ValueError, match="factor_sizes: expected integers, of 2 factors or more"):
            FactorCodes(lambda factors: factors, sizes)
    with pytest.raises(ValueError, match=r"2 values or more of each; got \[3, 1\]"):
        FactorCodes(lambda factors: factors, (3, 1))

    def asked(represent):
        return FactorCodes(represent, (3, 2)).codes(np.zeros((1500, 2), int))

    with pytest.raises(ValueError, match=r"represent: expected codes of shape \(1024, codes\); got \(1024,\)"):
        asked(lambda factors: factors[:, 0])
    with pytest.raises(ValueError, match=r"shape \(1024, codes\); got \(1023, 2\)"):
        asked(lambda factors: factors[1:])
    with pytest.raises(ValueError, match=r"shape \(476, 2\); got \(476, 1\)"):
        asked(lambda factors: factors if len(factors) == 1024 else factors[:, :1])
    with pytest.raises(ValueError, match="NaN"):
        asked(lambda factors: factors * np.nan)
