"""Images of known factors, as batches for a training and to be asked for by their factors."""

import dataclasses
import math
from typing import Any

import numpy as np

from toolkit.data import sources, splitting
from toolkit.data.factors.factor_images import FactorImages
from toolkit.data.factors.readers import READERS, sniff
from toolkit.data.factors.variants import KINDS, Variant, background
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.files import limits
from toolkit.lazy import tensorflow as tf

VARIANTS = ("plain", *KINDS)
_LOOKED_AT = 1000  # combinations that are validated and tested with where none are held out


@dataclasses.dataclass(frozen=True)
class Factors:
    """Images of known factors.

    Args:
        splits: Batches of (image, factors): float32 (batch, height, width, channels), 0 to 1, and int32
            (batch, factors).
        images: All of them, by their factors.
        numbers: By split, (combinations,), which combinations it holds; with each all of its images.
    """

    splits: Splits
    images: FactorImages
    numbers: dict[str, np.ndarray]

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these images apart from others, for JSON: names and sizes, the variant, figures of the pixels."""
        images = self.images
        factors = dict(zip(images.factor_names, images.factor_sizes, strict=True))
        variant = images.variant.kind if images.variant else VARIANTS[0]
        return {"factors": factors, "variant": variant, "images": self.splits.contents}


def load(
    source: str,
    *,
    batch_size: int,
    variant: str = "plain",
    scream: str = "",
    held_out: float = 0.0,
    seed: int = 0,
) -> Factors:
    """Reads images of known factors.

    Args:
        source: READER:REST. embedded:sprites[:SIZES]: 13,824 sprites of shape, scale, orientation, x and y, or as many
            values of each as SIZES says, such as 3x6x40x32x32. dsprites:FILE, shapes3d:FILE, small_norb:FOLDER: as
            published.
        batch_size: Images in a batch.
        variant: "plain"; or, of grey images, "color", "noisy" or "scream": see `Variant`.
        scream: A file, the picture behind the sprites of the variant of that name.
        held_out: The share of the combinations that validates, and as much again that tests, of which none is trained
            on; 0, as in the study: all are trained on, and 1,000 of them validate, 1,000 others test.
        seed: Decides the order of the training images, what is held out or looked at, and what a variant adds.

    Returns:
        `Factors`.

    Raises:
        ValueError: Where something is not as expected; file, flag or array are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the temporary folder has too little room.

    Example:

    >>> found = load("embedded:sprites", batch_size=64)
    >>> images, factors = found.splits.train.peek()
    >>> images.shape, factors.shape, found.images.factor_names
    ((64, 64, 64, 1), (64, 5), ('shape', 'scale', 'orientation', 'x', 'y'))
    >>> bool((found.images.images(factors) == images).all())
    True

    Reference: Locatello et al. 2019, arXiv 1811.12359.
    """
    if batch_size < 1:
        raise ValueError(f"--batch_size={batch_size}: expected 1 or more.")
    if not 0 <= held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share of 0 or more and under 0.5.")
    if variant not in VARIANTS:
        raise ValueError(f"--variant={variant}: expected one of {', '.join(VARIANTS)}.")
    if bool(scream) != (variant == "scream"):
        raise ValueError("--scream is the picture behind the sprites of --variant=scream: name both, or neither.")
    name, rest = sources.parse(source, READERS, sniff)
    images = READERS[name](rest)
    if variant != "plain":
        images = _varied(images, source, variant, scream, seed)
    asked = f"A batch of --batch_size={batch_size} images of {' x '.join(map(str, images.image_shape))}"
    limits.check(5 * batch_size * math.prod(images.image_shape), asked, limits.half_of_memory())
    numbers = _parts(len(images), held_out, seed)
    batches = [_batches(images, numbers[split], batch_size, seed, split == "train") for split in numbers]
    return Factors(Splits(*batches), images, numbers)


def _varied(images, source, variant, scream, seed):
    height, width, channels = images.image_shape
    if channels != 1:
        raise ValueError(f"--variant={variant} is of grey images; those of --data={source} are in colour.")
    picture = background(scream, max(height, width)) if scream else None
    return dataclasses.replace(images, variant=Variant(variant, picture, seed))


def _parts(num_combinations, held_out, seed):
    """Which combinations train, validate and test."""
    shares = [held_out or min(1 / 3, _LOOKED_AT / num_combinations)] * 2
    train, *others = splitting.split(num_combinations, shares, seed=seed)
    if not held_out:
        train = np.arange(num_combinations)
    return dict(zip(("train", "validation", "test"), map(np.sort, (train, *others)), strict=True))


def _batches(images, numbers, batch_size, seed, train):
    num_images = images.places.shape[1]

    def read(indices):
        chosen, which = np.divmod(indices, num_images)
        chosen = numbers[chosen]
        return images.pixels(images.places[chosen, which]), images.factors(chosen).astype("int32")

    def finished(pixels, factors, *seeds):
        return images.variant(pixels, *seeds) if seeds else tf.cast(pixels, tf.float32) / 255.0, factors

    num_examples = len(numbers) * num_images
    plan = shuffled_plan(num_examples, batch_size, seed=seed, shuffle=train)
    shape = (*images.image_shape[:2], 1 if images.variant else images.image_shape[2])
    signature = tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None, len(images.factor_sizes)), tf.int32)
    return Batches(read, plan, signature, num_examples=num_examples).map(finished, seed if images.variant else None)
