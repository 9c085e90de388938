"""Images with a class label, read and held in a store, as batches for a training."""

import dataclasses
import hashlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from toolkit.data import sources, splitting
from toolkit.data.contents import check_classes
from toolkit.data.images import copies
from toolkit.data.images.augmentation import Augmentation, centre_crop
from toolkit.data.images.readers import READERS, sniff
from toolkit.data.images.statistics import mean_and_scale
from toolkit.data.images.store import Store, stored
from toolkit.data.label_noise import flipped
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.files import limits
from toolkit.files.names import printable
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")
_SAMPLE = 2048  # training images that are measured
_TOGETHER, _BYTES = 64, 1 << 26  # images that are read at once where many are looked at, and bytes of a channel


@dataclasses.dataclass(frozen=True)
class Part:
    """The images of a split, as they are kept, and their labels.

    Args:
        store: The images.
        labels: int32 (examples,).
    """

    store: Store
    labels: np.ndarray


def noise(image_size: int) -> dict[str, Part]:
    """Makes parts of noise, on which exported files are compared where the images are not there any more.

    Args:
        image_size: Height and width, in pixels.

    Returns:
        "train" and "test", of two images each.

    Example:

    >>> noise(8)["test"].store.shape
    (2, 8, 8, 3)
    """
    pixels = np.random.default_rng(0).integers(0, 256, (2, image_size, image_size, 3)).astype("uint8")
    return dict.fromkeys(("train", "test"), Part(pixels, np.zeros(2, "int32")))


