"""Random changes of training images: crop, flip, colours, erasing; a pure function of a seed for each image."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from toolkit.data.draws import draws
from toolkit.lazy import tensorflow as tf

CROPS = ("none", "shift", "window", "area")
# Images are kept this much larger than they are shown where a crop needs room: 256 for 224.
ROOM = 0.875
_ASPECT = 3 / 4, 4 / 3
_ERASED_AREA = 0.02, 0.4
_ERASED_ASPECT = 0.3, 1 / 0.3
_LUMA = (0.299, 0.587, 0.114)
# The principal components of ImageNet's colours, on the scale of 0 to 255.
_COMPONENTS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])
_DEVIATIONS = 255 * np.array([0.2175, 0.0188, 0.0045])
# Each decision has its own number, so that one that is switched on leaves the others as they were.
_DRAWS = (
    ("flip", "area", "aspect", "top", "left", "brightness", "contrast", "saturation")
    + tuple(f"lighting_{number}" for number in range(6))
    + ("erase", "erased_area", "erased_aspect", "erased_top", "erased_left", "noise")
)


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training images are changed, each time that they are seen.

    What is done to an image depends on `seed` and the image's own seed alone, not on the batch that it stands in: a
    training that was killed goes on with the same images.

    Args:
        crop: "none": the middle. "shift": black borders an eighth of the image wide, and a place in it that lies at
            random, whole pixels away from the middle (He et al. 2016, section 4.2). "window": a square at random from
            an image that is kept 1 / 0.875 times as large (Krizhevsky et al. 2012, section 4.1). "area": a part of
            `smallest_area` to all of the image, width to height 3/4 to 4/3, resized (Szegedy et al. 2015, section 6).
        flip: Whether to mirror every second image, at random, left to right.
        color: Brightness, contrast and saturation are multiplied by factors in 1 - `color` to 1 + `color`, and the
            result is clipped to 0..255; 0: none.
        lighting: Standard deviation of the steps along the principal components of ImageNet's colours, as in
            Krizhevsky et al. 2012, where it is 0.1; 0: none, and so it is for grey images.
        erasing: Probability that a rectangle of 2 to 40 % of the image becomes noise (Zhong et al. 2017).
        smallest_area: Of `crop="area"`.
        seed: Decides with an image's own seed.

    Raises:
        ValueError: Where one is out of range; it is named.

    Example:

    >>> augmentation = Augmentation(crop="shift", flip=True)
    >>> images = np.arange(2 * 8 * 8 * 1, dtype="uint8").reshape(2, 8, 8, 1)
    >>> changed = augmentation(images, np.array([5, 6]), 8)
    >>> alone = augmentation(images[1:], np.array([6]), 8)
    >>> changed.shape, bool(np.all(changed[1] == alone[0]))
    (TensorShape([2, 8, 8, 1]), True)
    """

    crop: str = "none"
    flip: bool = False
    color: float = 0.0
    lighting: float = 0.0
    erasing: float = 0.0
    smallest_area: float = 0.08
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the settings."""
        if self.crop not in CROPS:
            raise ValueError(f"crop={self.crop!r}: expected one of {', '.join(CROPS)}.")
        for name, low, high in (("color", 0, 1), ("lighting", 0, 10), ("erasing", 0, 1)):
            if not low <= getattr(self, name) <= high:
                raise ValueError(f"{name}={getattr(self, name)}: expected {low} to {high}.")
        if not 0 < self.smallest_area <= 1:
            raise ValueError(f"smallest_area={self.smallest_area}: expected more than 0, and 1 at most.")

    def stored_size(self, image_size: int) -> int:
        """Says the side of the squares to crop from.

        Args:
            image_size: The side of the result.

        Returns:
            `image_size`, or 1 / 0.875 times as much where the crop needs room.
        """
        return round(image_size / ROOM) if self.crop in ("window", "area") else image_size

    def __call__(self, images: Any, seeds: Any, image_size: int) -> Any:
        """Changes images.

        Args:
            images: uint8 or float32 (batch, height, width, channels), values 0 to 255.
            seeds: int64 (batch,), each image's own.
            image_size: The side of the result.

        Returns:
            float32 (batch, image_size, image_size, channels), values 0 to 255.

        Raises:
            ValueError: Where the images are smaller than `image_size`, but for `crop="area"`.
        """
        images = tf.convert_to_tensor(images)
        if self.crop != "area":
            _check_room(images, image_size)
        drawn, noise_keys = draws(_DRAWS, self.seed, seeds)
        images = self._cropped(images, drawn, image_size)
        channels = images.shape[-1]
        if self.color or (self.lighting and channels == 3):
            images = recolored(images, drawn, color=self.color, lighting=self.lighting)
        if self.erasing:
            images = self._erased(images, drawn, noise_keys, image_size, channels)
        return tf.ensure_shape(images, (None, image_size, image_size, channels))

    def _cropped(self, images, drawn, size):
        height, width = images.shape[1:3]
        mirrored = drawn["flip"] < (0.5 if self.flip else 0.0)
        if self.crop == "area":
            return self._resized(images, drawn, mirrored, size)
        if self.crop == "none":
            images = _middle(images, size)
            if not self.flip:
                return tf.cast(images, tf.float32)
            left = tf.zeros_like(mirrored, tf.int32)
        else:
            if self.crop == "shift":
                border = size // 8
                images = tf.pad(_middle(images, size), [[0, 0], [border] * 2, [border] * 2, [0, 0]])
                height = width = size + 2 * border
            top, left = (
                tf.cast(drawn[name] * (room + 1), tf.int32)
                for name, room in (("top", height - size), ("left", width - size))
            )
            # Whole rows, then whole pixels: faster than a transform of each value, and exact.
            images = tf.gather(images, top[:, None] + tf.range(size), batch_dims=1)
        columns = tf.where(mirrored[:, None], tf.range(size - 1, -1, -1), tf.range(size))
        return tf.cast(tf.gather(images, left[:, None] + columns, axis=2, batch_dims=1), tf.float32)

    def _resized(self, images, drawn, mirrored, size):
        height, width = images.shape[1:3]
        share = self.smallest_area + (1 - self.smallest_area) * drawn["area"]
        rows, columns = _sides(share, drawn["aspect"], _ASPECT)  # as parts of the image's own height and width
        # What is enlarged begins and ends beyond the centres of the outermost pixels: they are repeated once.
        images = tf.concat([images[:, :1], images, images[:, -1:]], axis=1)  # tf.pad is ten times as slow
        images = tf.concat([images[:, :, :1], images, images[:, :, -1:]], axis=2)

        def ends(side, place, pixels):
            """The centres of the result's first and last pixel, on the scale on which those of the image are 0 to 1."""
            start, step = (1 - side) * place * pixels, side * pixels / size
            # A hair inside: what is rounded to outside would be black.
            last = pixels + 1
            first, final = (tf.clip_by_value(start + step * at + 0.5, 1e-3, last - 1e-3) for at in (0.5, size - 0.5))
            return first / last, final / last

        (top, bottom), (left, right) = ends(rows, drawn["top"], height), ends(columns, drawn["left"], width)
        left, right = tf.where(mirrored, right, left), tf.where(mirrored, left, right)
        boxes = tf.cast(tf.stack([top, left, bottom, right], axis=1), tf.float32)
        return tf.image.crop_and_resize(images, boxes, tf.range(tf.shape(images)[0]), (size, size))

    def _erased(self, images, drawn, noise_keys, size, channels):
        low, high = _ERASED_AREA
        sides = _sides(low + (high - low) * drawn["erased_area"], drawn["erased_aspect"], _ERASED_ASPECT)

        def inside(side, place, pixels):
            side = tf.maximum(tf.round(side * size), 1)
            start = tf.floor(place * (size - side + 1))[:, None]
            return (pixels >= start) & (pixels < start + side[:, None])

        pixels = np.arange(size, dtype="float64")
        rows = inside(sides[0], drawn["erased_top"], pixels) & (drawn["erase"] < self.erasing)[:, None]
        values = inside(sides[1], drawn["erased_left"], pixels.repeat(channels))
        mask = rows[:, :, None] & values[:, None, :]
        numbers = np.random.default_rng(0).integers(0, 1 << 32, (size, size * channels), np.uint32)
        noise = tf.constant(numbers) + noise_keys[:, None, None]
        noise ^= tf.bitwise.right_shift(noise, tf.constant(15, tf.uint32))
        noise *= tf.constant(0x2C1B3C6D, tf.uint32)
        noise = tf.cast(tf.bitwise.right_shift(noise, tf.constant(24, tf.uint32)), tf.float32)
        erased = tf.where(mask, noise, tf.reshape(images, (-1, size, size * channels)))
        return tf.reshape(erased, (-1, size, size, channels))


