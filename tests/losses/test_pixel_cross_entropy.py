"""Each pixel's cross-entropy against the formula in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.losses.pixel_cross_entropy import PixelCrossEntropy, balancing


def batch(seed=0, share=0.2):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, (2, 5, 6))
    labels[random.random(labels.shape) < share] = 255
    return labels, random.normal(0, 3, (2, 5, 6, 4)).astype("float32")


def by_formula(labels, logits, weights):
    total = weight = 0.0
    for place in np.ndindex(labels.shape):
        if labels[place] != 255:
            row = logits[place].astype("float64")
            found = np.log(np.exp(row - row.max()).sum()) + row.max() - row[labels[place]]
            total, weight = total + weights[labels[place]] * found, weight + weights[labels[place]]
    return total / weight


@pytest.mark.parametrize("weights", [None, (1.0, 0.0, 2.5, 0.3)])
def test_is_the_weighted_mean_over_pixels_that_count(weights):
    labels, logits = batch()
    expected = by_formula(labels, logits, weights or np.ones(4))
    assert float(PixelCrossEntropy(weights)(labels, logits)) == pytest.approx(expected, rel=1e-5)


def test_is_keras_own_where_that_knows_how():
    labels, logits = batch(1)
    own = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    assert float(PixelCrossEntropy()(labels, logits)) == pytest.approx(float(own(labels, logits)), rel=1e-5)


def test_no_pixel_that_counts_gives_zero_and_ignored_logits_get_no_gradient():
    labels, logits = batch(2)
    assert float(PixelCrossEntropy()(np.full_like(labels, 255), logits)) == 0
    moved = logits + 100 * (labels == 255)[..., None] * np.arange(4, dtype="float32")
    assert float(PixelCrossEntropy()(labels, moved)) == pytest.approx(float(PixelCrossEntropy()(labels, logits)))


def test_comes_back_from_its_config_and_takes_half_precision():
    labels, logits = batch(3)
    loss = PixelCrossEntropy((1, 2, 3, 4), ignored=255)
    again = PixelCrossEntropy.from_config(loss.get_config())
    assert float(again(labels, logits)) == float(loss(labels, logits))
    assert float(loss(labels, logits.astype("float16"))) == pytest.approx(float(loss(labels, logits)), rel=1e-2)


def test_weights_that_cannot_be_are_refused():
    for wrong in ((1.0, -1.0), (1.0, np.inf), ((1.0,), (2.0,))):
        with pytest.raises(ValueError, match="class_weights"):
            PixelCrossEntropy(wrong)
    with pytest.raises(ValueError, match="2 class_weights for logits of 4 classes"):
        PixelCrossEntropy((1.0, 1.0))(*batch())


def test_balancing_makes_classes_count_alike():
    counts = np.array([100, 300, 50, 0])
    weighted = counts * balancing(counts)
    np.testing.assert_allclose(weighted[:3], weighted[0])
    assert weighted[3] == 0
    with pytest.raises(ValueError, match="no pixel"):
        balancing([0, 0])


def test_several_devices_take_their_shares():
    """Of a loss without an axis Keras takes no share: two devices would take steps twice as long."""
    labels, logits = batch(4, share=0.0)
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    assert PixelCrossEntropy(reduction=None)(labels, logits).shape == (2,)
    with strategy.scope():
        loss = PixelCrossEntropy()
        found = strategy.run(lambda: loss(labels, logits))
    assert float(found) == pytest.approx(float(PixelCrossEntropy()(labels, logits)), rel=1e-5)
