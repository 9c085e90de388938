"""One image file as pixels: decoded, upright, its middle square in the size wanted."""

import contextlib
import functools
import math
import os
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from toolkit.data.images.augmentation import Augmentation
from toolkit.files import binary, limits
from toolkit.files.names import printable

# By content, whatever a file is called. Others, such as EPS, would start programs or read what lies beside the file.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF", "PPM", "AVIF")
# Bytes that an image's pixels may take; of those over the second, one is decoded at a time.
_BOUND, _LARGE = limits.GIB, 128 * limits.MIB
_one_large = threading.Lock()

# What EXIF's orientation asks for, as names of Pillow's transpositions.
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}

_WHITES = (255, 4095, 65535)


def pixels(item: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """Cuts out the middle square of an image, in the size wanted.

    Args:
        item: Its path, or its pixels: uint8 (height, width), (height, width, 1) or (height, width, 3).
        shape: (side, side, channels) of the result; 3 channels are RGB, 1 is grey.

    Returns:
        uint8 of that shape: upright as EXIF says, on white where it is transparent. A pixel that lies between the
        file's is a mean of them; masks, whose numbers are classes, are read by `data.masks`. Grey numbers of more than
        8 bits are scaled by the bits that the file says it has, or else by the least of 8, 12 and 16 that hold its
        greatest. Of moving pictures it is the first.

    Raises:
        ValueError: Where the file cannot be read as an image, or would take more memory than is allowed; it is named.
        OSError: Where it cannot be opened.

    Example:

    >>> pixels(np.full((4, 6, 3), 200, "uint8"), (2, 2, 1))[..., 0].tolist()
    [[200, 200], [200, 200]]
    """
    from PIL import Image

    if isinstance(item, np.ndarray):
        return _square(Image.fromarray(item[..., 0] if item.shape[2:] == (1,) else item), shape)
    with opened(item) as image:
        # A JPEG is decoded at half, a quarter or an eighth of its size where that is enough.
        image.draft("L" if shape[2] == 1 else "RGB", shape[:2])
        image.load()
        return _square(image, shape)


def check(path: str | os.PathLike) -> None:
    """Looks whether a file begins as an image.

    Args:
        path: The file.

    Raises:
        ValueError: Where it does not; it is named.
        OSError: Where it cannot be opened.
    """
    with opened(path):
        pass


def read(
    path: str | os.PathLike, image_size: int, *, channels: int = 3, augmentation: Augmentation | None = None
) -> np.ndarray:
    """Reads one file, as validation sees it.

    Args:
        path: The file.
        image_size: The side of the result, in pixels.
        channels: 3 or 1.
        augmentation: With which the network was trained: where its crop needs room, the middle is cut out.

    Returns:
        uint8 (image_size, image_size, channels).

    Raises:
        ValueError: Where it cannot be read as an image.
        FileNotFoundError: Where it is not there.

    Example:

    >>> import tempfile
    >>> from PIL import Image
    >>> with tempfile.NamedTemporaryFile(suffix=".png") as file:
    ...     Image.new("RGB", (40, 30), "red").save(file.name)
    ...     read(file.name, 8)[0, 0].tolist()
    [255, 0, 0]
    """
    side = (augmentation or Augmentation()).stored_size(image_size)
    square, start = pixels(path, (side, side, channels)), (side - image_size) // 2
    return square[start : start + image_size, start : start + image_size]


def read_named(
    names: str, image_size: int, *, channels: int = 3, augmentation: Augmentation | None = None
) -> tuple[list[pathlib.Path], np.ndarray]:
    """Reads files that a person names.

    Args:
        names: Paths, between commas; a file whose name has commas is found too.
        image_size: As in `read`.
        channels: As in `read`.
        augmentation: As in `read`.

    Returns:
        (paths, images): uint8 (files, image_size, image_size, channels).

    Raises:
        ValueError: Where a file cannot be read as an image, or none is named.
        FileNotFoundError: Where one is not there.
        OSError: Where the system refuses.
    """
    try:
        paths = [binary.check(path, "an image") for path in binary.separated(names)]
        taken = 4 * len(paths) * channels * image_size**2  # as floats, all of them together
        limits.check(taken, f"{len(paths)} images of {image_size} x {image_size}", limits.half_of_memory())
        images = [read(path, image_size, channels=channels, augmentation=augmentation) for path in paths]
    except (ValueError, OSError) as error:
        raise (type(error) if isinstance(error, OSError) else ValueError)(f"--images: {error}") from error
    if not paths:
        raise ValueError(f"--images={names}: expected paths of images, between commas.")
    return paths, np.stack(images)


def read_whole_named(names: str) -> list[tuple[pathlib.Path, np.ndarray]]:
    """Reads files that a person names, each in its own size.

    Args:
        names: As in `read_named`.

    Returns:
        (path, image) each: uint8 (height, width, 3), upright.

    Raises:
        ValueError: Where a file cannot be read as an image, or none is named.
        FileNotFoundError: Where one is not there.
        OSError: Where the system refuses.
    """

    def whole(path):
        from PIL import Image

        with opened(path) as image:
            turn = orientation(image)
            upright = plain(image, 3)
            return path, np.asarray(upright.transpose(Image.Transpose[turn]) if turn else upright)

    try:
        found = [whole(binary.check(path, "an image")) for path in binary.separated(names)]
    except (ValueError, OSError) as error:
        raise (type(error) if isinstance(error, OSError) else ValueError)(f"--images: {error}") from error
    if not found:
        raise ValueError(f"--images={names}: expected paths of images, between commas.")
    return found


@functools.cache
def _pillow():
    """Pillow's module and the formats of `FORMATS` that this one has."""
    from PIL import Image

    Image.init()
    return Image, tuple(name for name in FORMATS if name in Image.OPEN)


class _PillowsBound:
    """Lifts Pillow's bound, the process's, while files are open here: `opened` has one that a flag can raise."""

    def __init__(self) -> None:
        self._lock, self._num_open, self._found = threading.Lock(), 0, None

    def __enter__(self) -> None:
        from PIL import Image

        with self._lock:
            if not self._num_open:
                self._found, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            self._num_open += 1

    def __exit__(self, *_: Any) -> None:
        from PIL import Image

        with self._lock:
            self._num_open -= 1
            if not self._num_open and Image.MAX_IMAGE_PIXELS is None:  # else another has set it meanwhile
                Image.MAX_IMAGE_PIXELS = self._found


_pillows_bound_lifted = _PillowsBound()


@contextlib.contextmanager
def opened(path: str | os.PathLike, expected: str = "an image") -> Iterator[Any]:
    """Opens an image file: one of `FORMATS` by its content, no larger than is allowed. All else here goes through it.

    Args:
        path: The file.
        expected: What it should be, for messages.

    Yields:
        Pillow's image, whose pixels are not decoded yet.

    Raises:
        ValueError: Where it cannot be read as such, or what is done with it fails; it is named.
        OSError: Where it cannot be opened.
    """
    from PIL import UnidentifiedImageError

    pillow, formats = _pillow()
    with binary.opened(path, expected) as file, _pillows_bound_lifted:
        try:
            limits.check(os.fstat(file.fileno()).st_size, "it", _BOUND)
            with pillow.open(file, formats=formats) as image:
                taken = math.prod(image.size) * (1 if image.mode in ("1", "L", "P") else 4)
                limits.check(taken, "it", _BOUND)
                with _one_large if taken > _LARGE else contextlib.nullcontext():
                    yield image
        except Exception as error:  # Pillow's decoders raise many kinds
            # What the system refuses, such as a file that may not be read, is no damage.
            if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
                raise
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            if isinstance(error, UnidentifiedImageError):
                reason = f"it is none of {', '.join(formats)}, or damaged"
            raise ValueError(f"{printable(path)} cannot be read as {expected}: {reason}") from error


def _square(image, shape):
    """The middle of an image, upright, as uint8 (side, side, channels)."""
    from PIL import Image

    turn, image = orientation(image), plain(image, shape[2])
    side = min(image.size)
    left, top = ((length - side) / 2 for length in image.size)
    if image.size != shape[:2]:
        # Of the square alone: as if the whole were resized and then cut.
        image = image.resize(shape[:2], Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    return np.asarray(image.transpose(Image.Transpose[turn]) if turn else image).reshape(shape)


def orientation(image: Any) -> str | None:
    """Says which of Pillow's transpositions EXIF asks for; None: none.

    Args:
        image: Pillow's, as `opened` gives it.
    """
    try:
        return _UPRIGHT.get(image.getexif().get(0x0112))
    except Exception:  # the pixels are good, whatever became of what is said about them
        return None


def plain(image: Any, channels: int) -> Any:
    """Makes an image one of 8 bits a channel, on white where it is transparent.

    Args:
        image: Pillow's.
        channels: 3: RGB; 1: grey.
    """
    from PIL import Image

    if image.mode[0] in "IF":
        image = Image.fromarray(_eight_bits(image))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    mode = "L" if channels == 1 else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(image):
    """Grey numbers of more bits, or floats, as uint8."""
    values = np.asarray(image)
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= (255 if image.mode == "F" else 65535)):
        expected = "0 to 1 or 0 to 255" if image.mode == "F" else "0 to 65535"
        raise ValueError(f"its pixels are {low:g} to {high:g}; expected {expected}")
    # An image at a time, so few steps: what is of 12 bits should not be made brighter the darker it is.
    white = _white(image) or next(most for most in ((1, 255) if image.mode == "F" else _WHITES) if high <= most)
    found = np.empty(values.shape, np.uint8)
    for start in range(0, len(values), 256):  # floats of all of it would take four times as much
        rows = values[start : start + 256].astype("float32")
        found[start : start + 256] = np.rint(rows * 255 if white == 1 else rows / np.float32(white / 255))
    return found


def _white(image):
    """The number that stands for white, where the file says it; None: it does not."""
    if image.format == "PPM" and image.mode == "I":
        return 65535  # to which Pillow scales
    bits = getattr(image, "tag_v2", {}).get(258, (0,))[0]
    return (1 << bits) - 1 if image.mode[0] == "I" and 8 < bits < 16 else None
