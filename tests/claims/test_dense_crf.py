"""The dense CRF on scenes whose truth is known: sharper borders, most of all close to them; weights that learn.

The unaries stand for a network's: the truth blurred over some pixels, as by a stride, and noise that is the same over
patches of pixels. Chen et al. 2016, arXiv 1606.00915, section 4.1.3 and figure 10.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from toolkit.data import scenes
from toolkit.data.scenes.scene import CLASSES
from toolkit.layers import DenseCRF
from toolkit.metrics import segmentation

pytestmark = pytest.mark.claims

SIDE, WIDTHS = 96, [1, 2, 4, 8, 16]
MAKE = scenes.Generator(side=SIDE)
NUM_CLASSES = len(CLASSES)
HOW = {"position_stddev": 30.0, "color_stddev": 12.0, "spatial_stddev": 2.0}


def unaries(labels, random):
    truth = np.eye(NUM_CLASSES)[labels]
    noise = ndimage.zoom(random.normal(size=(SIDE // 4, SIDE // 4, NUM_CLASSES)), (4, 4, 1), order=1)
    seen = ndimage.gaussian_filter(truth, (3, 3, 0)) + 0.15 * noise
    return (6.0 * seen).astype("float32")


def examples(numbers):
    """Logits, images, labels."""
    made = [MAKE(0, number) for number in numbers]
    logits = [unaries(scene.labels, np.random.default_rng(n)) for n, scene in zip(numbers, made, strict=True)]
    labels = np.stack([scene.labels for scene in made])
    return np.stack(logits), np.stack([scene.image for scene in made]).astype("float32"), labels


def test_raises_accuracy_round_borders_most_where_they_are_near():
    logits, images, labels = examples(range(8))
    sharp = np.argmax(DenseCRF(10, **HOW)(logits, images), axis=-1)
    before, after = (
        sum(segmentation.trimap_counts(truth, each, WIDTHS) for truth, each in zip(labels, found, strict=True))
        for found in (logits.argmax(-1), sharp)
    )
    gains = 100.0 * (after[:, 0] - before[:, 0]) / before[:, 1]
    assert gains[0] > 5.0 and gains[-1] > 1.0
    assert gains[:3].min() > gains[-1]


def test_kernel_weights_that_are_trained_lower_the_loss():
    """On scenes that they were not trained on."""
    trained, held_out = examples([20, 21]), examples([22, 23])
    layer = DenseCRF(2, **HOW, bilateral_weight=0.2, spatial_weight=0.2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(0.3)
    before = float(loss(held_out[2], layer(*held_out[:2])))
    for _ in range(5):
        with tf.GradientTape() as tape:
            value = loss(trained[2], layer(*trained[:2]))
        optimizer.apply(tape.gradient(value, layer.trainable_variables), layer.trainable_variables)
    assert float(loss(held_out[2], layer(*held_out[:2]))) < 0.9 * before
    assert (np.asarray(layer.kernel_weights) > 0.2).all()
