"""Images: tiles, rows of them, the filters of a convolution, heat maps."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WRONG = "#c22f2f"
_DPI = 110
# Pixels: what a tile is as large as at least, and at most, where the image itself is smaller or larger.
_SMALLEST, _LARGEST = 96, 256


def grid(
    images: np.ndarray, titles: Sequence[str] = (), *, columns: int = 8, wrong: Sequence[bool] | None = None
) -> "Figure":
    """Draws images side by side, small ones magnified so that each of their pixels is a square.

    Args:
        images: (images, height, width), grey, or (images, height, width, channels) with 1 or 3 channels, from 0 to 255.
        titles: What stands under each; none: nothing.
        columns: Images in a row.
        wrong: Whether each title is shown in the colour of a mistake; None: none is.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where the shape is that of no images, or there is not one title, or not one of wrong, for each.

    Example:

    >>> [axis.get_xlabel() for axis in grid(np.zeros((2, 8, 8)), ["a", "b"]).axes]
    ['a', 'b']
    """
    images = _shown(images)
    for what, given in (("titles", titles), ("wrong", [] if wrong is None else wrong)):
        if len(given) not in (0, len(images)):
            raise ValueError(f"Expected as many {what} as images, {len(images)}; got {len(given)}.")
    figure, axes = _tiles(len(images), images.shape[1:3], columns, titles)
    for number, (axis, image) in enumerate(zip(axes, images, strict=True)):
        _show(axis, image)
        if len(titles):
            marked = wrong is not None and wrong[number]
            axis.set_xlabel(axis.get_xlabel(), color=_WRONG if marked else INK)
    return figure


def filters(kernels: np.ndarray, *, columns: int = 8) -> "Figure":
    """Draws the filters of a first convolution, each scaled to its own range.

    Args:
        kernels: (height, width, inputs, filters): in colour where there are 3 inputs, else their mean, in grey.
        columns: Filters in a row.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where the kernels have another number of axes.

    Example:

    >>> len(filters(np.zeros((3, 3, 1, 16))).axes)
    16
    """
    kernels = np.asarray(kernels, "float32")
    if kernels.ndim != 4:
        raise ValueError(f"Expected kernels (height, width, inputs, filters); got {kernels.shape}.")
    if kernels.shape[2] != 3:
        kernels = kernels.mean(axis=2, keepdims=True)
    kernels = kernels.transpose(3, 0, 1, 2)
    low, high = (reduce(kernels, axis=(1, 2, 3), keepdims=True) for reduce in (np.min, np.max))
    flat = high == low
    images = _shown(255 * np.where(flat, 0.5, (kernels - low) / np.where(flat, 1, high - low)))
    figure, axes = _tiles(len(images), images.shape[1:3], columns, (), smallest=_SMALLEST // 2)
    for axis, image in zip(axes, images, strict=True):
        _show(axis, image)
        axis.spines[:].set(visible=True, color="#bbbbbb", linewidth=0.6)  # white at the edge would have none
    return figure


def heatmaps(images: np.ndarray, maps: np.ndarray, titles: Sequence[str] = (), *, columns: int = 4) -> "Figure":
    """Draws each image, and beside it the same image under a map of what counts in it.

    Args:
        images: (images, height, width), grey, or (images, height, width, channels) with 1 or 3 channels, from 0 to 255.
        maps: (images, height, width), from 0 to 1.
        titles: What stands under each pair; none: nothing.
        columns: Pairs in a row.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where maps and images differ in number or size, or there is not one title for each.

    Example:

    >>> len(heatmaps(np.zeros((2, 8, 8)), np.ones((2, 8, 8))).axes)
    4
    """
    images, maps = _shown(images), np.asarray(maps, "float32")
    if maps.shape != images.shape[:3]:
        raise ValueError(f"Expected maps of the images' shape {images.shape[:3]}; got {maps.shape}.")
    if len(titles) not in (0, len(images)):
        raise ValueError(f"Expected as many titles as images, {len(images)}; got {len(titles)}.")
    height, width = images.shape[1:3]
    spread = [text for title in titles for text in (title, "")]
    figure, axes = _tiles(2 * len(images), (height, width), 2 * columns, spread, in_pairs=True)
    for image, heat, plain, covered in zip(images, maps, axes[::2], axes[1::2], strict=True):
        _show(plain, image)
        _show(covered, image)
        # More where the map is higher: what does not count keeps its own colours, only darker.
        covered.imshow(heat, cmap="inferno", vmin=0.0, vmax=1.0, alpha=0.25 + 0.5 * np.clip(heat, 0, 1))
    return figure


def examples(images: Mapping[str, np.ndarray], *, most: int = 8, num_classes: int = 20) -> "Figure":
    """Draws some images of each class, the class under the first of them.

    Args:
        images: By class, (images, height, width[, channels]), 0 to 255.
        most: Images of a class, at most.
        num_classes: Classes, at most.

    Returns:
        A matplotlib figure.

    Example:

    >>> [axis.get_xlabel() for axis in examples({"cat": np.zeros((2, 8, 8)), "dog": np.zeros((1, 8, 8))}).axes]
    ['cat', '', 'dog']
    """
    shown = {name: each[:most] for name, each in list(images.items())[:num_classes]}
    titles = [name if place == 0 else "" for name, each in shown.items() for place in range(len(each))]
    return grid(np.concatenate(list(shown.values())), titles)


def _shown(images):
    """Grey (images, height, width) or colour (images, height, width, 3), uint8."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 and not (images.ndim == 4 and images.shape[-1] == 3):
        raise ValueError(f"Expected images (images, height, width) with no, 1 or 3 channels; got {images.shape}.")
    return images if images.dtype == np.uint8 else np.clip(np.rint(images), 0, 255).astype("uint8")


