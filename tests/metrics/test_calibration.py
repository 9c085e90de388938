import numpy as np
import pytest
from scipy.special import softmax
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from toolkit.metrics.calibration import expected_calibration_error, negative_log_likelihood, reliability

RANDOM = np.random.default_rng(0)
PROBABILITIES = softmax(2 * RANDOM.normal(size=(500, 4)), axis=1)
LABELS = RANDOM.integers(0, 4, 500)


@pytest.mark.parametrize("num_bins", [1, 7, 15])
def test_bins_are_scikit_learns(num_bins):
    found = reliability(LABELS, PROBABILITIES, num_bins)
    right = PROBABILITIES.argmax(axis=1) == LABELS
    accuracy, confidence = calibration_curve(right, PROBABILITIES.max(axis=1), n_bins=num_bins)
    some = found.count > 0
    np.testing.assert_allclose(found.accuracy[some], accuracy)
    np.testing.assert_allclose(found.confidence[some], confidence)
    assert found.count.sum() == 500 and np.isnan(found.accuracy[~some]).all()


@pytest.mark.parametrize("num_bins", [1, 7, 15])
def test_error_is_that_of_the_definition(num_bins):
    confidence, right = PROBABILITIES.max(axis=1), PROBABILITIES.argmax(axis=1) == LABELS
    expected = 0.0
    for m in range(num_bins):
        inside = (confidence > m / num_bins) & (confidence <= (m + 1) / num_bins)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    np.testing.assert_allclose(expected_calibration_error(LABELS, PROBABILITIES, num_bins), expected)


def test_an_edge_belongs_to_the_bin_below():
    found = reliability(np.array([0, 0, 0]), np.array([[0.5, 0.5], [0.75, 0.25], [1.0, 0.0]]), 4)
    np.testing.assert_array_equal(found.count, [0, 1, 1, 1])


def test_is_bracketed():
    balanced = np.arange(400) % 4
    sure = np.eye(4)[balanced]
    assert expected_calibration_error(balanced, sure) == 0.0 and negative_log_likelihood(balanced, sure) == 0.0
    assert expected_calibration_error(balanced, np.roll(sure, 1, axis=1)) == 1.0
    assert negative_log_likelihood(balanced, np.roll(sure, 1, axis=1)) == np.inf
    # Constant, and the known cheat: the classes' shares for all are calibrated, and know nothing.
    shares = np.full((400, 4), 0.25)
    np.testing.assert_allclose(expected_calibration_error(balanced, shares), 0.0, atol=1e-12)
    np.testing.assert_allclose(negative_log_likelihood(balanced, shares), np.log(4))
    # As sure as can be where half is right.
    np.testing.assert_allclose(expected_calibration_error(balanced, np.eye(4)[balanced // 2 * 2]), 0.5)


def test_what_comes_true_is_calibrated():
    drawn = np.array([RANDOM.choice(4, p=row) for row in PROBABILITIES])
    sharpened = PROBABILITIES**3 / np.sum(PROBABILITIES**3, axis=1, keepdims=True)
    assert expected_calibration_error(drawn, PROBABILITIES) < 0.1 < expected_calibration_error(drawn, sharpened)


def test_likelihood_is_scikit_learns():
    np.testing.assert_allclose(negative_log_likelihood(LABELS, PROBABILITIES), log_loss(LABELS, PROBABILITIES))


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([0, 1], [[0.5, 0.5]], "a label for each example"),
        ([2], [[0.5, 0.5]], "labels from 0 to 1; got some from 2"),
        ([0], [[3.0, -2.0]], "are these logits"),
        ([0], [[0.5, 0.6]], "are these logits"),
        ([0], [[np.nan, 1.0]], "are these logits"),
    ],
)
def test_what_cannot_be_scored(labels, probabilities, message):
    for score in (reliability, expected_calibration_error, negative_log_likelihood):
        with pytest.raises(ValueError, match=message):
            score(np.array(labels), np.array(probabilities))
    with pytest.raises(ValueError, match="num_bins"):
        reliability(LABELS, PROBABILITIES, 0)
