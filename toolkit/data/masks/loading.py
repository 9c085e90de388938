"""Images with the class of each pixel, read and held in a store, as batches for a training."""

import dataclasses
import functools
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from toolkit.data import sources, splitting, threads
from toolkit.data.contents import check_classes
from toolkit.data.images.statistics import mean_and_scale
from toolkit.data.masks.augmentation import Augmentation, middle
from toolkit.data.masks.files import IGNORED, voc_palette
from toolkit.data.masks.readers import READERS, Palette, sniff
from toolkit.data.masks.store import Numbering, Store, attempted, stored
from toolkit.data.pipelines import Batches, Splits
from toolkit.data.plans import shuffled_plan
from toolkit.files import limits
from toolkit.files.names import printable
from toolkit.lazy import tensorflow as tf

SPLITS = ("train", "validation", "test")
_SAMPLE = 2048  # training images that are measured


@dataclasses.dataclass(frozen=True)
class Masks:
    """Images with the class of each pixel.

    Args:
        splits: Batches of (image, labels): float32 (batch, height, width, 3), 0 to 255, and int32 (batch, height,
            width), 255 where a pixel is ignored.
        class_names: The classes, in the order of their labels.
        skipped: What was left out, each with its path and why.
        parts: By split, the images and masks in the size in which they are kept.
        crop_size: Height and width in the batches.
        left_out: What was found beside them and is not read, each with its path and why.
    """

    splits: Splits
    class_names: tuple[str, ...]
    skipped: tuple[str, ...]
    parts: dict[str, Store]
    crop_size: tuple[int, int]
    left_out: tuple[str, ...] = ()

    @functools.cached_property
    def counts(self) -> dict[str, np.ndarray]:
        """By split, the pixels of each class: (classes,). Where the data is not in memory, all masks are read once."""
        return {split: part.num_pixels[:-1] for split, part in self.parts.items()}

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these images apart from others, for JSON: the classes, figures of the pixels and labels."""
        return {"classes": list(self.class_names), "images": self.splits.contents}

    def examples(self, split: str, num_images: int | None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Reads images and masks, each at its own size: as the files have them, whatever `image_size` is.

        Args:
            split: "train", "validation" or "test".
            num_images: How many, evenly spaced over the split; at most those there are; None: all.

        Yields:
            (image, labels): uint8 (height, width, 3) and uint8 (height, width), 255 where ignored.
        """
        part = self.parts[split]
        for index in spread(len(part), num_images):
            image, numbers = part.examples[index].read()
            yield image, part.numbering.labels(numbers, part.examples[index].name)[0]

    def for_classes(self, names: Sequence[str], of: str) -> "Masks":
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
            (mean, scale): float32 (3,) each, on the scale of 0 to 255; a scale of 0 is given as 1.
        """
        part = self.parts["train"]
        return mean_and_scale(pixels[..., :3] for pixels in threads.each(part.__getitem__, spread(len(part), _SAMPLE)))


def noise(split: str = "test", num_images: int = 2) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Makes images of noise, on which exported files are compared where the images are not there any more.

    Args:
        split: As in `Masks.examples`; all are alike.
        num_images: At most two are made.

    Yields:
        (image, labels): uint8 (64, 64, 3) and uint8 (64, 64), all 0.
    """
    for seed in range(min(2, num_images)):
        yield np.random.default_rng(seed).integers(0, 256, (64, 64, 3), "uint8"), np.zeros((64, 64), "uint8")


