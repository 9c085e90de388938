"""A small network that turns an image of a character into a key for a memory: Kaiser et al. 2017, section 4.2."""

import keras


def embedding_cnn(image_size: int, *, key_size: int = 128, filters: int = 64) -> keras.Model:
    """Builds two pairs of 3 x 3 convolutions, each with a max pooling after it, and a dense layer.

    Args:
        image_size: Height and width of the images.
        key_size: Numbers of a key.
        filters: Of the first two convolutions; the other two have twice as many.

    Returns:
        A model from "image" (batch, image_size, image_size, 1), 0 to 255, dark on white, to keys (batch, key_size),
        of any length: a memory compares their directions.

    Raises:
        ValueError: Where images are too small to be pooled twice.

    Example:

    >>> embedding_cnn(28, filters=16).output_shape
    (None, 128)

    Reference: Kaiser et al. 2017, arXiv 1703.03129, section 4.2 (filters=64, images of 28 x 28).
    """
    if image_size < 4:
        raise ValueError(f"image_size={image_size}: expected 4 or more, to be halved twice.")
    image = keras.Input((image_size, image_size, 1), name="image")
    x = keras.layers.Rescaling(-1 / 255, offset=1.0, name="ink")(image)
    for number, width in enumerate((filters, 2 * filters), 1):
        for letter in "ab":
            x = keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{number}{letter}")(x)
        x = keras.layers.MaxPooling2D(2, padding="same", name=f"pool{number}")(x)
    keys = keras.layers.Dense(key_size, name="key")(keras.layers.Flatten(name="flat")(x))
    return keras.Model(image, keys, name="embedding_cnn")
