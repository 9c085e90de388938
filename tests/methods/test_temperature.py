import numpy as np
import pytest
from scipy.special import softmax

from toolkit.methods import temperature
from toolkit.metrics.calibration import negative_log_likelihood

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(2000, 5)) * 2


def test_is_the_softmax_of_the_logits_by_the_temperature():
    for number in (0.3, 1.0, 4.0):
        found = temperature.tempered(softmax(LOGITS, axis=1), number)
        np.testing.assert_allclose(found, softmax(LOGITS / number, axis=1), atol=1e-12)
    hard = temperature.tempered(np.array([[1.0, 0.0]]), 3.0)
    assert np.isfinite(hard).all() and hard[0, 0] > 0.999


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_finds_the_temperature_that_labels_were_drawn_with(true):
    drawn = softmax(LOGITS / true, axis=1)
    labels = (drawn.cumsum(axis=1) < RANDOM.random((2000, 1))).sum(axis=1)
    probabilities = softmax(LOGITS, axis=1)
    found = temperature.fitted(labels, probabilities)
    assert found == pytest.approx(true, rel=0.1)
    best = negative_log_likelihood(labels, temperature.tempered(probabilities, found))
    for other in (0.97 * found, 1.03 * found):
        assert best <= negative_log_likelihood(labels, temperature.tempered(probabilities, other))


def test_changes_no_prediction():
    probabilities = softmax(LOGITS, axis=1)
    found = temperature.tempered(probabilities, 7.0)
    np.testing.assert_array_equal(found.argmax(axis=1), probabilities.argmax(axis=1))