def load(
    source: str,
    *,
    batch_size: int,
    image_size: int | None = None,
    crop_size: tuple[int, int] | None = None,
    seed: int = 0,
    held_out: float = 0.1,
    augmentation: Augmentation | None = None,
    class_names: Sequence[str] | None = None,
    num_classes: int | None = None,
    ignored: Sequence[int] = (),
    from_palette: bool | Sequence[tuple[int, int, int]] = False,
    skip_corrupt: bool = False,
) -> Masks:
    """Reads images with the class of each pixel.

    Args:
        source: READER:REST. embedded[:SCENES[:SIDE]]: scenes of `data.scenes`, 1,200 of 64 pixels, made on the spot.
            voc:FOLDER: Pascal VOC's layout: JPEGImages, SegmentationClass and the lists in ImageSets/Segmentation.
            folder:FOLDER: folders of images and of masks, such as FOLDER/train/images and FOLDER/train/masks, or
            FOLDER/images and FOLDER/masks (`folders.paired`). tfds:NAME: a data set of TensorFlow Datasets with an
            image and a segmentation_mask; it is kept on disk.
        batch_size: Images in a batch.
        image_size: Pixels of the shorter side, to which each image and its mask are resized for the batches; None: as
            they are.
        crop_size: (height, width) in the batches; None: those of the images, where all have the same.
        seed: Decides the order of the training images, what is held out, and with `augmentation.seed`, to which it is
            added, how images are changed.
        held_out: The share of the training images that becomes the validation part where there is none, and as much
            again for the test part. Where there is a validation part and no test part, that is tested, as is usual for
            such data, and another one cut off the training part.
        augmentation: How training images are changed; None: not at all, their middle is cut out.
        class_names: The classes by the masks' numbers from 0 on; None: as the reader finds them, in `class_names.txt`,
            `classes.txt` or `labels.txt` beside the images, or else the numbers. Those of ignored numbers are left out.
        num_classes: How many numbers there are, where nobody names them; None: up to the greatest in the training
            masks, which are then all read at the start.
        ignored: Numbers in the masks, beside 255, of pixels that are of no class, such as CamVid's 11. The others
            close up: where 0 is ignored, number 1 is class 0.
        from_palette: True: masks have colours, which are those of VOC's palette; or the colours by number.
        skip_corrupt: Whether to leave out what cannot be read or has no partner, instead of stopping.

    Returns:
        `Masks`. Up to 1 GiB of pixels is decoded at once and kept; else images are decoded for each batch.

    Raises:
        ValueError: Where something is not as expected; folder or file are named.
        FileNotFoundError: Where a path does not exist.

    Example:

    >>> scenes = load("embedded:24", batch_size=4)
    >>> images, labels = scenes.splits.train.peek()
    >>> images.shape, labels.shape, scenes.class_names[:3]
    ((4, 64, 64, 3), (4, 64, 64), ('background', 'circle', 'square'))
    >>> {split: len(part) for split, part in scenes.parts.items()}
    {'train': 20, 'validation': 2, 'test': 2}
    """
    if image_size is not None and image_size < 1:
        raise ValueError(f"--image_size={image_size}: expected 1 or more pixels.")
    if crop_size is not None and min(crop_size) < 1:
        raise ValueError(f"--crop_size={crop_size[0]}x{crop_size[1]}: expected 1 or more pixels.")
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.5.")
    name, rest = sources.parse(source, READERS, sniff)
    found = READERS[name](rest, palette=_palette(from_palette))
    if found.left_out:
        told = f"--data={source}: files or folders left out: {len(found.left_out)}, such as {found.left_out[0]}"
        print(printable(told), file=sys.stderr)
    if found.unpaired and not skip_corrupt:
        raise ValueError(
            f"--data={source}: {found.unpaired[0]}; so it is with {len(found.unpaired)}. Mend or remove them, or leave "
            "them out with --skip_corrupt."
        )
    if class_names and num_classes not in (None, len(class_names)):
        raise ValueError(f"--num_classes={num_classes}, but --class_names has {len(class_names)}.")
    if class_names:
        found = found._replace(class_names=class_names, says="--class_names")
    numbering = _numbering(source, found, num_classes, tuple(ignored), skip_corrupt)
    parts = stored(found.examples, numbering, image_size=image_size, source=source, skip_corrupt=skip_corrupt)
    skipped = (*found.unpaired, *(told for store in parts.values() for told in store.skipped))
    parts = _three(source, parts, held_out, seed)
    crop_size = _crop_size(source, parts, crop_size, batch_size)
    _tell_of_absent(source, parts)
    batches = {split: _batches(part, batch_size, seed, split == "train") for split, part in parts.items()}

    def cut(pixels, sizes):
        return middle(pixels, sizes, crop_size)

    if augmentation is None:
        batches["train"] = batches["train"].map(cut)
    else:
        changed = dataclasses.replace(augmentation, seed=augmentation.seed + seed)
        # The seed is the augmentation's.
        batches["train"] = batches["train"].map(lambda p, sizes, seeds: changed(p, sizes, seeds, crop_size), seed=0)
    splits = Splits(batches["train"], batches["validation"].map(cut), batches["test"].map(cut))
    return Masks(splits, numbering.class_names, skipped, parts, crop_size, found.left_out)


def _palette(given) -> Palette:
    if given is True:
        return voc_palette()
    palette = tuple(tuple(map(int, color)) for color in given or ())
    if len(palette) > 256 or any(len(color) != 3 or not 0 <= min(color) <= max(color) <= 255 for color in palette):
        raise ValueError("from_palette: expected at most 256 colours of red, green and blue, 0 to 255.")
    return palette


