"""Videos by number: looked at before a training begins, decoded at once where they fit into memory."""

import dataclasses
import sys
from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.data import threads
from toolkit.data.masks.store import attempted
from toolkit.data.videos.clips import ArrayClip, Clip, fitted
from toolkit.files.names import printable

# Bytes of pixels that are kept in memory; more are read for each batch.
MEMORY = 1 << 30


@dataclasses.dataclass(frozen=True)
class Store:
    """Videos whose frames are all of one size; their lengths may differ.

    Args:
        clips: Where they come from.
        headers: int (clips, 3), frames, height and width of each, as its file has them.
        image_size: As in `clips.fitted`.
        channels: 1 or 3.
        kept: All of them, uint8 (frames, height, width, channels) each, or None: they are decoded when asked for.
        skipped: What was left out, each with its path and why.
    """

    clips: Sequence[Clip]
    headers: np.ndarray
    image_size: int | None
    channels: int
    kept: Sequence[np.ndarray] | None = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.clips)

    @property
    def lengths(self) -> np.ndarray:
        """Frames of each: (clips,)."""
        return self.headers[:, 0]

    def read(self, index: int, frames: range | None = None) -> np.ndarray:
        """Reads frames of one.

        Args:
            index: Its number.
            frames: Which; None: all.

        Returns:
            uint8 (frames, height, width, channels).
        """
        frames = range(int(self.lengths[index])) if frames is None else frames
        if self.kept is not None:
            return np.asarray(self.kept[index][frames.start : frames.stop : frames.step])
        return fitted(self.clips[index].read(frames), self.image_size, self.channels)

    def subset(self, indices: np.ndarray) -> "Store":
        """Makes a store of some of them.

        Args:
            indices: (n,), their numbers.

        Returns:
            The new store, which shares the pixels.
        """
        return dataclasses.replace(
            self,
            clips=[self.clips[index] for index in indices],
            headers=self.headers[indices],
            kept=None if self.kept is None else [self.kept[index] for index in indices],
        )


def stored(
    clips: Mapping[str, Sequence[Clip]],
    *,
    image_size: int | None,
    channels: int,
    least_frames: int,
    source: str,
    skip_corrupt: bool = False,
) -> dict[str, Store]:
    """Makes stores, decoded at once where all of it fits into `MEMORY`; what is mapped stays where it is.

    Args:
        clips: By part, the videos.
        image_size: Height and width, to which the middle square of each frame is resized; None: as they are.
        channels: 1 or 3.
        least_frames: That a video must have.
        source: What they are called where a person is told of progress and damage: what --data was.
        skip_corrupt: Whether to leave out what cannot be read or is too short, instead of stopping.

    Returns:
        By part, a store.

    Raises:
        ValueError: Where a video cannot be read or is too short, or sizes differ; it is named.
        OSError: Where a file cannot be opened.
    """

    def looked_at(clip):
        header = clip.header()
        if header[0] < least_frames:
            raise ValueError(
                f"{clip.name} of --data={source} has {header[0]} frames, and a window has {least_frames}. Ask for "
                "fewer --num_frames"
            )
        return header

    total, stores = sum(map(len, clips.values())), {}
    with threads.progress(total, f"Checking {source}", "video") as bar:
        for part, found in clips.items():
            if all(isinstance(clip, ArrayClip) for clip in found):  # nothing to wait for, and nothing damaged
                headers, bad = list(map(looked_at, found)), []
            else:
                headers, bad = attempted(looked_at, found, bar, skip_corrupt)
            good = [clip for clip, header in zip(found, headers, strict=True) if header]
            headers = np.array([header for header in headers if header], int).reshape(-1, 3)
            stores[part] = Store(good, headers, image_size, channels, skipped=tuple(bad))
    _check_sizes(source, stores, image_size)
    keep = sum(_num_bytes(store) for store in stores.values()) <= MEMORY
    with threads.progress(total, f"Reading {source}", "video") as bar:
        stores = {part: _decoded(store, bar, keep, skip_corrupt) for part, store in stores.items()}
    skipped = [told for store in stores.values() for told in store.skipped]
    if skipped:
        print(
            f"--data={source}: {len(skipped)} of {total} videos left out, such as: {printable(skipped[0])}",
            file=sys.stderr,
        )
    return stores


def _num_bytes(store):
    sizes = store.headers[:, 1:].prod(axis=1) if store.image_size is None else store.image_size**2
    return int((store.lengths * sizes).sum()) * store.channels


def _check_sizes(source, stores, image_size):
    """Refuses videos of unlike sizes, where nothing makes them alike."""
    pairs = [pair for store in stores.values() for pair in zip(store.clips, store.headers, strict=True)]
    for clip, (_, height, width) in pairs if image_size is None else ():
        first, (_, its_height, its_width) = pairs[0]
        if (height, width) != (its_height, its_width):
            raise ValueError(
                f"--data={source}: {clip.name} is {width} x {height}, and {first.name} is {its_width} x {its_height}. "
                "Say to which size both are to be brought: --image_size=64."
            )


def _decoded(store, bar, keep, skip_corrupt):
    if all(
        isinstance(clip, ArrayClip)
        and clip.frames.shape[3] == store.channels
        and (store.image_size is None or set(clip.frames.shape[1:3]) == {store.image_size})
        for clip in store.clips
    ):
        return dataclasses.replace(store, kept=[clip.frames for clip in store.clips])
    if not (keep or skip_corrupt):
        return store

    def whole(index):
        found = store.read(index)
        return found if keep else True

    found, bad = attempted(whole, range(len(store)), bar, skip_corrupt)
    good = np.array([index for index, each in enumerate(found) if each is not None], int)
    store = dataclasses.replace(store.subset(good), skipped=(*store.skipped, *bad))
    return dataclasses.replace(store, kept=[found[index] for index in good]) if keep else store
