"""What Locatello et al. add to dSprites at random: a colour, a background of noise, a background of a picture."""

import dataclasses
import os
from typing import Any

import numpy as np

from toolkit.data.draws import draws
from toolkit.data.images.files import opened, plain
from toolkit.files import binary
from toolkit.files.names import printable
from toolkit.lazy import tensorflow as tf

KINDS = ("color", "noisy", "scream")
_LARGEST = 350, 274  # width and height that a background is reduced to, as the study's
_COLORS = ("red", "green", "blue")


@dataclasses.dataclass(frozen=True)
class Variant:
    """Adds to grey images what no factor says, and makes them coloured.

    What is drawn for an image depends on `seed` and the image's own seed alone.

    Args:
        kind: "color": each channel is multiplied by a number of its own, uniform in 0.5 to 1. "noisy": uniform noise in
            0 to 1 is added to each value, and what is above 1 becomes 1, so that a white sprite stays and what is black
            is noise. "scream": a patch of `background` anywhere in it, half of it mixed with half of a uniform colour;
            where the sprite is, inverted.
        background: uint8 (height, width, 3), at least as large as the images; of "scream" alone.
        seed: Decides with an image's own seed.

    Raises:
        ValueError: Where there is no such kind, or a background is missing or of no use.

    Example:

    >>> images = np.full((2, 8, 8, 1), 255, "uint8")
    >>> colored = Variant("color")(images, np.array([5, 6]))
    >>> alone = Variant("color")(images[1:], np.array([6]))
    >>> colored.shape, bool(np.all(colored[1] == alone[0]))
    (TensorShape([2, 8, 8, 3]), True)

    Reference: Locatello et al. 2019, arXiv 1811.12359, section 5 and appendix on data sets.
    """

    kind: str
    background: np.ndarray | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the kind, and that it has a background where it needs one."""
        if self.kind not in KINDS:
            raise ValueError(f"kind={self.kind!r}: expected one of {', '.join(KINDS)}.")
        if (self.background is not None) != (self.kind == "scream"):
            raise ValueError(f"kind={self.kind!r}: a background is what scream has, and no other.")
        if self.background is not None and (self.background.shape[2:] != (3,) or self.background.dtype != np.uint8):
            raise ValueError(
                f"background: expected uint8 (height, width, 3); got {self.background.dtype} {self.background.shape}."
            )

    def __call__(self, images: Any, seeds: Any) -> Any:
        """Makes the variant of images.

        Args:
            images: uint8 (batch, height, width, 1), 0 to 255; of "scream" 0 or 255.
            seeds: int64 (batch,), each image's own.

        Returns:
            float32 (batch, height, width, 3), 0 to 1.

        Raises:
            ValueError: Where the images have another number of channels, or the background is smaller than they are.
        """
        height, width, channels = images.shape[1:]
        if channels != 1:
            raise ValueError(f"the variant {self.kind} is of images of one channel; these have {channels}.")
        images = tf.cast(images, tf.float32) / 255.0
        if self.kind == "noisy":
            return tf.minimum(images + self._noise(seeds, (height, width, 3)), 1.0)
        drawn, _ = draws((*_COLORS, "top", "left", "keys"), self.seed, seeds)
        color = tf.cast(tf.stack([drawn[name] for name in _COLORS], axis=1), tf.float32)[:, None, None, :]
        if self.kind == "color":
            return images * (0.5 + 0.5 * color)
        rooms = self.background.shape[0] - height, self.background.shape[1] - width
        if min(rooms) < 0:
            raise ValueError(
                f"background: {self.background.shape[0]} x {self.background.shape[1]} pixels are too few for images "
                f"of {height} x {width}."
            )
        top, left = (
            tf.cast(drawn[name] * (room + 1), tf.int32) for name, room in zip(("top", "left"), rooms, strict=True)
        )
        patches = tf.gather(tf.constant(self.background), top[:, None] + tf.range(height))
        patches = tf.gather(patches, left[:, None] + tf.range(width), axis=2, batch_dims=1)
        patches = (tf.cast(patches, tf.float32) / 255.0 + color) / 2.0
        return tf.where(images == 1.0, 1.0 - patches, patches)

    def _noise(self, seeds, shape):
        """Uniform in 0 to 1: hashes of an image's key and a number for each value (lowbias32 of Wellons 2018)."""
        _, keys = draws(("noise",), self.seed, seeds)
        numbers = np.random.default_rng(0).integers(0, 1 << 32, shape, np.uint32)
        noise = tf.constant(numbers) + keys[:, None, None, None]
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
            noise = (noise ^ tf.bitwise.right_shift(noise, tf.constant(shift, tf.uint32))) * tf.constant(
                factor, tf.uint32
            )
        return tf.cast(tf.bitwise.right_shift(noise, tf.constant(8, tf.uint32)), tf.float32) * 2.0**-24


def background(path: str | os.PathLike, side: int = 64) -> np.ndarray:
    """Reads the picture whose patches lie behind sprites, in at most 350 x 274 pixels, as the study's.

    Args:
        path: The file.
        side: Pixels of height and width that it must have at least.

    Returns:
        uint8 (height, width, 3).

    Raises:
        ValueError: Where it cannot be read as an image, or is too small or too narrow; it is named.
        FileNotFoundError: Where it is not there.
    """
    with opened(binary.expanded(path)) as image:
        found = plain(image, 3)
        found.thumbnail(_LARGEST)
        found = np.asarray(found)
    if min(found.shape[:2]) < side:
        raise ValueError(
            f"{printable(path)} has {found.shape[1]} x {found.shape[0]} pixels, reduced to at most {_LARGEST[0]} x "
            f"{_LARGEST[1]}; expected {side} or more each way."
        )
    return found
