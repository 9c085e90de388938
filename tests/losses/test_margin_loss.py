import keras
import numpy as np
import pytest
from sklearn.metrics import hinge_loss, zero_one_loss

from toolkit.losses import margin


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


def test_a_loss_of_ones_own_has_its_name():
    class CubedL2Hinge(margin.L2Hinge):
        pass

    assert CubedL2Hinge().name == CubedL2Hinge.default_name() == "cubed_l2_hinge"
    assert CubedL2Hinge(name="mine").name == "mine"
