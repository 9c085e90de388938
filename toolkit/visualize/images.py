"""Images and what a classifier makes of them: tiles, confusions, calibration, filters, heat maps."""

import textwrap
from collections.abc import Sequence

import numpy as np

from toolkit.visualize.strokes import INK

_WRONG = "#c22f2f"
_GREY = "#666666"
_DPI = 110
# Pixels: what a tile is as large as at least, and at most, where the image itself is smaller or larger.
_SMALLEST, _LARGEST = 96, 256


def grid(images: np.ndarray, titles: Sequence[str] = (), *, columns: int = 8, wrong: Sequence[bool] | None = None):
    """Images side by side, small ones magnified so that each of their pixels is a square.

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


def confusion(matrix: np.ndarray, class_names: Sequence[str]):
    """Which class is taken for which: a square for each pair, as dark as its share of the true class is large.

    Args:
        matrix: (classes, classes) counts; rows are the true class, columns the predicted one.
        class_names: A name for each class.

    Returns:
        A matplotlib figure; the counts are printed where there are at most 20 classes.

    Raises:
        ValueError: Where the matrix is not one of as many classes as there are names.

    Example:

    >>> [text.get_text() for text in confusion(np.array([[3, 1], [0, 4]]), ["cat", "dog"]).axes[0].texts]
    ['3', '1', '4']
    """
    from matplotlib.colors import LinearSegmentedColormap, PowerNorm

    matrix = np.asarray(matrix)
    num_classes = len(class_names)
    if matrix.shape != (num_classes, num_classes):
        raise ValueError(f"Expected counts of {num_classes} by {num_classes} classes; got {matrix.shape}.")
    total = matrix.sum(axis=1, keepdims=True)
    share = matrix / np.maximum(total, 1)
    inches = float(np.clip(0.42 * num_classes if num_classes <= 20 else 0.115 * num_classes, 2.5, 14.0))
    figure = _figure(inches + 2.2, inches + 1.2)
    axis = figure.subplots()
    # By the root: one in a hundred is still to be seen.
    shades = LinearSegmentedColormap.from_list("share", ["#ffffff", "#c9d3e3", "#6d84ab", INK])
    drawn = axis.imshow(share, cmap=shades, norm=PowerNorm(0.5, 0.0, 1.0), interpolation="nearest")
    # Names that would overlap are left out, evenly.
    points = float(np.clip(inches / max(num_classes, 1) * 72 * 0.8, 5.0, 9.0))
    every = max(1, int(np.ceil(num_classes * points * 1.1 / (inches * 72))))
    places = range(0, num_classes, every)
    names = [class_names[place] for place in places]
    axis.set_xticks(places, names, rotation=90, fontsize=points)
    axis.set_yticks(places, names, fontsize=points)
    axis.tick_params(length=0, pad=2)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    if num_classes <= 20:
        size = 8 if matrix.max(initial=0) < 10_000 else 6
        for row, column in np.argwhere(matrix > 0):
            color = "white" if share[row, column] > 0.3 else INK
            axis.text(column, row, f"{matrix[row, column]:g}", ha="center", va="center", fontsize=size, color=color)
    else:
        axis.set_xticks(np.arange(9.5, num_classes - 1, 10), minor=True)
        axis.set_yticks(np.arange(9.5, num_classes - 1, 10), minor=True)
        axis.grid(which="minor", color="#dddddd", linewidth=0.5)
        axis.tick_params(which="minor", length=0)
    axis.spines[:].set_color("#bbbbbb")
    bar = figure.colorbar(drawn, ax=axis, fraction=0.04, pad=0.02, ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
    bar.ax.set_yticklabels(["0", "1 %", "10 %", "25 %", "50 %", "100 %"], fontsize=7)
    bar.set_label("share of the true class", fontsize=8)
    bar.outline.set_visible(False)
    return figure


def reliability(confidence: np.ndarray, accuracy: np.ndarray, count: np.ndarray, error: float):
    """Whether predicted probabilities come true: the share that was right by bins of confidence, and the bins' sizes.

    Args:
        confidence: (bins,) mean probability of the predicted class; bins are of equal width from 0 to 1.
        accuracy: (bins,) the share that was right; NaN where a bin is empty.
        count: (bins,) examples.
        error: The expected calibration error, from 0 to 1, which stands above.

    Returns:
        A matplotlib figure: points on the diagonal are calibrated, below it too sure.

    Example:

    >>> figure = reliability(np.array([0.4, 0.9]), np.array([0.5, 0.8]), np.array([10, 30]), 0.1)
    >>> figure.axes[0].get_title()
    'expected calibration error 0.100'
    """
    confidence, accuracy, count = (np.asarray(values, "float64") for values in (confidence, accuracy, count))
    edges = np.linspace(0, 1, len(count) + 1)
    some = count > 0
    figure = _figure(4.2, 5.0)
    upper, lower = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 1]})
    upper.plot([0, 1], [0, 1], color=_GREY, linestyle="--", linewidth=1, label="calibrated")
    width = 1 / len(count)
    upper.bar(edges[:-1][some], accuracy[some], width, align="edge", color=INK, edgecolor="white", label="right")
    upper.vlines(confidence[some], accuracy[some], confidence[some], color=_WRONG, linewidth=2, label="off by")
    upper.plot(confidence[some], confidence[some], ".", color=_WRONG, markersize=4)
    upper.set_ylim(0, 1)
    upper.set_ylabel("share that was right")
    upper.set_title(f"expected calibration error {error:.3f}", fontsize=9, loc="center", color=INK)
    upper.legend(frameon=False, fontsize=8, loc="upper left")
    lower.bar(edges[:-1], count, width, align="edge", color="#58a399", edgecolor="white")
    lower.set_xlim(0, 1)
    lower.set_xlabel("confidence: probability of what is predicted")
    lower.set_ylabel("examples")
    for axis in (upper, lower):
        axis.spines[["top", "right"]].set_visible(False)
    return figure


def filters(kernels: np.ndarray, *, columns: int = 8):
    """What the filters of a first convolution look like, each scaled to its own range.

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


def heatmaps(images: np.ndarray, maps: np.ndarray, titles: Sequence[str] = (), *, columns: int = 4):
    """Each image, and beside it the same image under a map of what counts in it.

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


def _figure(width, height):
    from matplotlib.figure import Figure

    return Figure((width, height), dpi=_DPI, layout="constrained")
