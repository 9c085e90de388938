"""What a trained image classifier offers a program: images or camera frames to the probabilities of classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toolkit import models
from toolkit.export import signature
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served

_CALIBRATED_WITH = 200  # images


def image_classifier(
    model: Any,
    *,
    test: tuple[Sequence, Sequence[int]],
    train: Sequence,
    class_names: Sequence[str] | None = None,
    stored_size: int | None = None,
    exported_size: tuple[int, int] | None = None,
    max_measured: int = 1000,
    calibrated: bool = True,
) -> Served:
    """Makes the signature of an image classifier: "classify", from "image" to "probabilities" and "classes".

    An image in another size than the network's is shrunk and its middle square cut out, in the graph, about as
    `data.images` reads files.

    Args:
        model: The trained Keras model, from images (batch, side, side, 3), 0 to 255, to logits, alone or in a
            dictionary as "logits".
        test: (images, labels): uint8 (side, side, 3), squares as large as `stored_size` or as the network's, one by
            one by `images[i]`, such as an array or a `data.images.Store`; and their class numbers. On the first of
            them the exported files are compared with the model, and on some, evenly spaced, their accuracy is measured.
        train: Images in the same way: what int8's ranges are measured on.
        class_names: A name for each class; None: those that the model keeps, as `layers.ClassNames`.
        stored_size: The side of the squares from whose middle the network sees a part, where its training cropped
            (`Augmentation.stored_size`); None: it sees all.
        exported_size: (height, width) of the images that a program gives; None: the network's.
        max_measured: Test images that are measured, at most.
        calibrated: Whether the softmax is meant as probabilities; of a margin loss' scores it is not.

    Returns:
        What an export is made of; its measure gives "top_1_accuracy_percent" and "images".

    Raises:
        ValueError: Where the class names are not as many as the logits, or the model keeps none and none are given.
    """
    classifier = models.image_classifier.classifier(model)
    images, labels = test
    side, names = classifier.input_shape[1], class_names_of(model, classifier.output_shape[-1], class_names)
    size = exported_size or (side, side)

    def inputs(images, most):
        for i in np.linspace(0, len(images) - 1, min(most, len(images))).round().astype(int):
            image = _cut(images[i], side) if size == (side, side) else _framed(images[i], *size)
            yield i, {"image": image[None]}

    def measure(call):
        right = [
            int(call("classify", **given)["classes"][0, 0]) == labels[i] for i, given in inputs(images, max_measured)
        ]
        return {"top_1_accuracy_percent": 100 * float(np.mean(right)), "images": len(right)}

    units = {
        "probabilities": "of each class" if calibrated else "softmax of each class's score",
        "classes": "the most probable ones' numbers, best first",
    }
    image = (1, *size, 3), "uint8", "RGB, 0 to 255"
    return Served(
        signatures={"classify": signature(_classify(classifier, stored_size or side), image=image, outputs=units)},
        trackables=(classifier,),
        examples={"classify": next(inputs(images, 1))[1]},
        calibrate=lambda: ({"classify": given} for _, given in inputs(train, _CALIBRATED_WITH)),
        measure=measure,
        card={"classes": names},
    )


def _classify(classifier, stored):
    side, num_classes = classifier.input_shape[1], classifier.output_shape[-1]

    def classify(image):
        probabilities = tf.nn.softmax(classifier(_fitted(tf.cast(image, tf.float32), side, stored)))
        best = tf.math.top_k(probabilities, min(5, num_classes))
        return {"probabilities": probabilities, "classes": best.indices}

    return classify


def class_names_of(model: Any, num_classes: int, given: Sequence[str] | None = None) -> list[str]:
    """Finds the names of a network's classes.

    Args:
        model: A Keras model, which may keep them as `layers.ClassNames`.
        num_classes: How many there must be.
        given: What they are; None: what the model keeps.

    Returns:
        A name for each class.

    Raises:
        ValueError: Where they are not as many, or the model keeps none and none are given.
    """
    if given is None:
        layers = {layer.name: layer for layer in model.layers}
        if "class_names" not in layers:
            raise ValueError(f"{model.name} keeps no names of its classes (layers.ClassNames): give class_names.")
        given = layers["class_names"].names
    if len(given) != num_classes:
        raise ValueError(f"{len(given)} class_names for {num_classes} logits.")
    return list(given)


def _fitted(image, side, stored):
    """The middle square of images (batch, height, width, 3), as the data is read, in the network's size; a graph."""
    if tuple(image.shape[1:3]) == (side, side):
        return image  # cut already
    factor = max(1, min(image.shape[1:3]) // stored)
    if factor > 1:  # means of whole blocks first: bilinear sampling alone would leave pixels out
        image = tf.nn.avg_pool2d(image, factor, factor, "VALID")
    shorter = min(image.shape[1:3])
    if shorter != stored:
        image = tf.image.resize(image, [round(length * stored / shorter) for length in image.shape[1:3]])
    top, left = ((length - side) // 2 for length in image.shape[1:3])
    return image[:, top : top + side, left : left + side]


def _cut(image, side):
    """The middle of a square image."""
    start = (len(image) - side) // 2
    return image[start : start + side, start : start + side]


def _framed(image, height, width):
    """A square image as a camera's frame would have it in its middle."""
    if image.shape[:2] == (height, width):
        return image
    shorter = min(height, width)
    frame = tf.image.resize_with_pad(tf.image.resize(image, (shorter, shorter)), height, width)
    return np.clip(np.round(frame), 0, 255).astype("uint8")
