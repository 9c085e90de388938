"""A pool of images whose labels are asked for a few at a time; on purpose, it can be uneven or repetitive."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from toolkit.data.contents import contents_of
from toolkit.data.images import folders
from toolkit.data.images.labelled import Images, Part
from toolkit.data.images.store import Store, stored
from toolkit.data.pipelines import Batches
from toolkit.data.plans import Plan, shuffled_plan
from toolkit.files import binary
from toolkit.lazy import tensorflow as tf

UNKNOWN = -1  # the label of an image whose class nobody has told
_COPIED = 20  # of so many images that are left one is copied
_TOGETHER = 1024


@dataclasses.dataclass(frozen=True)
class PoolShape:
    """Makes a training part uneven, repetitive, or its validation part small: `labelled.load(..., shaped=)`.

    Args:
        imbalance: Images of the first class for one of the last; from class to class the counts fall by the same
            factor (Cui et al. 2019, arXiv 1901.05555, section 5.1). 1: as they are.
        redundancy: Share of the pool that is copies, pixel by pixel, of a twentieth of its other images.
        validation_size: Images that validate, drawn with the classes in their shares; None: all that there are.
        seed: Decides which.

    Raises:
        ValueError: Where a number is out of range.

    Example:

    >>> store = Store(np.zeros((40, 2, 2, 3), "uint8"), np.arange(40))
    >>> part = Part(store, np.repeat(np.arange(2), 20))
    >>> shaped = PoolShape(imbalance=4.0, redundancy=0.4)({"train": part, "validation": part, "test": part})
    >>> np.bincount(shaped["train"].labels).sum(), len(np.unique(shaped["train"].store.rows))
    (np.int64(25), 15)
    """

    imbalance: float = 1.0
    redundancy: float = 0.0
    validation_size: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if not 1 <= self.imbalance < float("inf"):
            raise ValueError(f"--imbalance={self.imbalance}: expected 1 or more: images of the first class for one.")
        if not 0 <= self.redundancy < 1:
            raise ValueError(f"--redundancy={self.redundancy}: expected a share from 0 to less than 1.")
        if self.validation_size is not None and self.validation_size < 1:
            raise ValueError(
                f"--validation_size={self.validation_size}: no validation data, which says which weights of a training "
                "are kept. Expected 1 image or more."
            )

    def __call__(self, parts: Mapping[str, Part]) -> dict[str, Part]:
        """Shapes the parts.

        Args:
            parts: "train" and "validation", and others, which stay as they are.

        Returns:
            The new parts, which share the pixels.

        Raises:
            ValueError: Where there are fewer validation images than asked for.
        """
        random, parts = np.random.default_rng([self.seed, 1]), dict(parts)
        if self.imbalance > 1:
            parts["train"] = _taken(parts["train"], _uneven(parts["train"].labels, self.imbalance, random))
        if self.redundancy:
            parts["train"] = _taken(parts["train"], _repetitive(len(parts["train"].labels), self.redundancy, random))
        if self.validation_size is not None:
            labels = parts["validation"].labels
            if self.validation_size > len(labels):
                raise ValueError(
                    f"--validation_size={self.validation_size}: there are {len(labels)} validation images. Ask for "
                    "fewer, or hold more out where the data has no such part: --held_out."
                )
            parts["validation"] = _taken(parts["validation"], _spread(labels, self.validation_size, random))
        return parts


def _taken(part, rows):
    return Part(part.store.subset(rows), part.labels[rows])


def _uneven(labels, imbalance, random):
    """Rows of which the classes' counts fall from the first to the last; of each class one at least."""
    classes, counts = np.unique(labels, return_counts=True)
    falls = imbalance ** (-np.arange(len(classes)) / max(1, len(classes) - 1))
    wanted = np.clip(np.rint(counts.max() * falls).astype(int), 1, counts)
    rows = [random.permutation(np.flatnonzero(labels == c))[:n] for c, n in zip(classes, wanted, strict=True)]
    return np.sort(np.concatenate(rows))


