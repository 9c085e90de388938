"""One image and its mask, decoded: whole, both of one size, in the size wanted."""

import dataclasses
import os
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from toolkit.data.images.files import opened, orientation, plain
from toolkit.files.names import printable

IGNORED = 255
# Modes of Pillow with one whole number a pixel; those of 16 and 32 bits may hold more than classes.
_NUMBERS = ("1", "L", "P", "I", "I;16", "I;16B", "I;16L")
_LOSSY = ("JPEG", "AVIF")
_REMEDY = "give --from_palette to convert colours by VOC's palette, or save the palette's places"


class Example(Protocol):
    """An image and the number of each of its pixels, wherever they come from."""

    @property
    def name(self) -> str:
        """What it is called where a person is told of it."""

    def size(self) -> tuple[int, int]:
        """Tells height and width, without decoding where that can be.

        Raises:
            ValueError: Where the image and its mask do not go together.
        """

    def read(self, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Reads it.

        Args:
            size: (height, width) to resize both to; None: as they are.

        Returns:
            (image, numbers): uint8 (height, width, 3) and uint8 (height, width), as the mask has them.
        """


@dataclasses.dataclass(frozen=True)
class Pair:
    """An image file and the file of its mask.

    Args:
        image: Path of the image; grey ones are repeated.
        mask: Path of the mask: numbers, of one channel or as places in a palette.
        palette: Colours by number: where there are any, the mask's colours are looked up, be it of colours or of
            another palette.
    """

    image: str
    mask: str
    palette: tuple[tuple[int, int, int], ...] = ()

    @property
    def name(self) -> str:
        """The mask's path, as a person reads it."""
        return printable(self.mask)

    def size(self) -> tuple[int, int]:
        """Tells height and width by the headers.

        Raises:
            ValueError: Where a file is no image, the sizes differ, or the mask is of a kind that has no numbers.
            OSError: Where one cannot be opened.
        """
        with opened(self.image) as image:
            size = _upright_size(image)
        with opened(self.mask, "a mask") as mask:
            _check_mask(mask, bool(self.palette))
            if _upright_size(mask) != size:
                (height, width), (own_height, own_width) = size, _upright_size(mask)
                raise ValueError(
                    f"it is {own_width} x {own_height}, and its image {printable(self.image)} is {width} x {height}; "
                    "a mask has the class of each pixel of its image"
                )
        return size

    def read(self, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Reads both.

        Args:
            size: (height, width) to resize both to, the mask to the nearest pixel; None: as they are.

        Returns:
            (image, numbers): uint8 (height, width, 3) and uint8 (height, width).

        Raises:
            ValueError: Where a file cannot be read, or the mask has something else than numbers; it is named.
            OSError: Where one cannot be opened.
        """
        with opened(self.image) as image:
            turn = orientation(image)
            if size:  # a JPEG is decoded at half, a quarter or an eighth of its size where that is enough
                image.draft("RGB", (max(size), max(size)) if turn else size[::-1])
            image.load()
            pixels = _turned(plain(image, 3), turn)
        with opened(self.mask, "a mask") as mask:
            _check_mask(mask, bool(self.palette))
            mask.load()
            numbers = _numbers(mask, self.palette)
            numbers = np.asarray(_turned(_as_image(numbers), orientation(mask)))
        return _resized(pixels, size, smooth=True), _resized(_as_image(numbers), size, smooth=False)


@dataclasses.dataclass(frozen=True)
class Arrays:
    """An image and its numbers in memory, or on a disk that is mapped to it.

    Args:
        name: What it is called where a person is told of it.
        pixels: uint8 (height, width, 4): red, green, blue and number.
    """

    name: str
    pixels: np.ndarray

    def size(self) -> tuple[int, int]:
        """Tells height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def read(self, size: tuple[int, int] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Reads both, as `Pair.read` does.

        Args:
            size: (height, width) to resize both to; None: as they are.
        """
        image, numbers = np.ascontiguousarray(self.pixels[..., :3]), np.ascontiguousarray(self.pixels[..., 3])
        return _resized(_as_image(image), size, smooth=True), _resized(_as_image(numbers), size, smooth=False)


def voc_palette() -> tuple[tuple[int, int, int], ...]:
    """Gives the 256 colours of Pascal VOC's masks: bit by bit, a number's bits are spread over red, green and blue.

    Example:

    >>> voc_palette()[:3], voc_palette()[255]
    (((0, 0, 0), (128, 0, 0), (0, 128, 0)), (224, 224, 192))
    """
    places = np.arange(256)[:, None] >> np.arange(3)
    colors = sum((places >> 3 * bit & 1) << 7 - bit for bit in range(3))
    return tuple(map(tuple, colors.tolist()))


def palette_of(path: str | os.PathLike) -> Sequence[tuple[int, int, int]]:
    """Reads the colours of a mask with a palette.

    Args:
        path: The mask.

    Returns:
        Colours by number; none where it has no palette.

    Raises:
        ValueError: Where it cannot be read as an image; it is named.
        OSError: Where it cannot be opened.
    """
    with opened(path, "a mask") as mask:
        colors = (mask.getpalette("RGB") or []) if mask.mode == "P" else []
    return tuple(zip(colors[0::3], colors[1::3], colors[2::3], strict=True))


def _check_mask(mask, by_colors):
    if mask.format in _LOSSY:
        raise ValueError(f"a {mask.format} changes numbers when it is saved, so it can be no mask: save it as PNG")
    if mask.mode == "F":
        raise ValueError("its pixels are fractions; expected one whole number a pixel, the class")
    if mask.mode not in _NUMBERS and not (by_colors or mask.mode == "LA"):
        raise ValueError(
            f"it has colours ({mask.mode}) instead of one number a pixel, the class: perhaps a palette PNG that was "
            f"saved as RGB; {_REMEDY}"
        )


def _numbers(mask, palette):
    """A mask's numbers, uint8 (height, width)."""
    if "A" in mask.mode:
        if np.asarray(mask.getchannel("A")).min() < 255:
            raise ValueError("its pixels are partly transparent; expected one number a pixel, the class")
        mask = mask.convert("L" if mask.mode == "LA" else "RGB")
    if palette:
        return _looked_up(np.asarray(mask.convert("RGB")), palette)
    numbers = np.asarray(mask)  # Pillow shows a palette's pixels as their places in it
    if numbers.size and not 0 <= numbers.min() <= numbers.max() <= 255:
        raise ValueError(
            f"its numbers are {numbers.min()} to {numbers.max()}, of 16 bits or more: instances, or depth? Expected "
            "classes, 0 to 254, or 255 where a pixel is ignored"
        )
    return numbers.astype("uint8")


def _looked_up(colors, palette):
    codes = colors.astype("int32") @ np.array([1 << 16, 1 << 8, 1], "int32")
    known = np.array(palette, "int32") @ np.array([1 << 16, 1 << 8, 1], "int32")
    known, first = np.unique(known, return_index=True)
    places = np.searchsorted(known, codes).clip(max=len(known) - 1)
    wrong = known[places] != codes
    if wrong.any():
        raise ValueError(
            f"it has the colour {tuple(colors[wrong][0].tolist())}, which the palette has not: another palette, or a "
            "mask that was smoothed or saved with loss"
        )
    return first[places].astype("uint8")


def _as_image(array):
    from PIL import Image

    return Image.fromarray(array)


def _upright_size(image):
    turn = orientation(image)
    return image.size if turn in ("TRANSPOSE", "TRANSVERSE", "ROTATE_90", "ROTATE_270") else image.size[::-1]


def _turned(image: Any, turn: str | None) -> Any:
    from PIL import Image

    return image.transpose(Image.Transpose[turn]) if turn else image


def _resized(image, size, *, smooth):
    from PIL import Image

    if size and image.size != size[::-1]:
        image = image.resize(size[::-1], Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST)
    return np.asarray(image)
