import numpy as np
import pytest

from toolkit.metrics import calibration, top_k_accuracy
from toolkit.metrics.classification import classification, most_wrong

RANDOM = np.random.default_rng(0)
LABELS = np.arange(60) % 6
PROBABILITIES = RANDOM.dirichlet(np.ones(7), 60)


def test_numbers_by_hand():
    """Of class 0 two of four are right, of class 1 all; class 2 is not there."""
    taken, labels = np.array([0, 0, 1, 2, 1, 1]), np.array([0, 0, 0, 0, 1, 1])
    probabilities = np.full((6, 3), 0.2)
    probabilities[np.arange(6), taken] = 0.6
    found = classification(labels, probabilities)
    low, high = top_k_accuracy.wilson_interval(4, 6)
    expected = {
        "top_1_accuracy_percent": 100 * 4 / 6,
        "top_1_accuracy_low_percent": 100 * low,
        "top_1_accuracy_high_percent": 100 * high,
        "lowest_accuracy_of_a_class_percent": 50.0,
        "expected_calibration_error_percent": 100 * abs(4 / 6 - 0.6),
        "negative_log_likelihood_nats": -(4 * np.log(0.6) + 2 * np.log(0.2)) / 6,
    }
    assert found == pytest.approx(expected)
    # The mirror images turn the fourth around: 0.2 + 0.6 over 0.6 + 0.2 is a tie, 0.7 is not.
    mirrored = np.where(np.eye(3)[[0, 0, 1, 0, 1, 1]] > 0, 0.7, 0.15)
    with_mirror = classification(labels, probabilities, mirrored=mirrored)
    assert with_mirror == pytest.approx({**expected, "top_1_accuracy_with_mirror_image_percent": 100 * 5 / 6})


def test_of_many_classes_the_top_five_and_scores_are_not_calibrated():
    found = classification(LABELS, PROBABILITIES, calibrated=False)
    assert found["top_5_accuracy_percent"] == 100 * top_k_accuracy.top_k_accuracy(LABELS, PROBABILITIES, 5)
    assert found["top_5_accuracy_low_percent"] < found["top_5_accuracy_percent"] < found["top_5_accuracy_high_percent"]
    assert not any("calibration" in name or "likelihood" in name for name in found)
    error = calibration.expected_calibration_error(LABELS, PROBABILITIES)
    assert classification(LABELS, PROBABILITIES)["expected_calibration_error_percent"] == 100 * error


def test_the_most_wrong_come_first():
    order = most_wrong(LABELS, PROBABILITIES, 20)
    taken = PROBABILITIES.argmax(-1)
    sure = PROBABILITIES[np.arange(60), taken]
    assert len(order) == 20 and np.all(taken[order] != LABELS[order]) and np.all(np.diff(sure[order]) <= 0)
    assert sure[order[-1]] >= np.sort(sure[taken != LABELS])[-20]
    assert len(most_wrong(taken, PROBABILITIES, 20)) == 0