def recolored(images: Any, drawn: Mapping[str, Any], *, color: float, lighting: float) -> Any:
    """Changes brightness, contrast, saturation and light of images.

    Args:
        images: float32 (batch, height, width, channels), values 0 to 255, of known height, width and channels.
        drawn: What `draws` drew as brightness, contrast and saturation, and lighting_0 to lighting_5.
        color: As in `Augmentation`.
        lighting: As in `Augmentation`.

    Returns:
        float32, the same shape, values 0 to 255.
    """
    # All of it is one affine map of an image's colours, so pixels are read and written once. The numbers are whole
    # multiples of a power of two, small enough for float32 to hold each sum exactly: it does not matter in which
    # order a matrix product adds, which depends on the batch's size.
    height, width, channels = images.shape[1:]
    images = tf.round(images)
    brightness, contrast, saturation = (
        1 + color * (2 * drawn[name] - 1) for name in ("brightness", "contrast", "saturation")
    )
    luma = tf.constant(_LUMA if channels == 3 else [1 / channels] * channels, tf.float64)
    rows = tf.reduce_sum(tf.reshape(images, (-1, height, width * channels)), 1)  # fast: whole rows are added
    total = tf.reduce_sum(tf.reshape(tf.cast(rows, tf.float64), (-1, width, channels)), 1)
    grey = tf.reduce_sum(total * luma, 1) / (height * width)
    scale = brightness * contrast
    matrix = (scale * saturation)[:, None, None] * tf.eye(channels, dtype=tf.float64)
    matrix += (scale * (1 - saturation))[:, None, None] * luma[:, None]
    offset = tf.tile((brightness * (1 - contrast) * grey)[:, None], (1, channels))
    if lighting and channels == 3:
        u = [drawn[f"lighting_{number}"] for number in range(6)]
        normal = [tf.sqrt(-2 * tf.math.log(1 - u[k])) * tf.cos(2 * math.pi * u[k + 3]) for k in range(3)]
        steps = lighting * tf.stack(normal, axis=1) * _DEVIATIONS
        offset += tf.reduce_sum(steps[:, None, :] * _COMPONENTS, 2)
    matrix, offset = (tf.cast(tf.round(numbers * 4096) / 4096, tf.float32) for numbers in (matrix, offset))
    images = tf.matmul(tf.reshape(images, (-1, height * width, channels)), matrix)
    # Rows of pixels, because a sum that is spread over three values at a time is slow.
    images = tf.reshape(images, (-1, height, width * channels)) + tf.tile(offset[:, None], (1, 1, width))
    return tf.reshape(tf.minimum(tf.nn.relu(images), 255.0), (-1, height, width, channels))


