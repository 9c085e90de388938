"""Classifiers with dropout before their last layer, whose doubt shows when units are left out at test too."""

from collections.abc import Sequence

import keras

from toolkit.layers.class_names import ClassNames
from toolkit.models import image_blocks, image_classifier


def dropout_classifier(
    architecture: str,
    image_size: int,
    class_names: Sequence[str],
    *,
    dropout: float = 0.25,
    units: int = 64,
    num_layers: int = 1,
    width: int | None = None,
) -> keras.Model:
    """Builds a classifier of images: features, dropout, logits.

    Args:
        architecture: "dense", layers of ReLUs over all pixels, each with dropout after it; or one of
            `image_classifier.ARCHITECTURES`, with dropout after its last features, beside what it has of its own.
        image_size: Height and width of the image, which has three channels.
        class_names: The classes, two or more, which the network keeps.
        dropout: Share of the features that are left out in training.
        units: Of each layer of "dense".
        num_layers: Of "dense".
        width: Of the others: filters of the first convolution; None: as published.

    Returns:
        A model from "image" (batch, image_size, image_size, 3), 0 to 255, to logits (batch, classes), float32. Its
        layers `standardize`, `dropout`, `logits` and `class_names` are found by these names.

    Raises:
        ValueError: Where there is no such architecture.

    Example:

    >>> model = dropout_classifier("dense", 8, ["cat", "dog"], units=16)
    >>> model.output_shape, model.get_layer("logits").input.shape
    ((None, 2), (None, 16))

    Reference: Gal, Ghahramani 2016, arXiv 1506.02142, section 3 (dropout at test).
    """
    if architecture == "dense":
        inputs, x = image_blocks.image_input((image_size, image_size, 3), "small")
        x = keras.layers.Flatten(name="flatten")(x)
        for number in range(num_layers):
            x = keras.layers.Dropout(dropout, name=f"dropout_{number}")(x) if number else x
            x = keras.layers.Dense(units, "relu", name=f"hidden_{number}")(x)
    else:
        shape = (image_size, image_size, 3)
        whole = image_classifier.image_classifier(architecture, shape, len(class_names), width=width, stem="auto")
        inputs, x = whole.input, whole.get_layer("logits").input
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = image_blocks.logits(x, len(class_names))
    return keras.Model(inputs, ClassNames(class_names, name="class_names")(x), name=architecture)
