"""What an image classifier says of images, and what it looks at."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

from toolkit.methods.grad_cam import grad_cam


def probabilities(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Computes the softmax of a classifier's logits.

    Args:
        classifier: A model from images to logits (batch, classes).
        images: (batch, height, width, channels), 0 to 255.

    Returns:
        float32 (batch, classes).

    Example:

    >>> classifier = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    >>> probabilities(classifier, np.zeros((2, 2, 2, 1), "uint8")).shape
    (2, 3)
    """
    # Not predict_on_batch, which gives each replica of a mirrored model the whole batch.
    logits = classifier.predict(np.asarray(images, "float32"), batch_size=len(images), verbose=0)
    return np.asarray(keras.ops.softmax(logits))


def predictions(classifier: keras.Model, batches: Any, name: str = "") -> tuple[np.ndarray, np.ndarray]:
    """Classifies all images of a data set.

    Args:
        classifier: A model from images to logits (batch, classes).
        batches: A `tf.data.Dataset`, or a list, of (images, labels), that ends.
        name: What stands beside the progress.

    Returns:
        (labels, probabilities): (images,) and float32 (images, classes).

    Example:

    >>> classifier = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    >>> labels, found = predictions(classifier, [(np.zeros((2, 2, 2, 1)), np.array([0, 1]))] * 3)
    >>> labels.shape, found.shape
    ((6,), (6, 3))
    """
    from tqdm import tqdm

    found = []

    def images():
        for each, labels in tqdm(batches, name, len(batches), unit="batch", mininterval=15):
            found.append(np.asarray(labels))
            yield (np.asarray(each, "float32"),)

    # One call for all: each takes a tenth of a second to begin.
    logits = classifier.predict(images(), steps=len(batches), verbose=0)
    return np.concatenate(found), np.asarray(keras.ops.softmax(logits))


def evidence(classifier: keras.Model, images: np.ndarray) -> np.ndarray:
    """Finds what in each image speaks for the class that it is taken for: Grad-CAM of the last feature level.

    Args:
        classifier: A network of `models.image_classifier`, from images to logits.
        images: (batch, height, width, channels), 0 to 255.

    Returns:
        float32 (batch, height, width), 0 to 1.

    Reference: Selvaraju et al. 2017, section 3.
    """
    level = max(layer.name for layer in classifier.layers if layer.name.startswith("level_"))
    return grad_cam(classifier, np.asarray(images, "float32"), level)


def first_kernels(model: keras.Model, most: int = 64) -> np.ndarray:
    """Takes the kernels of a network's first convolution.

    Args:
        model: The network.
        most: How many at most.

    Returns:
        (height, width, inputs, filters).

    Example:

    >>> first_kernels(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(70, 5)])).shape
    (5, 5, 3, 64)
    """
    kernels = (np.asarray(layer.kernel) for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    return next(kernels)[..., :most]


def best_classes(row: Iterable[float], class_names: Iterable[str], k: int = 3) -> str:
    """Words a prediction: the most probable classes and their probabilities.

    Args:
        row: (classes,) probabilities.
        class_names: A name for each class.
        k: How many classes.

    Example:

    >>> best_classes([0.25, 0.7, 0.05], ["cat", "dog", "bird"], k=2)
    'dog 70.0%, cat 25.0%'
    """
    row, class_names = np.asarray(row), list(class_names)
    return ", ".join(f"{class_names[best]} {row[best]:.1%}" for best in np.argsort(-row)[:k])
