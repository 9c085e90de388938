import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from toolkit.metrics.modularity import modularity

BINARY = np.stack(np.mgrid[(slice(2),) * 10], axis=-1).reshape(-1, 10)


def test_is_the_templates_deviation():
    """Ridgeway and Mozer's form: the distance from a template that has the greatest information in its place alone."""
    random = np.random.default_rng(0)
    factors = random.integers(6, size=(800, 4))
    codes = factors @ random.normal(size=(4, 5)) + random.normal(size=(800, 5)) * 0.2
    scores = []
    for code in codes.T:
        bins = np.digitize(code, np.histogram(code, 20)[1][:-1])
        said = np.array([mutual_info_score(bins, factor) for factor in factors.T])
        template = np.where(np.arange(4) == said.argmax(), said.max(), 0)
        scores.append(1 - np.sum((said - template) ** 2) / (said.max() ** 2 * 3))
    assert modularity(codes, factors) == pytest.approx(np.mean(scores), rel=1e-9)
    assert 0.3 < np.mean(scores) < 0.99


def test_each_code_for_two_of_ten_factors():
    codes = 2.0 * BINARY[:, :5] + BINARY[:, 5:]  # each value tells both
    assert modularity(codes, BINARY) == pytest.approx(1 - 1 / 9)


def test_perfect_constant_missing_and_dead():
    assert modularity(BINARY * 3.0, BINARY) == pytest.approx(1)
    assert modularity(np.zeros((1024, 3)), BINARY) == 0
    assert modularity(np.concatenate([BINARY, -BINARY], axis=1), BINARY) == pytest.approx(1)
    assert modularity(BINARY[:, :2], BINARY) == pytest.approx(1)
    two = BINARY[:, :2]
    assert modularity(np.concatenate([two, np.full((1024, 1), 0.1)], axis=1), two) == pytest.approx(2 / 3)
    # Exactly independent of both, though it varies.
    assert modularity(np.concatenate([two, BINARY[:, 5:6]], axis=1), two) == pytest.approx(2 / 3)


def test_what_cannot_be_measured_is_refused():
    with pytest.raises(ValueError, match=r"modularity takes at least 2; got shape \(1024, 1\)"):
        modularity(BINARY, BINARY[:, :1])
    with pytest.raises(ValueError, match="NaN"):
        modularity(BINARY * np.nan, BINARY)
