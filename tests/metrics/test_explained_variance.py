import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from toolkit.metrics.explained_variance import explained_variance


def regression(scores, *variables):
    """R² of a linear regression on one indicator for each combination."""
    keys = list(zip(*variables, strict=True))
    indicators = np.array([[key == each for each in dict.fromkeys(keys)] for key in keys], float)
    return LinearRegression().fit(indicators, scores).score(indicators, scores)


def test_as_a_regression_on_indicators_has_it():
    random = np.random.default_rng(0)
    objective, strength, seed = (random.integers(0, n, 200) for n in (3, 4, 10))
    scores = objective + 0.5 * strength * (objective == 1) + 0.3 * random.standard_normal(200)
    names = np.array(["beta", "factor", "dip"])[objective]
    for variables in ((names,), (names, strength), (seed,), (seed, strength, names)):
        assert explained_variance(scores, *variables) == pytest.approx(regression(scores, *variables), abs=1e-12)
    assert explained_variance(scores, names, strength) > explained_variance(scores, names) > 0.5
    assert explained_variance(scores, seed) < 0.1


def test_all_nothing_and_no_variance():
    assert explained_variance([1.0, 2.0, 3.0], ["a", "b", "c"]) == 1.0, "a group of each"
    assert explained_variance([1.0, 2.0, 3.0], ["a", "a", "a"]) == 0.0
    assert np.isnan(explained_variance([0.1] * 3, ["a", "a", "b"]))


@pytest.mark.parametrize(
    "scores, variables, message",
    [
        ([[1.0]], [["a"]], "expected finite numbers"),
        ([1.0, np.inf], [["a", "b"]], "expected finite numbers"),
        ([1.0, 2.0], [], r"expected variables of 2 examples; got \[\]"),
        ([1.0, 2.0], [["a", "b"], ["a"]], r"expected variables of 2 examples; got \[2, 1\]"),
    ],
)
def test_refused(scores, variables, message):
    with pytest.raises(ValueError, match=message):
        explained_variance(scores, *variables)
