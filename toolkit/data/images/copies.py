"""Images that are in two parts of a data set, pixel by pixel."""

import hashlib
from collections.abc import Mapping

import numpy as np

from toolkit.data.images.store import Store

MANY = 0.01  # share of a part's images that makes its figures doubtful
_TOGETHER = 256


def digests(images: np.ndarray) -> list[bytes | None]:
    """Computes a digest of each image's pixels.

    Args:
        images: uint8 (images, side, side, channels).

    Returns:
        The digests; None for an image of a single colour: such images are equal without being copies.

    Example:

    >>> one, other, blank = digests(np.array([[[[1, 2]]], [[[1, 3]]], [[[5, 5]]]], "uint8").reshape(3, 1, 2, 1))
    >>> one == other, blank
    (False, None)
    """
    blank = (images[:, ::5, ::5] == images[:, :1, :1]).all((1, 2, 3))  # few are: the others need no second look
    blank[blank] = (images[blank] == images[blank][:, :1, :1]).all((1, 2, 3))
    return [
        None if is_blank else hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
        for image, is_blank in zip(images, blank, strict=True)
    ]


def shares(train: Store, others: Mapping[str, Store]) -> dict[str, float]:
    """Says which share of other parts' images the training part holds too.

    Args:
        train: The images to train on, in memory.
        others: By part, its images.

    Returns:
        By part, from 0 to 1.
    """
    seen = set(_all(train)) - {None}
    return {name: sum(digest in seen for digest in _all(part)) / max(1, len(part)) for name, part in others.items()}


def _all(store):
    for start in range(0, len(store), _TOGETHER):
        yield from digests(store.read(np.arange(start, min(start + _TOGETHER, len(store)))))


def told(split: str, share: float) -> str:
    """Says it in a sentence.

    Args:
        split: The part.
        share: What `shares` returned.

    Example:

    >>> told("test", 0.2)
    '20 % of the test images are training images too, pixel by pixel: its figures would say too much.'
    """
    return (
        f"{100 * share:.0f} % of the {split} images are training images too, pixel by pixel: its figures would say too "
        "much."
    )
