import numpy as np
import pytest

from tests.methods.logistic import X, Y, by_scikit_learn, logistic
from toolkit.methods.leave_one_out import agreement, leave_one_out


def loss(coefficients, x, y):
    return np.logaddexp(0, -(2 * y - 1) * (x @ coefficients))


def test_changes_are_those_of_scikit_learn():
    found = logistic()
    found.minimize()
    before, rows = found.weights, [4, 0, 31]
    changes = leave_one_out(found, rows, (X[:3], Y[:3]))
    whole = loss(by_scikit_learn(X, Y, 0.05), X[:3], Y[:3])
    for row, change in zip(rows, changes, strict=True):
        expected = loss(by_scikit_learn(np.delete(X, row, axis=0), np.delete(Y, row), 0.05), X[:3], Y[:3]) - whole
        np.testing.assert_allclose(change, expected, atol=1e-7)
    np.testing.assert_array_equal(found.weights, before)
    assert leave_one_out(found, [], (X[:3], Y[:3])).shape == (0, 3)


def test_weights_are_put_back_where_it_fails(monkeypatch):
    found = logistic()
    found.minimize()
    before = found.weights

    def fail(**_):
        found.weights = np.zeros(10)
        raise KeyboardInterrupt

    monkeypatch.setattr(found, "minimize", fail)
    with pytest.raises(KeyboardInterrupt):
        leave_one_out(found, [1], (X[:1], Y[:1]))
    np.testing.assert_array_equal(found.weights, before)


def test_rows_that_are_not_there():
    with pytest.raises(ValueError, match="rows: expected 0 to 59; got 60"):
        leave_one_out(logistic(), [0, 60], (X[:1], Y[:1]))


def test_agreement_is_scipys():
    from scipy import stats

    random = np.random.default_rng(0)
    predicted = random.normal(size=(30, 2))
    true = 1.2 * predicted + 0.1 * random.normal(size=(30, 2))
    found = agreement(true, predicted)
    each = [stats.pearsonr(true[:, column], predicted[:, column])[0] for column in (0, 1)]
    assert found.correlations == pytest.approx(each)
    slope = np.linalg.lstsq(predicted.reshape(-1, 1), true.ravel(), rcond=None)[0][0]
    assert found.measures == pytest.approx(
        {
            "correlation": stats.pearsonr(true.ravel(), predicted.ravel())[0],
            "least_correlation_of_an_example": min(each),
            "true_over_predicted": slope,
            "left_out": 30,
        }
    )
    np.testing.assert_array_equal(found.pairs[1, 4], [true[4, 1], predicted[4, 1]])