def _repetitive(number, share, random):
    """As many rows, of which a share are copies of a few others; their order is at random."""
    order = random.permutation(number)
    kept = order[: number - round(share * number)]
    copied = kept[: max(1, len(kept) // _COPIED)]
    return random.permutation(np.concatenate([kept, np.resize(copied, number - len(kept))]))


def _spread(labels, number, random):
    """Rows that have the classes in their shares, as nearly as whole numbers can."""
    order = random.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    return np.sort(by_class[np.linspace(0, len(labels) - 1, number).round().astype(int)])


@dataclasses.dataclass(frozen=True)
class Pool:
    """Images whose labels are asked for, and those that validate and test.

    Args:
        images: Their training part is the pool, its labels what the data says.
        unlabelled: More images of the pool, whose classes nobody has told; None: none.

    Attributes:
        labels: int32 (pool,), what the data says; of `unlabelled` `UNKNOWN`.

    Example:

    >>> from toolkit.data.images.labelled import load
    >>> pool = Pool(load("embedded", image_size=8, batch_size=32))
    >>> len(pool), pool.shown(np.array([3, 5])).shape
    (1259, (2, 8, 8, 3))
    """

    images: Images
    unlabelled: Store | None = None

    @property
    def labels(self) -> np.ndarray:
        """What the data says of each image."""
        known = self.images.parts["train"].labels
        return np.concatenate([known, np.full(len(self) - len(known), UNKNOWN, "int32")])

    @property
    def contents(self) -> dict[str, Any]:
        """What tells this data apart from other."""
        if self.unlabelled is None:
            return self.images.contents
        number = len(self.unlabelled)
        plan = np.array_split(np.arange(number), -(-number // _TOGETHER))
        return self.images.contents | {"unlabelled": contents_of(self.unlabelled.read, plan, number)}

    def __len__(self) -> int:
        """How many images the pool has."""
        return len(self.images.parts["train"].labels) + len(self.unlabelled or ())

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Reads images of the pool, as they are kept.

        Args:
            rows: (n,), their numbers in the pool.

        Returns:
            uint8 (n, side, side, channels).
        """
        store, rows = self.images.parts["train"].store, np.asarray(rows)
        told = rows < len(store)
        found = np.empty((len(rows), *store.read(np.arange(1)).shape[1:]), "uint8")
        found[told] = store.read(rows[told])
        if not told.all():
            found[~told] = self.unlabelled.read(rows[~told] - len(store))
        return found

    def shown(self, rows: np.ndarray) -> np.ndarray:
        """Reads images of the pool as a network sees them, some at a time.

        Args:
            rows: As in `read`.

        Returns:
            uint8 (n, image_size, image_size, channels).
        """
        blocks = np.split(np.asarray(rows), range(_TOGETHER, len(rows), _TOGETHER))
        return np.concatenate([self.images.cut(self.read(block)) for block in blocks])

    def batches(
        self, rows: np.ndarray, labels: np.ndarray, plan: Plan, changed: Callable[[Any, Any], Any] | None = None
    ) -> Batches:
        """Makes batches of images of the pool, under labels that somebody gave.

        Args:
            rows: (n,), their numbers in the pool, in the order in which they were asked for.
            labels: Integers (n,).
            plan: Batches of 0 to n - 1, places in `rows`.
            changed: From images as they are kept and int64 seeds (batch,) to float32 images for the network, such as
                `augmented` makes; None: the middle of each.

        Returns:
            Batches of (image, label): float32 (batch, image_size, image_size, channels), 0 to 255, and int32 (batch,).
            An image's seed stays the same when more are labelled after it.
        """
        rows, labels = np.asarray(rows), np.asarray(labels, "int32")
        size, shape = self.images.image_size, self.read(rows[:1]).shape[1:]

        def read(places):
            return self.read(rows[places]), labels[places]

        signature = tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32)
        batches = Batches(read, plan, signature, num_examples=len(rows))
        if changed is None:
            return batches.map(lambda images, labels: (tf.cast(self.images.cut(images), tf.float32), labels))
        return batches.map(
            lambda images, labels, seeds: (
                tf.ensure_shape(changed(images, seeds), (None, size, size, shape[-1])),
                labels,
            ),
            seed=0,
        )


def plan_of(number: int, batch_size: int, *, seed: int) -> Plan:
    """Plans batches of a few labelled images, in random order.

    Args:
        number: Of images.
        batch_size: Images in a batch; where there are fewer images, all of them.
        seed: With the epoch, decides the order.

    Returns:
        A plan.

    Raises:
        ValueError: Where there is no image.
    """
    if number < 1:
        raise ValueError("No image has a label yet: expected 1 or more to train on.")
    return shuffled_plan(number, min(batch_size, number), seed=seed)


def unlabelled(folder: str, images: Images) -> Store:
    """Reads the images below a folder, whatever folders they lie in, as further images of a pool.

    Args:
        folder: Its path.
        images: The labelled ones, whose size these get.

    Returns:
        A store.

    Raises:
        ValueError: Where there is no image, or one cannot be read; it is named.
        FileNotFoundError: Where nothing is there.
    """
    path = binary.expanded(folder)
    if not path.is_dir():
        raise FileNotFoundError(f"--unlabelled={folder}: no such folder.")
    paths = folders.tree(path).everything("images")
    if not paths:
        raise ValueError(f"--unlabelled={folder}: there is no image in it. Expected JPEG, PNG and the like.")
    shape = images.parts["train"].store.read(np.arange(1)).shape[1:]
    return stored({"unlabelled": paths}, shape, source=f"unlabelled:{folder}")["unlabelled"]
