import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from toolkit.metrics.mutual_information_gap import mutual_information_gap

GRID = np.stack(np.mgrid[:4, :3, :5], axis=-1).reshape(-1, 3)


def test_is_the_definition_by_scikit_learns_information():
    random = np.random.default_rng(0)
    factors = random.integers(6, size=(800, 3))
    codes = factors @ random.normal(size=(3, 5)) + random.normal(size=(800, 5)) * 0.2
    gaps = []
    for factor in factors.T:
        said = sorted(mutual_info_score(np.digitize(c, np.histogram(c, 20)[1][:-1]), factor) for c in codes.T)
        gaps.append((said[-1] - said[-2]) / mutual_info_score(factor, factor))
    assert mutual_information_gap(codes, factors) == pytest.approx(np.mean(gaps), rel=1e-9)
    assert 0.02 < np.mean(gaps) < 0.9


def test_perfect_constant_and_cheats():
    assert mutual_information_gap(GRID[:, ::-1] * -2.0, GRID) == pytest.approx(1)
    assert mutual_information_gap(np.zeros((60, 3)), GRID) == pytest.approx(0, abs=1e-12)
    # Each factor in two codes.
    assert mutual_information_gap(np.concatenate([GRID, 1.0 - GRID], axis=1), GRID) == pytest.approx(0, abs=1e-12)
    # A factor that is missing takes its share; a code that holds two is not seen.
    assert mutual_information_gap(GRID * [1.0, 1.0, 0.0], GRID) == pytest.approx(2 / 3)
    two = np.stack([GRID[:, 0] * 3.0 + GRID[:, 1], GRID[:, 2]], axis=1)
    assert mutual_information_gap(two, GRID) == pytest.approx(1)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=r"a gap takes at least 2 codes; got shape \(60, 1\)"):
        mutual_information_gap(GRID[:, :1], GRID)
    with pytest.raises(ValueError, match="factor 2 is always 0"):
        mutual_information_gap(GRID, GRID * [1, 1, 0])
    with pytest.raises(ValueError, match="61 bins and 60 examples"):
        mutual_information_gap(GRID, GRID, num_bins=61)
