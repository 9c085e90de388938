"""Random changes of training images and their masks together; a pure function of a seed for each image."""

import dataclasses
from typing import Any

from toolkit.data.draws import draws
from toolkit.data.images.augmentation import recolored
from toolkit.data.masks.files import IGNORED
from toolkit.lazy import tensorflow as tf

GREY = 128  # of what lies outside an image
_OUTSIDE = GREY * 0x010101 + (IGNORED << 24)  # red, green, blue and class in one number, the first the lowest
# Each decision has its own number, so that one that is switched on leaves the others as they were.
_DRAWS = ("scale", "top", "left", "flip", "brightness", "contrast", "saturation")


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training images and their masks are changed, each time that they are seen.

    An image is scaled, a window of it is cut out at random, and perhaps mirrored; images are resampled bilinearly,
    masks to the nearest pixel. Where the scaled image is smaller than the window, it is placed in it at random; what
    is outside the image is grey, and ignored in the mask. What is done to an image depends on `seed` and
    the image's own seed alone, not on the rest of the batch: a resumed training sees the same images.

    Args:
        smallest_scale: The smallest factor of an image's height and width.
        largest_scale: The largest; factors are drawn uniformly between the two.
        flip: Whether to mirror an image left to right with probability 0.5.
        color: Brightness, contrast and saturation are multiplied by factors in 1 - `color` to 1 + `color`, and the
            result is clipped to 0..255; 0: none.
        seed: Decides with an image's own seed.

    Raises:
        ValueError: Where one is out of range; it is named.

    Example:

    >>> import numpy as np
    >>> augmentation = Augmentation(smallest_scale=0.5, largest_scale=2.0)
    >>> pixels = np.arange(2 * 9 * 12 * 4, dtype="uint8").reshape(2, 9, 12, 4)
    >>> images, labels = augmentation(pixels, np.array([[9, 12], [6, 8]]), np.array([5, 6]), (8, 8))
    >>> images.shape, labels.shape
    (TensorShape([2, 8, 8, 3]), TensorShape([2, 8, 8]))

    Reference: Chen et al. 2016 (DeepLab), section 4.1 (scales 0.5 to 1.5); 2017 (v3), section 4.1 (0.5 to 2.0).
    """

    smallest_scale: float = 0.5
    largest_scale: float = 2.0
    flip: bool = True
    color: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.1 <= self.smallest_scale <= self.largest_scale <= 10:
            raise ValueError(
                f"smallest_scale={self.smallest_scale}, largest_scale={self.largest_scale}: expected 0.1 to 10, the "
                "smallest first."
            )
        if not 0 <= self.color <= 1:
            raise ValueError(f"color={self.color}: expected 0 to 1.")

    def __call__(self, pixels: Any, sizes: Any, seeds: Any, crop_size: tuple[int, int]) -> tuple[Any, Any]:
        """Changes images and their masks.

        Args:
            pixels: uint8 (batch, height, width, 4): red, green, blue and class; each image in the upper left corner.
            sizes: int32 (batch, 2), each one's own height and width.
            seeds: int64 (batch,), each one's own.
            crop_size: (height, width) of the result.

        Returns:
            (images, labels): float32 (batch, *crop_size, 3), values 0 to 255, and int32 (batch, *crop_size), 255 where
            ignored.
        """
        drawn, _ = draws(_DRAWS, self.seed, seeds)
        scale = self.smallest_scale + (self.largest_scale - self.smallest_scale) * drawn["scale"]
        mirrored = drawn["flip"] < (0.5 if self.flip else 0.0)
        rows, columns = (
            _places(tf.cast(sizes[:, axis], tf.float64), crop_size[axis], scale, drawn[name], flipped)
            for axis, name, flipped in ((0, "top", None), (1, "left", mirrored))
        )
        outside = _outside(sizes, rows, columns)
        images, labels = _sampled(pixels, sizes, rows, columns, outside)
        images = tf.ensure_shape(images, (None, *crop_size, 3))
        if self.color:
            images = _grey_outside(recolored(images, drawn, color=self.color, lighting=0.0), *outside)
        return images, tf.ensure_shape(labels, (None, *crop_size))


def middle(pixels: Any, sizes: Any, crop_size: tuple[int, int]) -> tuple[Any, Any]:
    """Cuts out the middle of images and their masks, as validation and test see it.

    Args:
        pixels, sizes, crop_size: As `Augmentation` takes them.

    Returns:
        (images, labels): as `Augmentation` gives them, the values as they were; grey and ignored outside.

    Example:

    >>> import numpy as np
    >>> pixels = np.arange(16, dtype="uint8").reshape(1, 2, 2, 4)
    >>> middle(pixels, np.array([[2, 2]]), (2, 4))[1].numpy().tolist()
    [[[255, 3, 7, 255], [255, 11, 15, 255]]]
    """
    starts = (tf.cast(sizes, tf.int32) - tf.constant(crop_size)) // 2
    rows, columns = (starts[:, axis, None] + tf.range(crop_size[axis]) for axis in (0, 1))
    numbers = _taken(_packed(pixels), sizes, rows, columns, _outside(sizes, rows, columns))
    images, labels = tf.cast(_bytes(numbers)[..., :3], tf.float32), _labels(numbers)
    return tf.ensure_shape(images, (None, *crop_size, 3)), tf.ensure_shape(labels, (None, *crop_size))


def _places(length, size, scale, drawn, mirrored):
    """Where in the image, in pixels from its edge, the middles of the window's pixels lie: float64 (batch, size).

    The window begins on a whole pixel of the image, so that a scale of 1 changes no value.
    """
    start = tf.round(drawn * (length * scale - size) / scale)
    steps = tf.cast(tf.range(size), tf.float64) + 0.5
    if mirrored is not None:
        steps = tf.where(mirrored[:, None], size - steps, steps)
    return start[:, None] + steps / scale[:, None]


def _sampled(pixels, sizes, rows, columns, outside):
    """Images between the pixels, and labels of the nearest."""
    packed, (height, width) = _packed(pixels), (rows.shape[1], columns.shape[1])
    nearest = _taken(packed, sizes, *(tf.cast(tf.floor(places), tf.int32) for places in (rows, columns)), outside)
    (top, down), (left, across) = _between(rows), _between(columns)

    def values(row, column):
        """As rows of bytes, because what is spread over four values at a time is slow."""
        found = _bytes(_taken(packed, sizes, row, column, outside))
        return tf.cast(tf.reshape(found, (-1, height, 4 * width)), tf.float32)

    across, down = tf.repeat(across, 4, axis=1)[:, None], down[:, :, None]
    upper, lower = (values(row, left) + (values(row, left + 1) - values(row, left)) * across for row in (top, top + 1))
    images = tf.reshape(upper + (lower - upper) * down, (-1, height, width, 4))[..., :3]
    return images, _labels(nearest)


def _between(places):
    """The pixel whose middle lies before each place, and how far on to the next one the place is."""
    first = tf.floor(places - 0.5)
    return tf.cast(first, tf.int32), tf.cast(places - 0.5 - first, tf.float32)


def _packed(pixels):
    """Red, green, blue and class as one number, of which many are moved at once."""
    return tf.bitcast(tf.convert_to_tensor(pixels), tf.uint32)


def _bytes(numbers):
    return tf.bitcast(numbers, tf.uint8)


def _labels(numbers):
    return tf.bitcast(tf.bitwise.right_shift(numbers, tf.constant(24, tf.uint32)), tf.int32)


def _outside(sizes, rows, columns):
    """Which rows and which columns lie outside the image."""
    lengths = tf.cast(sizes, rows.dtype)
    return tuple((places < 0) | (places >= lengths[:, axis, None]) for axis, places in ((0, rows), (1, columns)))


def _taken(packed, sizes, rows, columns, outside):
    """Numbers at whole places, those at the edge for places beyond it; grey and ignored where it is outside.

    Rows are moved whole, and columns too, as rows of what is turned on its side: ten times as fast as pixel by pixel.
    """
    last = tf.cast(sizes, tf.int32) - 1
    rows, columns = (tf.clip_by_value(each, 0, last[:, axis, None]) for axis, each in ((0, rows), (1, columns)))
    found = tf.transpose(tf.gather(packed, rows, batch_dims=1), (0, 2, 1))
    found = tf.transpose(tf.gather(found, columns, batch_dims=1), (0, 2, 1))
    above, beside = outside
    return tf.where(above[:, :, None] | beside[:, None, :], tf.constant(_OUTSIDE, tf.uint32), found)


def _grey_outside(images, above, beside):
    _, height, width, channels = images.shape
    outside = above[:, :, None] | tf.repeat(beside, channels, axis=1)[:, None]
    changed = tf.where(outside, float(GREY), tf.reshape(images, (-1, height, width * channels)))
    return tf.reshape(changed, (-1, height, width, channels))
