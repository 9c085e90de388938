"""RandAugment: a few changes of an image, drawn from fourteen, all of one strength; a pure function of its seed.

`keras.layers.RandAugment` draws from a generator whose state goes on from batch to batch: a training that is resumed
could not see the same images.
"""

import dataclasses
from typing import Any

import numpy as np

from toolkit.data.draws import draws
from toolkit.lazy import tensorflow as tf

OPERATIONS = (
    "identity",
    "autocontrast",
    "equalize",
    "rotate",
    "solarize",
    "color",
    "posterize",
    "contrast",
    "brightness",
    "sharpness",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
)
MOST = 30  # the greatest magnitude
_ENHANCEMENT, _DEGREES, _SHEAR, _TRANSLATION = 0.9, 30.0, 0.3, 150 / 331  # at that
_LUMA = (19595, 38470, 7471)  # of 65,536, as Pillow has it
_SMOOTH = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13.0


@dataclasses.dataclass(frozen=True)
class RandAugment:
    """Does `num_operations` changes to each image, one after the other, drawn anew each time that it is seen.

    Every operation has the same strength, `magnitude`, on a scale on which 30 rotates by 30 degrees, shears by 0.3,
    moves by 45 % of the width, keeps 4 bits of 8, inverts all pixels, and changes contrast, brightness, colour and
    sharpness by 0.9; whether to the left or right, up or down, is drawn. What comes in from outside is black. After
    each operation pixels are whole numbers, as in the papers' programs, so a result does not depend on the batch.

    Args:
        num_operations: N of the paper.
        magnitude: M of the paper, 0 to 30.
        seed: Decides with an image's own seed.

    Raises:
        ValueError: Where a number is out of range.

    Example:

    >>> images = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype("float32")
    >>> change = RandAugment(2, 9)
    >>> changed, alone = change(images, np.array([5, 6])), change(images[1:], np.array([6]))
    >>> changed.shape, bool(np.all(changed[1] == alone[0]))
    (TensorShape([2, 8, 8, 3]), True)

    Reference: Cubuk, Zoph, Shlens, Le 2019, arXiv 1909.13719, section 3; ranges as in torchvision's.
    """

    num_operations: int = 2
    magnitude: float = 9
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if self.num_operations < 1:
            raise ValueError(f"num_operations={self.num_operations}: expected 1 or more.")
        if not 0 <= self.magnitude <= MOST:
            raise ValueError(f"magnitude={self.magnitude}: expected 0 to {MOST}.")

    def __call__(self, images: Any, seeds: Any) -> Any:
        """Changes images.

        Args:
            images: (batch, height, width, 3), values 0 to 255, which are rounded.
            seeds: int64 (batch,), each image's own.

        Returns:
            float32, the same shape, whole numbers 0 to 255.
        """
        names = [f"{what}_{number}" for number in range(self.num_operations) for what in ("operation", "sign")]
        drawn, _ = draws(names, self.seed, seeds, "RandAugment")
        images = tf.clip_by_value(tf.round(tf.cast(images, tf.float32)), 0.0, 255.0)
        for number in range(self.num_operations):
            which = tf.cast(drawn[f"operation_{number}"] * len(OPERATIONS), tf.int32)
            sign = tf.where(drawn[f"sign_{number}"] < 0.5, -1.0, 1.0)
            images = changed(images, which, sign, self.magnitude / MOST)
        return images


def changed(images: Any, which: Any, sign: Any, strength: float) -> Any:
    """Does one operation to each image.

    All images go through the same steps, with numbers that change nothing where a step is another operation's.

    Args:
        images: float32 (batch, height, width, 3), whole numbers 0 to 255.
        which: int32 (batch,), places in `OPERATIONS`.
        sign: float32 (batch,), -1 or 1: which way, where an operation has two.
        strength: From 0 to 1.

    Returns:
        float32, the same shape, whole numbers 0 to 255.
    """

    def where(name, value, otherwise):
        chosen = tf.equal(which, OPERATIONS.index(name))
        return tf.where(chosen, tf.cast(value, tf.float32), tf.cast(otherwise, tf.float32))

    factor = 1.0 + sign * _ENHANCEMENT * strength
    grey = _grey(images)
    images = _looked_up(images, _tables(images, grey, which, factor, strength))
    images = _blended(grey[..., None], images, where("color", factor, 1.0))
    images = _blended(_smoothed(images), images, where("sharpness", factor, 1.0))
    angle = where("rotate", sign * strength * _DEGREES * np.pi / 180, 0.0)
    shears = [where(f"shear_{axis}", sign * strength * _SHEAR, 0.0) for axis in "xy"]
    height, width = images.shape[1:3]
    moves = [
        where(f"translate_{axis}", sign * tf.floor(strength * _TRANSLATION * side), 0.0)
        for axis, side in zip("xy", (width, height), strict=True)
    ]
    return _moved(images, angle, shears, moves)