def _numbering(source, found, num_classes, ignored, skip_corrupt):
    """Which class each number stands for, as it is said, or else as the training masks have them."""
    if any(not 0 <= number <= IGNORED for number in ignored):
        raise ValueError(f"--ignored={','.join(map(str, ignored))}: expected numbers of 0 to 255.")
    if num_classes is not None and not 2 <= num_classes <= IGNORED:
        raise ValueError(f"--num_classes={num_classes}: expected 2 to 255.")
    names, says = found.class_names, found.says
    if num_classes not in (None, len(names)):
        names, says = tuple(map(str, range(num_classes))), "--num_classes"  # what the reader found is of something else
    if not names:
        greatest = _greatest(source, found.examples["train"], ignored, skip_corrupt)
        names, says = tuple(map(str, range(1 + greatest))), "the training masks"
    known = tuple(name for number, name in enumerate(names[:IGNORED]) if number not in ignored)
    if len(known) < 2 or len(set(known)) < len(known):
        raise ValueError(f"--data={source}: classes {', '.join(known[:5])}; expected two or more, each named once.")
    return Numbering(known, ignored, says)


def _greatest(source, train, ignored, skip_corrupt):
    def numbers(example):
        return np.flatnonzero(np.bincount(example.read()[1].reshape(-1), minlength=256)).tolist()

    with threads.progress(len(train), f"Looking for the classes of {source}") as bar:
        found, _ = attempted(numbers, train, bar, skip_corrupt)
    there = {number for each in found for number in each or ()} - {*ignored, IGNORED}
    if not there:
        raise ValueError(f"--data={source}: no training mask has a pixel that is not ignored.")
    return max(there)


def _three(source, parts, held_out, seed):
    """All three parts: those that are not there are cut off the training part."""
    if "validation" in parts and "test" not in parts:  # what is published of such data is of the validation part
        print(f"--data={source} has no test part: its validation part is tested, and not trained by.", file=sys.stderr)
        parts = {"train": parts["train"], "test": parts["validation"]}
    missing = [split for split in SPLITS if split not in parts]
    if missing and len(parts["train"]) > len(missing):
        left, *rows = splitting.split(len(parts["train"]), [held_out] * len(missing), seed=seed)
        cuts = dict(zip(("train", *missing), map(np.sort, (left, *rows)), strict=True))
        parts = {**parts, **{split: parts["train"].subset(kept) for split, kept in cuts.items()}}
    for split in SPLITS:
        if split not in parts or not len(parts[split]):
            raise ValueError(f"--data={source}: the {split} part is empty. Give more images.")
    return {split: parts[split] for split in SPLITS}


def _crop_size(source, parts, crop_size, batch_size):
    sizes = np.concatenate([part.sizes for part in parts.values()])
    if crop_size is None:
        if (sizes != sizes[0]).any():
            low, high = sizes.min(axis=0), sizes.max(axis=0)
            raise ValueError(
                f"--data={source}: images of {low[0]}x{low[1]} to {high[0]}x{high[1]} pixels (height x width) cannot "
                f"be in one batch. Say what to cut out of them: --crop_size={low[0]}x{low[1]}."
            )
        crop_size = int(sizes[0, 0]), int(sizes[0, 1])
    height, width = np.maximum(sizes.max(axis=0), crop_size).tolist()
    asked = f"A batch of --batch_size={batch_size} images of up to {height} x {width}"
    limits.check(20 * batch_size * height * width, asked, limits.half_of_memory())
    return tuple(crop_size)


def _tell_of_absent(source, parts):
    """Says which classes a part has no pixel of, where that is known without reading all of it."""
    for split, part in parts.items():
        if part.counts is not None and not (split == "test" and part is parts["validation"]):
            absent = np.flatnonzero(part.num_pixels[:-1] == 0)
            if len(absent):
                names = ", ".join(part.numbering.class_names[number] for number in absent[:5])
                more = f" and {len(absent) - 5} more" if len(absent) > 5 else ""
                print(printable(f"--data={source}: no {split} pixel of {names}{more}."), file=sys.stderr)


def _batches(part, batch_size, seed, train):
    signature = tf.TensorSpec((None, None, None, 4), tf.uint8), tf.TensorSpec((None, 2), tf.int32)
    plan = shuffled_plan(len(part), batch_size, seed=seed, shuffle=train)
    return Batches(part.read, plan, signature, num_examples=len(part))


def spread(number: int, wanted: int | None) -> list[int]:
    """Chooses places evenly spaced over a part.

    Args:
        number: How many there are.
        wanted: How many are wanted; at most those there are; None: all.

    Example:

    >>> spread(10, 4), spread(2, None)
    ([0, 3, 6, 9], [0, 1])
    """
    wanted = number if wanted is None else min(wanted, number)
    return np.linspace(0, number - 1, wanted).round().astype(int).tolist()
