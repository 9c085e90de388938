"""Videos, read and held in a store, as batches of windows for a training."""

import dataclasses
import math
import sys
from typing import Any

import numpy as np

from toolkit.data import sources, splitting
from toolkit.data.pipelines import Splits
from toolkit.data.videos.readers import AXES, READERS, sniff
from toolkit.data.videos.store import Store, stored
from toolkit.data.videos.windows import span, windows
from toolkit.files import limits
from toolkit.files.names import printable

SPLITS = ("train", "validation", "test")


@dataclasses.dataclass(frozen=True)
class Videos:
    """Videos, and windows of their frames.

    Args:
        splits: Batches of float32 (batch, num_frames, height, width, channels), 0 to 255.
        shape: (num_frames, height, width, channels) of a window.
        parts: By split, whole videos in the size in which they are kept.
        skipped: What was left out, each with its path and why.
        left_out: What was found beside them and is not read, each with its path and why.
    """

    splits: Splits
    shape: tuple[int, int, int, int]
    parts: dict[str, Store]
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def contents(self) -> dict[str, Any]:
        """What tells these videos apart from others, for JSON: a window's shape, lengths, figures of the pixels."""
        lengths = {split: np.unique(part.lengths).tolist() for split, part in self.parts.items()}
        return {"window": list(self.shape), "lengths": lengths, "videos": self.splits.contents}

    def examples(self, split: str, num_videos: int) -> list[np.ndarray]:
        """Reads whole videos evenly spaced over a split.

        Args:
            split: "train", "validation" or "test".
            num_videos: How many; at most those there are.

        Returns:
            uint8 (frames, height, width, channels) each.
        """
        part = self.parts[split]
        chosen = np.linspace(0, len(part) - 1, min(num_videos, len(part))).round().astype(int)
        return [part.read(index) for index in chosen.tolist()]


def load(
    source: str,
    *,
    num_frames: int,
    batch_size: int,
    image_size: int | None = None,
    channels: int | None = None,
    frame_step: int = 1,
    axes: str = "auto",
    held_out: float = 0.1,
    seed: int = 0,
    skip_corrupt: bool = False,
) -> Videos:
    """Reads videos, and cuts them in windows of frames.

    In training a window lies anywhere in its video, a pure function of seed, epoch and window; in the other parts
    windows lie end to end from the first frame on. Of each video there are as many as it holds end to end.

    Args:
        source: READER:REST. embedded:sprites[:CLIPS]: moving sprites (`data.videos.sprites`), 1,000 clips of 20 frames,
            or of `num_frames` where these are more, made on the spot.
            npy:FILE: an array uint8 (frames, clips, height, width), as Moving MNIST is published, or (clips, frames,
            height, width), perhaps with channels, 1 or 3, last; it is mapped, not read into memory.
            folder:FOLDER: a folder of images for each video, its frames in the order of their names, or a file for
            each, GIF, WebP, PNG or TIFF of several pictures; in FOLDER/train, FOLDER/validation and FOLDER/test, or in
            FOLDER itself.
        num_frames: Frames in a window.
        batch_size: Windows in a batch.
        image_size: The side of the frames in pixels: the shorter side is resized to it, the middle is cut out; None:
            as they are, 32 for sprites.
        channels: 1 or 3; grey is repeated, colours become grey; None: 3 for files, what an array has, 1 for sprites.
        frame_step: From one frame of a window to the next: 2 leaves out every second one.
        axes: Of arrays: "time_first", "clips_first", or "auto": clips are more than frames, which is then told.
        held_out: The share of the training videos that becomes the validation part where there is none, and as much
            again for the test part.
        seed: Decides the order of the training windows and their places, what is held out, and the sprites.
        skip_corrupt: Whether to leave out videos that cannot be read or are shorter than a window, instead of stopping.

    Returns:
        `Videos`. Up to 1 GiB of pixels is decoded at once and kept; else frames are decoded for each batch.

    Raises:
        ValueError: Where something is not as expected; folder or file are named.
        FileNotFoundError: Where a path does not exist.

    Example:

    >>> videos = load("embedded:sprites:100", num_frames=16, batch_size=8)
    >>> videos.splits.train.peek().shape, {split: len(part) for split, part in videos.parts.items()}
    ((8, 16, 32, 32, 1), {'train': 80, 'validation': 10, 'test': 10})
    """
    least = {"num_frames": num_frames, "frame_step": frame_step, "batch_size": batch_size, "image_size": image_size}
    for name, value in least.items():
        if value is not None and value < 1:
            raise ValueError(f"--{name}={value}: expected 1 or more.")
    if channels not in (None, 1, 3):
        raise ValueError(f"--channels={channels}: expected 1 (grey) or 3 (red, green, blue).")
    if axes not in AXES:
        raise ValueError(f"--axes={axes}: expected one of {', '.join(AXES)}.")
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.5.")
    name, rest = sources.parse(source, READERS, sniff)
    reach = span(num_frames, frame_step)
    how = {"image_size": image_size, "channels": channels, "axes": axes, "seed": seed}
    found = READERS[name](rest, num_frames=reach, **how)
    for note in found.notes:
        print(printable(f"--data={source}: {note}"), file=sys.stderr)
    if found.left_out:
        told = f"--data={source}: files or folders left out: {len(found.left_out)}, such as {found.left_out[0]}"
        print(printable(told), file=sys.stderr)
    how = {"image_size": image_size, "channels": channels or found.channels, "least_frames": reach}
    parts = stored(found.clips, source=source, skip_corrupt=skip_corrupt, **how)
    skipped = tuple(told for store in parts.values() for told in store.skipped)
    parts = _three(source, parts, held_out, seed)
    height, width = (image_size, image_size) if image_size else map(int, parts["train"].headers[0, 1:])
    shape = num_frames, height, width, channels or found.channels
    asked = f"A batch of --batch_size={batch_size} windows of {num_frames} frames of {height} x {width}"
    limits.check(5 * batch_size * math.prod(shape), asked, limits.half_of_memory())
    how = {"frame_step": frame_step, "batch_size": batch_size, "seed": seed}
    batches = [windows(parts[split], shape, shuffle=split == "train", **how) for split in SPLITS]
    return Videos(Splits(*batches), shape, parts, skipped, found.left_out)


def _three(source, parts, held_out, seed):
    """All three parts: those that are not there are cut off the training part."""
    missing, whole = [split for split in SPLITS if split not in parts], parts["train"]
    if missing and len(whole) > len(missing):
        rows = splitting.split(len(whole), [held_out] * len(missing), seed=seed)
        parts = parts | {s: whole.subset(np.sort(kept)) for s, kept in zip(("train", *missing), rows, strict=True)}
    for split in SPLITS:
        if split not in parts or not len(parts[split]):
            raise ValueError(
                f"--data={source}: {len(whole)} videos to train on are too few for the parts {', '.join(SPLITS)}: the "
                f"{split} part is empty. Give more videos."
            )
    return {split: parts[split] for split in SPLITS}