def _grey(images):
    """Pillow's luma, whole numbers (batch, height, width)."""
    total = tf.reduce_sum(tf.cast(images, tf.int32) * tf.constant(_LUMA), axis=-1)
    return tf.cast(tf.bitwise.right_shift(total + 32768, 16), tf.float32)


def _blended(other, images, factor):
    """other + factor (images - other), rounded down as Pillow does."""
    factor = factor[:, None, None, None]
    found = tf.floor(tf.clip_by_value(other + factor * (images - other), 0.0, 255.0) + 1e-3)
    return tf.where(tf.equal(factor, 1.0), images, found)


def _tables(images, grey, which, factor, strength):
    """What each of 256 values becomes, by image and channel: float32 (batch, 3, 256)."""
    values = tf.range(256, dtype=tf.float32)[None, None]
    factor = factor[:, None, None]
    flat = tf.reshape(images, (-1, images.shape[1] * images.shape[2], 3))
    low, high = (find(flat, axis=1)[..., None] for find in (tf.reduce_min, tf.reduce_max))
    stretched = tf.where(high > low, tf.floor((values - low) * (255.0 / tf.maximum(high - low, 1.0)) + 1e-3), values)
    steps = 2.0 ** round(4 * strength)
    pixels = grey.shape[1] * grey.shape[2]
    mean = tf.floor(tf.reduce_sum(tf.reshape(grey, (-1, pixels)), axis=1) / pixels + 0.5)[:, None, None]
    made = {
        "autocontrast": stretched,
        "equalize": _equalizing(flat),
        "solarize": tf.where(values >= 255.0 * (1.0 - strength), 255.0 - values, values),
        "posterize": values - tf.math.floormod(values, steps),
        "contrast": mean + factor * (values - mean),
        "brightness": factor * values,
    }
    tables = tf.broadcast_to(values, (tf.shape(images)[0], 3, 256))
    for name, table in made.items():
        chosen = tf.equal(which, OPERATIONS.index(name))[:, None, None]
        tables = tf.where(chosen, tf.floor(tf.clip_by_value(table, 0.0, 255.0) + 1e-3), tables)
    return tables


def _equalizing(flat):
    """Pillow's equalize: by the counts of the values, each image and channel alone."""
    counts = tf.math.bincount(
        tf.reshape(tf.cast(tf.transpose(flat, (0, 2, 1)), tf.int32), (-1, flat.shape[1])),
        minlength=256,
        maxlength=256,
        axis=-1,
    )
    last = 255 - tf.argmax(tf.cast(counts[:, ::-1] > 0, tf.int32), axis=1, output_type=tf.int32)
    step = (flat.shape[1] - tf.gather(counts, last, batch_dims=1)) // 255
    before = tf.cumsum(counts, axis=1, exclusive=True) + step[:, None] // 2
    found = tf.where(step[:, None] > 0, before // tf.maximum(step[:, None], 1), tf.range(256)[None])
    return tf.reshape(tf.cast(tf.minimum(found, 255), tf.float32), (-1, 3, 256))


def _looked_up(images, tables):
    height, width = images.shape[1:3]
    places = tf.reshape(tf.cast(images, tf.int32), (-1, height * width, 3))
    found = tf.gather(tables, tf.transpose(places, (0, 2, 1)), batch_dims=2)
    return tf.reshape(tf.transpose(found, (0, 2, 1)), (-1, height, width, 3))


def _smoothed(images):
    """Means of each pixel and its neighbours, itself five times; the border stays."""
    kernel = tf.constant(np.repeat(_SMOOTH[:, :, None, None], 3, axis=2), tf.float32)
    if min(images.shape[1:3]) < 3:
        return images
    inner = tf.floor(tf.nn.depthwise_conv2d(images, kernel, (1, 1, 1, 1), "VALID") + 0.5 + 1e-3)
    rows = tf.concat([images[:, 1:-1, :1], inner, images[:, 1:-1, -1:]], axis=2)
    return tf.concat([images[:, :1], rows, images[:, -1:]], axis=1)


def _moved(images, angle, shears, moves):
    """Rotation about the middle, shear and translation, by the nearest pixel: each result's place in the image."""
    height, width = images.shape[1:3]
    cosine, sine = tf.cos(angle), tf.sin(angle)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    # (x, y) of the result comes from (a x + b y + c, d x + e y + f).
    a, b, d, e = cosine, shears[0] - sine, shears[1] + sine, cosine
    c = middle_x - a * middle_x - b * middle_y - moves[0]
    f = middle_y - d * middle_x - e * middle_y - moves[1]
    zero = tf.zeros_like(a)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a, b, c, d, e, f, zero, zero], axis=1),
        output_shape=(height, width),
        interpolation="NEAREST",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