@dataclasses.dataclass(frozen=True)
class Images:
    """Images with a class label.

    Args:
        splits: Batches of (image, label): float32 (batch, image_size, image_size, channels), 0 to 255, and int32
            (batch,).
        class_names: The classes, in the order of their labels.
        skipped: What was left out, each with its path and why.
        parts: By split, the images as they are kept: before the middle is cut out or anything is changed at random.
        image_size: The side of the images in the batches.
        left_out: What was found beside the images and is not read, each with its path and why.
    """

    splits: Splits
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    parts: dict[str, Part]
    image_size: int
    left_out: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """By split, the number of examples of each class."""
        return {split: np.bincount(part.labels, minlength=len(self.class_names)) for split, part in self.parts.items()}

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these images apart from others, for JSON: the classes, every label, figures of the pixels."""
        labels = {split: hashlib.sha256(part.labels.tobytes()).hexdigest()[:16] for split, part in self.parts.items()}
        return {"classes": list(self.class_names), "labels": labels, "images": self.splits.contents}

    def blocks(self, split: str, num_images: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Reads examples evenly spaced over a split, as validation would see them, some at a time.

        Args:
            split: "train", "validation" or "test".
            num_images: How many; at most those there are.

        Yields:
            (images, labels): uint8 (n, image_size, image_size, channels) and int32 (n,).
        """
        part = self.parts[split]
        chosen = np.linspace(0, len(part.labels) - 1, min(num_images, len(part.labels))).round().astype(int)
        together = max(1, min(_TOGETHER, _BYTES // max(1, self.image_size**2)))
        for start in range(0, len(chosen), together):
            indices = chosen[start : start + together]
            yield self.cut(part.store.read(indices)), part.labels[indices]

    def examples(self, split: str, num_images: int) -> Iterator[np.ndarray]:
        """Reads the images of `blocks` one by one.

        Args:
            split: As there.
            num_images: As there.

        Yields:
            uint8 (image_size, image_size, channels).
        """
        for images, _ in self.blocks(split, num_images):
            yield from images

    def cut(self, images: np.ndarray) -> np.ndarray:
        """Cuts out the middle of images as they are kept.

        Args:
            images: (n, side, side, channels).

        Returns:
            (n, image_size, image_size, channels).
        """
        start = (images.shape[1] - self.image_size) // 2
        return images[:, start : start + self.image_size, start : start + self.image_size]

    def one_hot(self, heads: Sequence[str]) -> Splits:
        """Makes batches as `fit` takes them for a network of several heads.

        Args:
            heads: The network's outputs by name.

        Returns:
            Batches of (image, {head: float32 (batch, classes)}), all heads with the same targets.
        """
        return self.splits.map(
            lambda image, label: (image, dict.fromkeys(heads, tf.one_hot(label, len(self.class_names))))
        )

    def for_classes(self, names: Sequence[str], of: str) -> "Images":
        """Checks that the images have a network's classes, and returns them.

        Args:
            names: Its classes, in the order of its logits.
            of: What knows these, for the error.

        Returns:
            These same images.

        Raises:
            ValueError: Where the classes, or their order, differ.
        """
        check_classes(self.class_names, names, of)
        return self

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Measures what a network would standardize with, of at most 2,048 training images.

        Returns:
            (mean, scale): float32 (channels,) each, on the scale of 0 to 255; a scale of 0 is given as 1.
        """
        return mean_and_scale(images for images, _ in self.blocks("train", _SAMPLE))


def load(
    source: str,
    *,
    image_size: int,
    batch_size: int,
    seed: int = 0,
    channels: int = 3,
    held_out: float = 0.1,
    augmentation: Augmentation | None = None,
    skip_corrupt: bool = False,
    label_noise: float = 0.0,
    shaped: Callable[[dict[str, Part]], dict[str, Part]] | None = None,
) -> Images:
    """Reads images with a class label.

    Args:
        source: READER:REST. embedded: scikit-learn's 1,797 digits of 8 x 8 pixels, always in the same three
            parts; embedded:N: the first N. embedded:shapes or embedded:textures[:N]: 4,000 or N drawings of
            `data.scenes` with one large object each, whose shape or texture is the class.
            folder:PATH: a folder for each class, in PATH/train and PATH/test and perhaps PATH/validation, under these
            names or others of the kind (`folders.parts`), or in PATH itself; what by its content is one of
            `files.FORMATS`, in folders below too.
            idx:FOLDER: the four files that MNIST is published in, packed or not. npz:FILE: arrays x_train, y_train,
            x_test, y_test and perhaps x_validation, y_validation, as in Keras' mnist.npz; floats are 0 to 1 where none
            is above 1, else 0 to 255. keras:NAME: mnist, fashion_mnist, cifar10 or cifar100, which Keras downloads.
            tfds:NAME: a data set of TensorFlow Datasets with an image and a class label; it is kept on disk as squares.
        image_size: The side of the square images, in pixels. The shorter side is resized to it, the middle is cut out.
        batch_size: Images in a batch.
        seed: Decides the order of the training images, what is held out, and with `augmentation.seed`, to which it is
            added, how images are changed.
        channels: 3 or 1; grey images are repeated, coloured ones become grey.
        held_out: The share of each class's training images that becomes the validation part where there is none, and as
            much again for the test part.
        augmentation: How training images are changed; None: not at all. Where its crop needs room, images are kept
            larger, and validation and test see their middle, as is usual.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.
        label_noise: The share of training images that get a wrong label (`data.label_noise.flipped`).
        shaped: Makes other parts of those that were read, such as a `pool.PoolShape`; None: they stay.

    Returns:
        `Images`. Up to 1 GiB of pixels is decoded at once and kept; else images are decoded for each batch.

    Raises:
        ValueError: Where something is not as expected; folder, file or array are named.
        FileNotFoundError: Where a path does not exist.

    Example:

    >>> images = load("embedded", image_size=8, batch_size=32, channels=1)
    >>> pictures, labels = images.splits.train.peek()
    >>> pictures.shape, labels.shape, len(images.class_names)
    ((32, 8, 8, 1), (32,), 10)
    >>> {split: int(counts.sum()) for split, counts in images.counts.items()}
    {'train': 1259, 'validation': 179, 'test': 359}

    Reference: Krizhevsky et al. 2012, section 2 (the shorter side resized, the middle cut out).
    """
    if image_size < 1:
        raise ValueError(f"--image_size={image_size}: expected 1 or more pixels.")
    if channels not in (1, 3):
        raise ValueError(f"--channels={channels}: expected 1 (grey) or 3 (red, green, blue).")
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.5.")
    augmentation = augmentation or Augmentation()
    augmentation = dataclasses.replace(augmentation, seed=augmentation.seed + seed)
    side = augmentation.stored_size(image_size)
    shape = side, side, channels
    asked = f"A batch of --batch_size={batch_size} images of --image_size={image_size}"
    limits.check(4 * batch_size * math.prod(shape), asked, limits.half_of_memory())
    name, rest = sources.parse(source, READERS, sniff)
    found = READERS[name](rest, shape=shape)
    if len(found.class_names) < 2:
        raise ValueError(f"--data={source} has one class only, {found.class_names[0]}; expected two or more.")
    if found.left_out:
        told = f"--data={source}: files or folders left out: {len(found.left_out)}, such as {found.left_out[0]}"
        print(printable(told), file=sys.stderr)
    stores = stored(found.items, shape, source=source, skip_corrupt=skip_corrupt)
    parts = {s: Part(each, np.asarray(found.labels[s])[each.rows].astype("int32")) for s, each in stores.items()}
    _check_labels(source, parts, found.class_names)
    parts = _three(source, parts, found, held_out, seed)
    parts = parts if shaped is None else shaped(parts)
    if label_noise:
        told, _ = flipped(parts["train"].labels, label_noise, len(found.class_names), seed)
        parts["train"] = dataclasses.replace(parts["train"], labels=told)
    if all(part.store.in_memory for part in parts.values()):
        for split, share in copies.shares(parts["train"].store, {s: parts[s].store for s in SPLITS[1:]}).items():
            if share > copies.MANY:
                print(f"--data={source}: {copies.told(split, share)}", file=sys.stderr)
    batches = {split: _batches(part, batch_size, seed, shape, split == "train") for split, part in parts.items()}
    splits = Splits(
        # The seed is the augmentation's.
        batches["train"].map(lambda images, labels, seeds: (augmentation(images, seeds, image_size), labels), seed=0),
        *(batches[s].map(lambda images, labels: (centre_crop(images, image_size), labels)) for s in SPLITS[1:]),
    )
    skipped = tuple(told for store in stores.values() for told in store.skipped)
    return Images(splits, tuple(found.class_names), skipped, parts, image_size, found.left_out)


def _three(source, parts, found, held_out, seed):
    """All three parts: those that are not there are cut off the training part."""
    missing = {split: held_out for split in SPLITS if split not in parts} if found.cut is None else found.cut
    if missing:
        whole, decides = parts["train"], seed if found.seed is None else found.seed
        rows = splitting.split(len(whole.labels), list(missing.values()), seed=decides, labels=whole.labels)
        cuts = dict(zip(("train", *missing), rows, strict=True))
        parts = {**parts, **{s: Part(whole.store.subset(kept), whole.labels[kept]) for s, kept in cuts.items()}}
    for split in SPLITS:
        if not len(parts[split].labels):
            raise ValueError(
                f"--data={source}: the {split} part is empty: a class needs {len(missing) + 1} images for one to be "
                "held out. Give more images."
            )
    return {split: parts[split] for split in SPLITS}


def _batches(part, batch_size, seed, shape, train):
    def read(indices):
        return part.store.read(indices), part.labels[indices]

    signature = tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32)
    plan = shuffled_plan(len(part.labels), batch_size, seed=seed, shuffle=train)
    return Batches(read, plan, signature, num_examples=len(part.labels))


def _check_labels(source, parts, class_names):
    for split, part in parts.items():
        if len(part.labels) and not 0 <= part.labels.min() <= part.labels.max() < len(class_names):
            raise ValueError(
                f"--data={source}: labels {part.labels.min()} to {part.labels.max()} in the {split} part; "
                f"expected 0 to {len(class_names) - 1}."
            )
    absent = np.setdiff1d(np.arange(len(class_names)), parts["train"].labels)
    if len(absent):
        raise ValueError(f"--data={source}: the class {class_names[absent[0]]} has no image to train on.")
