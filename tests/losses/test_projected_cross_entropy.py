import keras
import numpy as np
import pytest

from toolkit.losses import ProjectedCrossEntropy
from toolkit.losses.projected_cross_entropy import class_scores
from toolkit.losses.similarity_matching import random_projection

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.standard_normal((5, 16)).astype("float32")
CLASSES = np.array([0, 3, 1, 2, 3])
LABELS = np.eye(4, dtype="float32")[CLASSES]


def nats(bits, logits):
    """By the formula: -b log s - (1 - b) log(1 - s), s the logistic function."""
    bits, s = np.asarray(bits, "float64"), 1 / (1 + np.exp(-logits.astype("float64")))
    return np.mean(-bits * np.log(s) - (1 - bits) * np.log(1 - s), axis=-1)


def test_the_loss_is_the_formulas():
    bits = random_projection(4, 16, seed=3)[CLASSES] > 0
    found = ProjectedCrossEntropy(seed=3, reduction=None)(LABELS, LOGITS)
    np.testing.assert_allclose(found, nats(bits, LOGITS), rtol=1e-5)
    assert float(ProjectedCrossEntropy(seed=3)(LABELS, LOGITS)) == pytest.approx(nats(bits, LOGITS).mean(), rel=1e-5)
    assert 0.2 < bits.mean() < 0.8


def test_the_greatest_score_is_the_class_of_the_least_loss():
    codes = random_projection(4, 16, seed=3) > 0
    paid = np.array([nats(codes, row) for row in LOGITS])
    scores = np.asarray(class_scores(LOGITS, 4, seed=3))
    np.testing.assert_array_equal(scores.argmax(axis=1), paid.argmin(axis=1))
    np.testing.assert_allclose(16 * (paid - paid[:, :1]), -(scores - scores[:, :1]), atol=1e-4)


def test_config():
    loss = ProjectedCrossEntropy(seed=3)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(LABELS, LOGITS)) == float(loss(LABELS, LOGITS))