def centre_crop(images: Any, image_size: int) -> Any:
    """Cuts out the middle of images, as validation and test see it.

    Args:
        images: (batch, height, width, channels).
        image_size: The side of the result.

    Returns:
        float32 (batch, image_size, image_size, channels), the values as they were.

    Raises:
        ValueError: Where the images are smaller.

    Example:

    >>> centre_crop(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].numpy().tolist()
    [[5.0, 6.0], [9.0, 10.0]]
    """
    images = tf.convert_to_tensor(images)
    _check_room(images, image_size)
    return tf.cast(_middle(images, image_size), tf.float32)


def _check_room(images, size):
    if min(images.shape[1:3]) < size:
        raise ValueError(f"Images of {images.shape[1]} x {images.shape[2]} have no part of {size} x {size}.")


def _middle(images, size):
    top, left = ((side - size) // 2 for side in images.shape[1:3])
    return images[:, top : top + size, left : left + size]


def _sides(area, place, aspects):
    """Height and width of a rectangle, as parts of a square: the aspect at random among those that fit into it."""
    low = tf.maximum(tf.math.log(area), math.log(aspects[0]))
    high = tf.minimum(-tf.math.log(area), math.log(aspects[1]))
    aspect = tf.exp(low + (high - low) * place)
    return tf.sqrt(area / aspect), tf.sqrt(area * aspect)
