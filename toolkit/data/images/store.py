"""A store of images, which knows no label: in memory where they fit, else decoded when they are asked for."""

import dataclasses
import functools
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.data import threads
from toolkit.data.images.files import check, pixels
from toolkit.files.names import printable

# Bytes of pixels that are kept in memory; more are read from the files for each batch.
MEMORY = 1 << 30
_BLOCK = 1024  # images that wait for a thread at a time


@dataclasses.dataclass(frozen=True)
class Store:
    """Images of one size, by number.

    Args:
        images: Gives uint8 (n, side, side, channels) for an array of n row numbers.
        rows: (images,), the row of each image.
        skipped: What was left out, each with its path and why.

    Example:

    >>> images = Store(np.zeros((5, 8, 8, 3), "uint8"), rows=np.array([0, 2, 3]))
    >>> len(images), images.read(np.array([1, 1])).shape, images.subset(np.array([2])).rows.tolist()
    (3, (2, 8, 8, 3), [3])
    """

    images: Any
    rows: np.ndarray
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many images there are."""
        return len(self.rows)

    @property
    def in_memory(self) -> bool:
        """Whether all pixels are at hand without reading files."""
        return isinstance(self.images, np.ndarray) and self.images.nbytes <= MEMORY

    def read(self, indices: np.ndarray) -> np.ndarray:
        """Reads some images.

        Args:
            indices: (n,), their numbers.

        Returns:
            uint8 (n, side, side, channels).
        """
        return np.asarray(self.images[self.rows[indices]])

    def __getitem__(self, index: int) -> np.ndarray:
        """Reads one image, uint8 (side, side, channels)."""
        return self.read(np.array([index]))[0]

    def subset(self, indices: np.ndarray) -> "Store":
        """Makes a store of some of the images.

        Args:
            indices: (n,), their numbers.

        Returns:
            The new store, which shares the pixels.
        """
        return Store(self.images, self.rows[indices])


def stored(
    items: Mapping[str, Sequence], shape: tuple[int, int, int], *, source: str, skip_corrupt: bool = False
) -> dict[str, Store]:
    """Makes stores of images, decoded at once where all of them fit into `MEMORY`.

    Args:
        items: By part, the images' paths, or their pixels: an array (a memory-mapped one too) uint8 (images, height,
            width[, channels]) or a list of such arrays (height, width[, channels]).
        shape: (side, side, channels) of the images: each one's middle square in that size.
        source: What they are called where a person is told of progress and damage: what --data was.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        By part, a store.

    Raises:
        ValueError: Where a file cannot be read as an image; it is named.
        OSError: Where a file cannot be opened.

    Example:

    >>> found = stored({"train": np.zeros((3, 4, 6), "uint8")}, (2, 2, 3), source="embedded")
    >>> found["train"].read(np.arange(3)).shape
    (3, 2, 2, 3)
    """
    total = sum(map(len, items.values()))
    keep = total * int(np.prod(shape)) <= MEMORY
    stores = {}
    with threads.progress(total, f"{'Reading' if keep else 'Checking'} {source}") as bar:
        for part, found in items.items():
            images, bad = found, {}
            if not (isinstance(found, np.ndarray) and found.shape[1:] == shape):
                images, bad = _decoded(found, shape, bar, keep, skip_corrupt)
            rows = np.setdiff1d(np.arange(len(found)), np.fromiter(bad, int, len(bad)))
            stores[part] = Store(images, rows, tuple(bad.values()))
    skipped = [told for store in stores.values() for told in store.skipped]
    if skipped:
        print(
            f"--data={source}: {len(skipped)} of {total} images left out, such as: {printable(skipped[0])}",
            file=sys.stderr,
        )
    return stores


class _Streamed:
    """Images that are decoded when they are asked for."""

    def __init__(self, items, shape):
        self._items, self._shape = items, shape

    def __getitem__(self, rows):
        items = [self._items[row] for row in rows]
        decode = functools.partial(pixels, shape=self._shape)
        return np.stack(list(threads.each(decode, items)))


def _decoded(items, shape, bar, keep, skip_corrupt):
    """Something to take images from, and why some cannot be read, by row."""
    # Files that stay where they are: that they are images is seen at their beginning, that they are whole is not.
    decode = functools.partial(pixels, shape=shape)
    whole = keep or skip_corrupt
    images, bad = np.empty((len(items), *shape), np.uint8) if keep else _Streamed(items, shape), {}
    if not keep and isinstance(items, np.ndarray):
        return images, bad

    def attempt(item):
        try:
            return decode(item) if whole or isinstance(item, np.ndarray) else check(item)
        except ValueError as error:
            return error

    for start in range(0, len(items), _BLOCK):
        for row, result in enumerate(threads.each(attempt, items[start : start + _BLOCK]), start):
            bar.update()
            if isinstance(result, ValueError):
                bad[row] = str(result)
                if not skip_corrupt:
                    raise ValueError(
                        f"{str(result).rstrip('.')}. Mend or remove it, or leave out such files with --skip_corrupt."
                    )
            elif keep:
                images[row] = result
    return images, bad
