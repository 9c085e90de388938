import keras
import numpy as np
import pytest

from toolkit.losses import SoftLabelLoss, margin

RANDOM = np.random.default_rng(0)
SCORES = RANDOM.normal(size=(6, 4)).astype("float32")
FIRST, SECOND = RANDOM.integers(0, 4, (2, 6))
SHARE = RANDOM.random(6).astype("float32")
ONE_HOT = np.eye(4, dtype="float32")
SOFT = SHARE[:, None] * ONE_HOT[FIRST] + (1 - SHARE[:, None]) * ONE_HOT[SECOND]


@pytest.mark.parametrize("name", ["l2_hinge", "exp", "sigmoid"])
def test_of_a_mixture_it_is_the_mixture_of_the_losses(name):
    loss = margin.get(name)
    paid = [
        np.array([float(loss(y[None], f[None])) for y, f in zip(ONE_HOT[c], SCORES, strict=True)])
        for c in (FIRST, SECOND)
    ]
    expected = np.mean(SHARE * paid[0] + (1 - SHARE) * paid[1])
    assert float(SoftLabelLoss(loss)(SOFT, SCORES)) == pytest.approx(expected, rel=1e-5)
    assert float(loss(SOFT, SCORES)) != pytest.approx(expected, rel=1e-2), "which alone takes any share for 1"


def test_of_the_cross_entropy_it_is_the_cross_entropy():
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    assert float(SoftLabelLoss(loss)(SOFT, SCORES)) == pytest.approx(float(loss(SOFT, SCORES)), rel=1e-5)


def test_more_labels_and_two_classes():
    y = np.array([[0.2, 0.3, 0.5, 0.0]], "float32")
    hinge = margin.get("l1_hinge")
    expected = sum(share * float(hinge(ONE_HOT[c][None], SCORES[:1])) for c, share in enumerate(y[0]))
    assert float(SoftLabelLoss(hinge, num_labels=3)(y, SCORES[:1])) == pytest.approx(expected, rel=1e-5)
    assert np.isfinite(float(SoftLabelLoss(hinge, num_labels=3)(SOFT[:, :2], SCORES[:, :2])))


def test_saves_and_comes_back():
    loss = SoftLabelLoss(margin.get("l2_hinge"), num_labels=3)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(SOFT, SCORES)) == float(loss(SOFT, SCORES)) and again.num_labels == 3
