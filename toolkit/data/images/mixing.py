"""Training images mixed two by two, and their labels alike: mixup and CutMix; a pure function of the images' seeds."""

import dataclasses
import math
from typing import Any

from toolkit.data.draws import draws
from toolkit.lazy import tensorflow as tf

_DRAWS = ("order", "which", "radius", "angle", "row", "column")
_LARGEST = 1e6


@dataclasses.dataclass(frozen=True)
class Mixing:
    """Mixes each image of a batch with another one of it, and the two labels with the same shares.

    Mixup: λ x + (1 - λ) x', λ ~ Beta(α, α). CutMix: a rectangle of 1 - λ of the image, its middle anywhere, is cut out
    of x', and what of it lies inside replaces x; λ is then the share of x that is left. The labels become λ y + (1 - λ)
    y'. Partners: the batch's images stand in a circle, in an order at random, and each is mixed with the next.

    What is drawn depends on `seed` and the images' own seeds alone, not on their order in the batch: a training that
    was killed goes on with the same mixtures. Which images can meet is the batch's matter; where several processes
    share a batch, each mixes its own part.

    Args:
        mixup: α of mixup; 0: none.
        cutmix: α of CutMix; 0: none. With both, each is taken half of the times.
        per_example: Whether λ, and which of the two is done, is drawn for each image, or once for a batch, as the
            papers' programs do.
        seed: Decides with the images' seeds.

    Raises:
        ValueError: Where neither is asked for, or an α is out of range.

    Example:

    >>> import numpy as np
    >>> mixing = Mixing(mixup=1.0)
    >>> images, labels = 100.0 * np.eye(2, dtype="float32").reshape(2, 1, 2, 1), np.eye(2, dtype="float32")
    >>> mixed, soft = mixing(images, labels, np.array([5, 6]))
    >>> bool(np.allclose(mixed[:, 0, :, 0], 100 * soft)), float(np.sum(soft[0]))
    (True, 1.0)

    Reference: Zhang et al. 2018, arXiv 1710.09412, section 2; Yun et al. 2019, arXiv 1905.04899, section 3.1.
    """

    mixup: float = 0.0
    cutmix: float = 0.0
    per_example: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the settings."""
        for name in ("mixup", "cutmix"):
            if not 0 <= getattr(self, name) <= _LARGEST:
                raise ValueError(
                    f"{name}={getattr(self, name)}: expected alpha, more than 0 and at most {_LARGEST:g}; 0: none."
                )
        if not self.mixup and not self.cutmix:
            raise ValueError("Mixing: expected mixup or cutmix, an alpha of more than 0; got 0 for both.")

    def __call__(self, images: Any, targets: Any, seeds: Any) -> tuple[Any, Any]:
        """Mixes a batch, as `Batches.map(mixing, seed=...)` asks for it.

        Args:
            images: (batch, height, width, channels).
            targets: Floats (batch, ...), such as one-hot labels; or several, nested.
            seeds: int64 (batch,), each image's own.

        Returns:
            (images, targets): float32, of the shapes given.

        Raises:
            ValueError: Where a batch is known to hold one image only, or targets are no floats. A single image that is
                left over at an epoch's end stays as it is.
        """
        images = tf.cast(images, tf.float32)
        _check(images, targets)
        drawn, _ = draws(_DRAWS, self.seed, seeds, "mixing")
        order = tf.argsort(drawn["order"])
        partner = tf.gather(tf.roll(order, -1, 0), tf.argsort(order))
        if not self.per_example:  # those of the first in the circle, for all
            drawn = {name: tf.gather(numbers, order[:1]) for name, numbers in drawn.items()}
        cuts = drawn["which"] < (0.5 if self.mixup and self.cutmix else float(self.mixup == 0))
        alpha = tf.where(cuts, tf.constant(self.cutmix, tf.float64), tf.constant(self.mixup, tf.float64))
        share = tf.cast(_symmetric_beta(drawn["radius"], drawn["angle"], alpha), tf.float32)
        weights = share[:, None, None, None]
        if self.cutmix:
            inside = _rectangle(share, drawn, *images.shape[1:3])
            left = 1.0 - tf.cast(inside, tf.float32)
            weights = tf.where(cuts[:, None, None, None], left[..., None], weights)
            share = tf.where(cuts, tf.reduce_mean(left, (1, 2)), share)

        def mixed(values, weights):
            return weights * values + (1.0 - weights) * tf.gather(values, partner)

        def mixed_target(target):
            target = tf.cast(target, tf.float32)
            return mixed(target, tf.reshape(share, [-1] + [1] * (target.shape.rank - 1)))

        return mixed(images, weights), tf.nest.map_structure(mixed_target, targets)


def _check(images, targets):
    if images.shape.rank != 4:
        raise ValueError(f"Mixing: expected images (batch, height, width, channels); got {tuple(images.shape)}.")
    if images.shape[0] == 1:
        raise ValueError("Mixing: a batch of one image has no other one to mix it with; expected two or more.")
    for target in tf.nest.flatten(targets):
        target = tf.convert_to_tensor(target)
        if not target.dtype.is_floating:
            raise ValueError(
                f"Mixing: labels of {target.dtype.name} cannot be mixed: a mixture of classes 1 and 3 is not class 2. "
                "Give floats such as one-hot labels: Images.one_hot, or tf.one_hot(labels, num_classes)."
            )


def _symmetric_beta(radius, angle, alpha):
    """Makes Beta(α, α) of two uniform numbers (Devroye 1996, "Random variate generation in one line of code")."""
    # Student's t of 2 α degrees of freedom in polar form (Bailey 1994), and what makes a Beta of it.
    cosine = tf.cos(2 * math.pi * angle)
    inverse = 1.0 / tf.math.expm1(tf.abs(tf.math.log1p(-radius)) / alpha)
    return tf.clip_by_value(0.5 + 0.5 * cosine * tf.math.rsqrt(cosine * cosine + inverse), 0, 1)


def _rectangle(share, drawn, height, width):
    """Whether each pixel lies in the rectangle that is replaced: (batch or 1, height, width)."""

    def inside(name, pixels):
        middle = tf.cast(drawn[name] * pixels, tf.int32)
        half = tf.cast(tf.sqrt(1.0 - share) * pixels, tf.int32) // 2
        places = tf.range(pixels)
        return (places >= (middle - half)[:, None]) & (places < (middle + half)[:, None])

    return inside("row", height)[:, :, None] & inside("column", width)[:, None, :]
