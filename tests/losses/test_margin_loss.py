"""What all losses of an agreement share: labels, scores, weights, a loss of one's own."""

import keras
import numpy as np
import pytest
from sklearn.metrics import hinge_loss, zero_one_loss

from toolkit.losses import margin
from toolkit.losses.margin_loss import MarginLoss, Properties


def test_labels_of_both_kinds_weights_and_peers():
    scores = np.array([0.3, -2.0, 1.5, 0.1, -0.4], "float32")
    labels = np.array([1, 0, 0, 1, 1])
    signed = 2 * labels - 1
    loss = margin.L1Hinge()
    assert float(loss(labels, scores)) == float(loss(signed, scores)) == float(loss(labels, scores[:, None]))
    np.testing.assert_allclose(loss(labels, scores), hinge_loss(signed, scores), rtol=1e-6)
    np.testing.assert_allclose(margin.ZeroOne()(labels, scores), zero_one_loss(signed, np.sign(scores)), rtol=1e-6)
    np.testing.assert_allclose(
        margin.LogitMargin()(labels, scores[:, None]),
        keras.losses.BinaryCrossentropy(from_logits=True)(labels[:, None], scores[:, None]),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        margin.L2Hinge()(signed, scores[:, None]), keras.losses.SquaredHinge()(signed[:, None], scores[:, None]), 1e-6
    )
    weights = np.array([1.0, 0, 0, 0, 0], "float32")
    np.testing.assert_allclose(loss(labels, scores, weights), 0.7 / 5, rtol=1e-6)


def test_one_class_against_the_others():
    scores = np.array([[2.0, -1.0, 0.5]], "float32")
    np.testing.assert_allclose(margin.L1Hinge()(np.array([[1, 0, 0]]), scores), (0 + 0 + 1.5) / 3)


def test_class_numbers_are_refused():
    for labels in ([0, 1], [[0, 1, 0]]):
        with pytest.raises(ValueError, match="labels of shape .* for scores of shape .*one_hot"):
            margin.L1Hinge()(np.array(labels), np.zeros((2, 3), "float32"))


def test_a_loss_of_ones_own():
    class L4Margin(MarginLoss):
        def _value(self, agreement):
            return (1.0 - agreement) ** 4

        def _derivative(self, agreement):
            return -4.0 * (1.0 - agreement) ** 3

    loss = L4Margin()
    assert loss.name == "l4_margin" and L4Margin not in margin.LOSSES.values()
    np.testing.assert_allclose(loss(np.array([0, 1]), np.array([0.5, -1.0], "float32")), (1.5**4 + 2**4) / 2)
    np.testing.assert_allclose(loss.derivative([0.0, 3.0]), [-4, 32])


def test_properties_in_words():
    assert str(Properties(convex=True, lipschitz_constant=2.0)) == "convex, Lipschitz 2, calibrated"
    known = Properties(True, True, None, True, True, classification_calibrated=False)
    assert str(known) == "strictly convex, twice differentiable"
