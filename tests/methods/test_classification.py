import keras
import numpy as np
import scipy.special

from toolkit import models
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.lazy import tensorflow as tf
from toolkit.methods import classification, grad_cam

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3)).astype("uint8")
NETWORK = models.image_classifier.image_classifier("resnet8", (8, 8, 3), 4, width=4)


def test_probabilities_are_the_softmax():
    logits = np.asarray(NETWORK(IMAGES.astype("float32")))
    expected = scipy.special.softmax(logits, axis=-1)
    np.testing.assert_allclose(classification.probabilities(NETWORK, IMAGES), expected, atol=1e-6)


def test_predictions_of_a_data_set_and_of_lists():
    labels = np.arange(10, dtype="int32")
    signature = tf.TensorSpec((None, 8, 8, 3), tf.uint8), tf.TensorSpec((None,), tf.int32)
    plan = shuffled_plan(10, 4, seed=0, shuffle=False)
    batches = Batches(lambda i: (IMAGES[i], labels[i]), plan, signature, num_examples=10)
    found, probabilities = classification.predictions(NETWORK, batches.dataset(num_epochs=1), "test")
    np.testing.assert_array_equal(found, labels)
    np.testing.assert_allclose(probabilities, classification.probabilities(NETWORK, IMAGES), atol=1e-6)
    again = classification.predictions(NETWORK, [(IMAGES[:4], labels[:4]), (IMAGES[4:], labels[4:])])
    np.testing.assert_allclose(again[1], probabilities, atol=1e-6)


def test_evidence_is_grad_cam_of_the_last_level():
    level = sorted(layer.name for layer in NETWORK.layers if layer.name.startswith("level_"))[-1]
    expected = grad_cam.grad_cam(NETWORK, IMAGES.astype("float32"), level)
    np.testing.assert_array_equal(classification.evidence(NETWORK, IMAGES), expected)


def test_first_kernels():
    np.testing.assert_array_equal(classification.first_kernels(NETWORK), NETWORK.get_layer("stem").kernel)
    wide = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(70, 5), keras.layers.Conv2D(3, 1)])
    np.testing.assert_array_equal(classification.first_kernels(wide, 5), np.asarray(wide.layers[0].kernel)[..., :5])


def test_best_classes():
    assert classification.best_classes([0.1, 0.6, 0.3], ["a", "b", "c"], 5) == "b 60.0%, c 30.0%, a 10.0%"