def _show(axis, image):
    pixels = axis.get_window_extent().width
    # Nearest keeps pixels as they are; an image that is made smaller is averaged instead, or lines would be lost.
    interpolation = "nearest" if image.shape[1] <= pixels + 1 else "antialiased"
    axis.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation=interpolation, aspect="auto")


def _tiles(number, size, columns, titles, *, smallest=_SMALLEST, in_pairs=False):
    """A figure and its axes, placed by hand: a layout engine takes seconds for a hundred of them."""
    from matplotlib.figure import Figure

    height, width = size
    columns = max(1, min(columns, number))
    # A whole number of pixels for each of the image's, so that all squares are alike.
    scale = max(1, -(-smallest // max(size)))
    scale = scale if scale * max(size) <= _LARGEST else _LARGEST / max(size)
    tall, wide = round(height * scale), round(width * scale)
    gap, leading = 6, 14
    room = (2 * wide + gap if in_pairs else wide) / 5.5  # letters of that size that fit
    wrapped = [textwrap.wrap(str(title), max(4, int(room))) for title in titles]
    below = leading * max(map(len, wrapped), default=0) + (4 if wrapped else 0)
    rows = -(-number // columns)
    pixels = np.array([columns * (wide + gap) + gap, max(1, rows) * (tall + below + gap) + gap])
    figure = Figure(pixels / _DPI, dpi=_DPI)
    axes = []
    for place in range(number):
        row, column = divmod(place, columns)
        left, top = gap + column * (wide + gap), gap + row * (tall + below + gap)
        corner = np.array([left, pixels[1] - top - tall])
        axis = figure.add_axes((*corner / pixels, *np.array([wide, tall]) / pixels))
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        if wrapped and wrapped[place]:
            axis.set_xlabel("\n".join(wrapped[place]), fontsize=7, labelpad=2, color=INK, parse_math=False)
            if in_pairs:
                axis.xaxis.set_label_coords(1 + gap / 2 / wide, -2 / tall)
        axes.append(axis)
    return figure, axes


def beside(rows: Sequence[tuple[str, np.ndarray]], *, most: int = 8) -> "Figure":
    """Draws rows of images one below the other, such as originals, their codes and reconstructions.

    Args:
        rows: A title and images (images, height, width[, channels]), 0 to 255, as many in each row; smaller ones are
            magnified to the largest size.
        most: Images of a row, at most.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where the rows are of unlike lengths.

    Example:

    >>> figure = beside([("real", np.zeros((3, 8, 8, 3))), ("codes", np.zeros((3, 2, 2, 3)))])
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['real', '', '', 'codes', '', '']
    """
    lengths = {len(images) for _, images in rows}
    if len(lengths) != 1:
        raise ValueError(f"rows: expected as many images in each; got {sorted(lengths)}.")
    side = max(images.shape[1] for _, images in rows)
    found, titles = [], []
    for title, images in rows:
        images = _shown(np.asarray(images)[:most])
        images = images if images.ndim == 4 else np.repeat(images[..., None], 3, axis=-1)
        factor = max(1, side // images.shape[1])
        found.append(images.repeat(factor, axis=1).repeat(factor, axis=2))
        titles += [title, *[""] * (len(images) - 1)]
    return grid(np.concatenate(found), titles, columns=min(most, lengths.pop()))
