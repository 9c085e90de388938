"""One image file as pixels: decoded, upright, its middle square in the size wanted."""

import contextlib
import os
from typing import Any

import numpy as np

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


def pixels(item: Any, shape: tuple[int, int, int]) -> np.ndarray:
    """The middle square of an image, in the size wanted.

    Args:
        item: Its path, or its pixels: uint8 (height, width), (height, width, 1) or (height, width, 3).
        shape: (side, side, channels) of the result; 3 channels are RGB, 1 is grey.

    Returns:
        uint8 of that shape: upright as EXIF says, on white where it is transparent.

    Raises:
        ValueError: Where the file cannot be read as an image; it is named.
        OSError: Where it cannot be opened.

    Example:

    >>> pixels(np.full((4, 6, 3), 200, "uint8"), (2, 2, 1))[..., 0].tolist()
    [[200, 200], [200, 200]]
    """
    from PIL import Image

    if isinstance(item, np.ndarray):
        return _square(Image.fromarray(item[..., 0] if item.shape[2:] == (1,) else item), shape)
    with _opened(item) as image:
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
    with _opened(path):
        pass


@contextlib.contextmanager
def _opened(path):
    from PIL import Image

    try:
        if not os.stat(path).st_size:
            raise ValueError("it is empty")
        with Image.open(path) as image:
            yield image
    except Exception as error:  # Pillow's decoders raise many kinds
        # What the system refuses, such as a file that may not be read, is no damage.
        if isinstance(error, MemoryError) or getattr(error, "errno", None) is not None:
            raise
        raise ValueError(f"{path} cannot be read as an image: {str(error) or type(error).__name__}") from error


def _square(image, shape):
    """The middle of an image, upright, as uint8 (side, side, channels)."""
    from PIL import Image

    turn = _UPRIGHT.get(_orientation(image))
    image = _plain(image, shape[2])
    side = min(image.size)
    left, top = ((length - side) / 2 for length in image.size)
    if image.size != shape[:2]:
        # Of the square alone: as if the whole were resized and then cut.
        image = image.resize(shape[:2], Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))
    if turn:
        image = image.transpose(Image.Transpose[turn])
    return np.asarray(image).reshape(shape)


def _orientation(image):
    try:
        return image.getexif().get(0x0112)
    except Exception:  # the pixels are good, whatever became of what is said about them
        return None


def _plain(image, channels):
    """An image as 8 bits a channel, grey or RGB; on white where it is transparent."""
    from PIL import Image

    if image.mode[0] in "IF":
        values = np.asarray(image).astype("float32")
        high = values.max()
        if not (values.min() >= 0 and high <= (255 if image.mode == "F" else 65535)):
            expected = "0 to 1 or 0 to 255" if image.mode == "F" else "0 to 65535"
            raise ValueError(f"its pixels are {values.min():g} to {high:g}; expected {expected}")
        if image.mode == "F":
            values *= 255 if high <= 1 else 1
        elif image.mode != "I" or high > 255 or image.format == "PNG":
            values /= 257
        image = Image.fromarray(np.rint(values).astype("uint8"))
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L" if channels == 1 else "RGB")
