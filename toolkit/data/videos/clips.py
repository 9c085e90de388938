"""One video, frame by frame: of an array, of a folder of images, or of a file of moving pictures."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from toolkit.data import threads
from toolkit.data.images.files import opened, orientation, pixels, plain
from toolkit.files import limits
from toolkit.files.names import natural_order, printable

_BOUND = limits.GIB  # bytes that the pixels of one file of moving pictures may take


class Clip(Protocol):
    """A video, wherever it comes from."""

    @property
    def name(self) -> str:
        """What it is called where a person is told of it."""

    def header(self) -> tuple[int, int, int]:
        """Tells frames, height and width.

        Raises:
            ValueError: Where it cannot be read, or its frames are not all of one size; the file is named.
        """

    def read(self, frames: range) -> np.ndarray:
        """Reads frames.

        Args:
            frames: Which, ascending.

        Returns:
            uint8 (frames, height, width, channels), channels 1 or 3.
        """


@dataclasses.dataclass(frozen=True)
class ArrayClip:
    """A video in an array, in memory or mapped to it.

    Args:
        name: What it is called where a person is told of it.
        frames: uint8 (frames, height, width, channels).
    """

    name: str
    frames: np.ndarray

    def header(self) -> tuple[int, int, int]:
        """Tells frames, height and width."""
        return self.frames.shape[:3]

    def read(self, frames: range) -> np.ndarray:
        """Reads frames.

        Args:
            frames: Which.
        """
        return np.asarray(self.frames[frames.start : frames.stop : frames.step])


@dataclasses.dataclass(frozen=True)
class Stills:
    """A video whose frames are image files, in order.

    Args:
        folder: The folder that they lie in.
        paths: Theirs.
    """

    folder: str
    paths: Sequence[str]

    @property
    def name(self) -> str:
        """The folder's path, as a person reads it."""
        return printable(self.folder)

    def header(self) -> tuple[int, int, int]:
        """Tells frames, height and width, by the files' headers."""
        sizes = [_size(path) for path in self.paths]
        for path, size in zip(self.paths, sizes, strict=True):
            _check_alike(path, size, self.paths[0], sizes[0])
        return len(self.paths), *sizes[0]

    def read(self, frames: range) -> np.ndarray:
        """Reads frames.

        Args:
            frames: Which.
        """
        found = []
        for path in (self.paths[number] for number in frames):
            with opened(path, "a frame") as image:
                image.load()
                found.append(_upright(image))
            _check_alike(path, found[-1].shape[:2], self.paths[frames[0]], found[0].shape[:2])
        return np.stack(found)


@dataclasses.dataclass(frozen=True)
class Animation:
    """A video in one file: GIF, WebP, PNG or TIFF of several pictures.

    Args:
        path: The file.
    """

    path: str

    @property
    def name(self) -> str:
        """The path, as a person reads it."""
        return printable(self.path)

    def header(self) -> tuple[int, int, int]:
        """Tells frames, height and width."""
        with opened(self.path, "a video") as image:
            length, (width, height) = image.n_frames, image.size
        limits.check(3 * length * height * width, f"{self.name}, {length} frames,", _BOUND)
        return length, height, width

    def read(self, frames: range) -> np.ndarray:
        """Reads frames; those before them are decoded too, as each says only what has changed.

        Args:
            frames: Which.
        """
        found = []
        with opened(self.path, "a video") as image:
            for number in range(frames.stop):
                image.seek(number)
                image.load()
                if number in frames:
                    found.append(np.asarray(plain(image, 3)))
                    if found[-1].shape != found[0].shape:
                        raise ValueError(f"picture {number} is of another size than picture {frames[0]}")
        return np.stack(found)


def files_as_clips(folder: str, paths: Sequence[str]) -> list[Clip]:
    """Makes clips of the image files in a folder: each with several pictures is one, the others together are another.

    Args:
        folder: The folder.
        paths: Its image files.

    Returns:
        The clips; numbers in names are ordered as numbers, so that frame 10 comes after frame 9. A file that cannot
        be read stands among the others: that clip's `header` says so.
    """
    animations, stills = [], []
    paths = sorted(paths, key=natural_order)
    for path, moves in zip(paths, threads.each(_moves, paths), strict=True):
        (animations if moves else stills).append(path)
    return [*([Stills(folder, stills)] if stills else []), *map(Animation, animations)]


def fitted(frames: np.ndarray, image_size: int | None, channels: int) -> np.ndarray:
    """Gives frames the size and the channels that a training takes.

    Args:
        frames: uint8 (frames, height, width, 1 or 3).
        image_size: Height and width of the result: the middle square of each frame, resized; None: as they are.
        channels: 1 or 3; grey is repeated, colours become grey.

    Returns:
        uint8 (frames, height, width, channels).
    """
    num_frames, height, width, found = frames.shape
    size = (height, width) if image_size is None else (image_size, image_size)
    if size == (height, width) and found <= channels:
        return frames if found == channels else np.repeat(frames, channels, axis=-1)
    if image_size is None:
        from PIL import Image

        # Side by side they are one image, whose colours Pillow makes grey as those of any.
        flat = Image.fromarray(np.ascontiguousarray(frames).reshape(num_frames * height, width, found))
        return np.asarray(plain(flat, channels)).reshape(num_frames, height, width, channels)
    return np.stack([pixels(frame, (*size, channels)) for frame in frames])


def _moves(path):
    try:
        with opened(path, "a frame") as image:
            return getattr(image, "n_frames", 1) > 1
    except (ValueError, OSError):
        return False


def _size(path):
    """Height and width that a file says it has, upright."""
    with opened(path, "a frame") as image:
        turned = re.search("90|270|TRANS", orientation(image) or "")
        return image.size if turned else image.size[::-1]


def _upright(image):
    from PIL import Image

    turn, image = orientation(image), plain(image, 3)
    return np.asarray(image.transpose(Image.Transpose[turn]) if turn else image)


def _check_alike(path, size, first, its):
    if size != its:
        raise ValueError(
            f"{printable(path)} is {size[1]} x {size[0]}, and {printable(first)} is {its[1]} x {its[0]}; the frames "
            "of a video have one size"
        )
