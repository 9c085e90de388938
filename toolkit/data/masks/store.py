"""A store of images with their masks: in memory where they fit, else decoded when they are asked for."""

import dataclasses
import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data import threads
from toolkit.data.masks.files import IGNORED, Example
from toolkit.files.names import printable

# Bytes of pixels that are kept in memory; more are read from the files for each batch.
MEMORY = 1 << 30
_BLOCK = 1024  # images that wait for a thread at a time


@dataclasses.dataclass(frozen=True)
class Numbering:
    """Which class each number of a mask stands for.

    Args:
        class_names: The classes; of the numbers from 0 on those that are not ignored.
        ignored: Numbers of pixels that are of no class, beside 255.
        says: Who names the classes, for messages.
    """

    class_names: tuple[str, ...]
    ignored: tuple[int, ...] = ()
    says: str = ""

    @functools.cached_property
    def numbers(self) -> np.ndarray:
        """The number that stands for each class, (classes,)."""
        return np.setdiff1d(np.arange(256), [*self.ignored, IGNORED])[: len(self.class_names)]

    @functools.cached_property
    def _classes(self):
        found = np.full(256, IGNORED, "uint8")
        found[self.numbers] = np.arange(len(self.numbers))
        return found

    def labels(self, numbers: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Gives a mask's classes.

        Args:
            numbers: uint8 (height, width).
            name: What it is called where it has numbers of no class.

        Returns:
            (labels, counts): uint8 (height, width), 255 where ignored, and the pixels of each class, with those that
            are ignored last.

        Raises:
            ValueError: Where a number stands for nothing.

        Example:

        >>> labels, counts = Numbering(("road", "sky"), ignored=(2,)).labels(np.array([[0, 1], [1, 2]], "uint8"), "a")
        >>> labels.tolist(), counts.tolist()
        ([[0, 1], [1, 255]], [1, 2, 1])
        """
        counts = np.bincount(numbers.reshape(-1), minlength=256)
        known = [*self.numbers, *self.ignored, IGNORED]
        unknown = np.setdiff1d(np.flatnonzero(counts), known)
        if len(unknown):
            more = f" and {len(unknown) - 1} other numbers" if len(unknown) > 1 else ""
            says = f" by {self.says}" if self.says else ""
            raise ValueError(
                f"{name} has the number {unknown[0]}{more} of no class: there are {len(self.numbers)}, "
                f"{self.numbers[0]} to {self.numbers[-1]}{says}. Give more --class_names or --num_classes, or name it "
                "in --ignored."
            )
        of_classes = counts[self.numbers]
        return self._classes[numbers], np.append(of_classes, numbers.size - of_classes.sum())


@dataclasses.dataclass(frozen=True)
class Store:
    """Images with their masks, by number; their sizes may differ.

    Args:
        examples: Where they come from.
        sizes: int32 (examples, 2), height and width in which they are given.
        numbering: What the masks' numbers mean.
        kept: All of them, each uint8 (height, width, 4), or None: they are decoded when they are asked for.
        counts: Where all of them were decoded, the pixels of each class, and those that are ignored, in each:
            (examples, classes + 1).
        skipped: What was left out, each with its path and why.
    """

    examples: Sequence[Example]
    sizes: np.ndarray
    numbering: Numbering
    kept: Sequence[np.ndarray] | None
    counts: np.ndarray | None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.examples)

    @property
    def in_memory(self) -> bool:
        """Whether all pixels are at hand without reading files."""
        return self.kept is not None

    def __getitem__(self, index: int) -> np.ndarray:
        """Reads one: uint8 (height, width, 4), red, green, blue and class, 255 where ignored."""
        return self.kept[index] if self.in_memory else _packed(self, index)[0]

    def read(self, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reads some, each in the upper left corner of as much as the largest needs.

        Args:
            indices: (n,), their numbers.

        Returns:
            (pixels, sizes): uint8 (n, height, width, 4) and int32 (n, 2), each one's own height and width.
        """
        sizes = self.sizes[indices]
        found = np.zeros((len(indices), *sizes.max(axis=0), 4), np.uint8)
        pixels = threads.each(self.__getitem__, indices) if not self.in_memory else map(self.__getitem__, indices)
        for place, (one, (height, width)) in enumerate(zip(pixels, sizes, strict=True)):
            found[place, :height, :width] = one
        return found, sizes

    def subset(self, indices: np.ndarray) -> "Store":
        """Makes a store of some of them.

        Args:
            indices: (n,), their numbers.

        Returns:
            The new store, which shares the pixels.
        """
        return dataclasses.replace(
            self,
            examples=[self.examples[index] for index in indices],
            sizes=self.sizes[indices],
            kept=[self.kept[index] for index in indices] if self.in_memory else None,
            counts=None if self.counts is None else self.counts[indices],
        )

    @functools.cached_property
    def num_pixels(self) -> np.ndarray:
        """Pixels of each class, and last of those that are ignored: (classes + 1,). Of files it reads them all."""
        if self.counts is not None:
            return self.counts.sum(axis=0)
        total = np.zeros(len(self.numbering.class_names) + 1, int)
        with threads.progress(len(self), "Counting pixels") as bar:
            for start in range(0, len(self), _BLOCK):
                block = range(start, min(start + _BLOCK, len(self)))
                for counts in threads.each(lambda index: _packed(self, index)[1], block):
                    bar.update()
                    total += counts
        return total


def _packed(store, index):
    """Pixels and classes of one, decoded, and how many pixels each class has."""
    example, (height, width) = store.examples[index], store.sizes[index]
    image, numbers = example.read((int(height), int(width)))
    labels, counts = store.numbering.labels(numbers, example.name)
    found = np.empty((*labels.shape, 4), np.uint8)
    found[..., :3], found[..., 3] = image, labels
    return found, counts


def stored(
    examples: Mapping[str, Sequence[Example]],
    numbering: Numbering,
    *,
    image_size: int | None,
    source: str,
    skip_corrupt: bool = False,
) -> dict[str, Store]:
    """Makes stores, decoded at once where all of it fits into `MEMORY`.

    Args:
        examples: By part, the images with their masks.
        numbering: What the masks' numbers mean.
        image_size: Pixels of the shorter side, to which each is resized; None: as they are.
        source: What they are called where a person is told of progress and damage: what --data was.
        skip_corrupt: Whether to leave out what cannot be read, instead of stopping.

    Returns:
        By part, a store.

    Raises:
        ValueError: Where one cannot be read, or a mask is none for its image; the file is named.
        OSError: Where a file cannot be opened.
    """
    total, stores = sum(map(len, examples.values())), {}
    with threads.progress(total, f"Checking {source}") as bar:
        for part, found in examples.items():
            sizes, bad = attempted(lambda one: _size(one, image_size), found, bar, skip_corrupt)
            good = [one for one, size in zip(found, sizes, strict=True) if size]
            sizes = np.array([size for size in sizes if size], "int32").reshape(-1, 2)
            stores[part] = Store(good, sizes, numbering, None, None, tuple(bad))
    if 4 * sum(int(store.sizes.prod(axis=1, dtype=int).sum()) for store in stores.values()) <= MEMORY or skip_corrupt:
        keep = 4 * sum(int(store.sizes.prod(axis=1, dtype=int).sum()) for store in stores.values()) <= MEMORY
        with threads.progress(total, f"Reading {source}") as bar:
            stores = {part: _decoded(store, bar, keep, skip_corrupt) for part, store in stores.items()}
    skipped = [told for store in stores.values() for told in store.skipped]
    if skipped:
        print(
            f"--data={source}: {len(skipped)} of {total} images left out, such as: {printable(skipped[0])}",
            file=sys.stderr,
        )
    return stores


def _size(example, image_size):
    height, width = example.size()
    if image_size is None:
        return height, width
    return tuple(max(1, round(side * image_size / min(height, width))) for side in (height, width))


def _decoded(store, bar, keep, skip_corrupt):
    def attempt(index):
        pixels, counts = _packed(store, index)
        return pixels if keep else None, counts

    found, bad = attempted(attempt, range(len(store)), bar, skip_corrupt)
    good = np.array([index for index, each in enumerate(found) if each], int)
    store = store.subset(good)
    num_counts = len(store.numbering.class_names) + 1
    return dataclasses.replace(
        store,
        kept=[found[index][0] for index in good] if keep else None,
        counts=np.array([found[index][1] for index in good], int).reshape(-1, num_counts),
        skipped=(*store.skipped, *bad),
    )


def attempted(
    function: Callable[[Any], Any], items: Sequence, bar: Any, skip_corrupt: bool
) -> tuple[list[Any], list[str]]:
    """Applies a function to items in threads, some of which may be damaged.

    Args:
        function: Takes an item; raises a ValueError where it cannot be read.
        items: The items.
        bar: Of `threads.progress`, moved on with each.
        skip_corrupt: Whether to go on where one is damaged.

    Returns:
        (found, bad): what the function makes of each item, None where it is damaged; and what it says of those.

    Raises:
        ValueError: Where one is damaged, and `skip_corrupt` is not set.
    """

    def attempt(item):
        try:
            return function(item)
        except ValueError as error:
            return error

    found, bad = [], []
    for start in range(0, len(items), _BLOCK):
        for result in threads.each(attempt, items[start : start + _BLOCK]):
            bar.update()
            if isinstance(result, ValueError):
                bad.append(str(result))
                if not skip_corrupt:
                    told = str(result).rstrip(".")
                    raise ValueError(f"{told}. Mend or remove it, or leave out such files with --skip_corrupt.")
                result = None
            found.append(result)
    return found, bad
