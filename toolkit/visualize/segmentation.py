"""Each pixel's class: truth, prediction and mistakes beside the image, intersection over union, accuracy at borders."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize._figures import empty_figure
from toolkit.visualize.strokes import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The first classes' colours; further ones are each as far from all before it as can be.
_FIRST = ("#4c78a8", "#f2a33c", "#5aa469", "#b5485d", "#9b5fc6", "#e6d35a", "#7fc7d9", "#e58fb1", "#7d5433", "#1f3d5c")
_FIRST += ("#8fd14f", "#f26d4f")
_IGNORED_COLORS = ((205, 205, 205), (170, 170, 170))  # stripes of both
_WRONG = (194, 47, 47)
_SHADES = (1.0, 0.72)  # of bars
_GREY = np.array([[0.299], [0.587], [0.114]])  # of red, green and blue
_DPI = 110
_SIDE = 220  # pixels of a tile's longer side
_GAP, _LINE = 6, 16


def palette(num_classes: int) -> np.ndarray:
    """Gives each class a colour: the same ones whatever more there are, well apart, and none of them grey.

    Args:
        num_classes: How many.

    Returns:
        uint8 (num_classes, 3), RGB.

    Example:

    >>> palette(2).tolist()
    [[76, 120, 168], [242, 163, 60]]
    """
    chosen = [[int(color[place : place + 2], 16) for place in (1, 3, 5)] for color in _FIRST[:num_classes]]
    levels = np.linspace(15, 250, 16).round()
    offered = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    light, *hue = _as_seen(offered).T
    offered = offered[(np.hypot(*hue) > 0.07) & (np.hypot(*hue) < 0.22) & (light > 0.3) & (light < 0.93)]
    seen = _as_seen(offered)
    nearest = np.full(len(offered), np.inf)
    for place in range(num_classes):
        if place >= len(chosen):
            chosen.append(offered[nearest.argmax()])
        nearest = np.minimum(nearest, np.linalg.norm(seen - _as_seen(chosen[place]), axis=-1))
    return np.array(chosen, "uint8").reshape(-1, 3)


def overlays(
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    class_names: Sequence[str],
    *,
    titles: Sequence[str] = (),
    ignored: int = 255,
) -> "Figure":
    """Draws a row for each image: itself, the truth, the prediction, and in red what is wrong.

    Args:
        images: Each (height, width, 3), 0 to 255, of any size.
        labels: Each (height, width), the true classes.
        predictions: Each (height, width), the predicted ones.
        class_names: A name for each class.
        titles: What stands under each image; none: nothing.
        ignored: The label of pixels that do not count; they are striped in grey.

    Returns:
        A matplotlib figure, with a legend of the classes that occur.

    Raises:
        ValueError: Where the arrays are not as many or not of one size, or a label is no class.

    Example:

    >>> image, labels = np.zeros((8, 9, 3)), np.zeros((8, 9), int)
    >>> [axis.get_title() for axis in overlays([image], [labels], [labels], ["sky"]).axes]
    ['image', 'truth', 'prediction', 'mistakes']
    """
    given = {"labels": labels, "predictions": predictions}
    images, labels, predictions = _checked(images, class_names, titles, ignored, **given)
    colors, rows = palette(len(class_names)), []
    for image, truth, found, title in zip(images, labels, predictions, titles or [""] * len(images), strict=True):
        painted = [(_painted(image, each, colors, ignored), "") for each in (truth, found)]
        rows.append([(image, title), *painted, _marked(image, truth, found, ignored)])
    legend = _legend([*labels, *predictions], class_names, ignored)
    return _tiled(rows, ("image", "truth", "prediction", "mistakes"), legend)


def errors(
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    *,
    columns: int = 4,
    ignored: int = 255,
) -> "Figure":
    """Draws where predictions are wrong: those pixels in red over the image in grey, and their share below.

    Args:
        images: Each (height, width, 3), 0 to 255, of any size.
        labels: Each (height, width), the true classes.
        predictions: Each (height, width), the predicted ones.
        columns: Images in a row.
        ignored: The label of pixels that do not count; they are striped in grey.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where the arrays are not as many or not of one size.

    Example:

    >>> labels = np.array([[0, 1], [1, 255]])
    >>> errors([np.zeros((2, 2, 3))], [labels], [np.zeros((2, 2))]).axes[0].get_xlabel()
    '66.7% wrong'
    """
    checked = _checked(images, None, (), ignored, labels=labels, predictions=predictions)
    tiles = [_marked(*each, ignored) for each in zip(*checked, strict=True)]
    return _tiled([tiles[first : first + columns] for first in range(0, len(tiles), columns)])


def examples(
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    class_names: Sequence[str],
    *,
    titles: Sequence[str] = (),
    columns: int = 2,
    ignored: int = 255,
) -> "Figure":
    """Draws images, each with its labels beside it.

    Args:
        images: Each (height, width, 3), 0 to 255, of any size.
        labels: Each (height, width), classes.
        class_names: A name for each class.
        titles: What stands under each image; none: nothing.
        columns: Pairs in a row.
        ignored: The label of pixels that are no class; they are striped in grey.

    Returns:
        A matplotlib figure, with a legend of the classes that occur.

    Raises:
        ValueError: Where the arrays are not as many or not of one size, or a label is no class.

    Example:

    >>> figure = examples([np.zeros((8, 9, 3))], [np.zeros((8, 9), int)], ["sky"], titles=["1.png"])
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['1.png', '']
    """
    images, labels = _checked(images, class_names, titles, ignored, labels=labels)
    colors, tiles = palette(len(class_names)), []
    for image, each, title in zip(images, labels, titles or [""] * len(images), strict=True):
        tiles += [(image, title), (_painted(image, each, colors, ignored), "")]
    rows = [tiles[first : first + 2 * columns] for first in range(0, len(tiles), 2 * columns)]
    return _tiled(rows, legend=_legend(labels, class_names, ignored))


def iou_bars(
    iou: np.ndarray,
    class_names: Sequence[str],
    other: np.ndarray | None = None,
    *,
    series: Sequence[str] = ("network", "with CRF"),
) -> "Figure":
    """Draws each class's intersection over union, the best first, and their mean.

    Args:
        iou: (classes,), 0 to 1; NaN for a class that is neither there nor predicted.
        class_names: A name for each class.
        other: The same of something else, beside the first; None: nothing.
        series: What the two are.

    Returns:
        A matplotlib figure; bars in the classes' colours, of the other darker.

    Raises:
        ValueError: Where there is not one number for each name.

    Example:

    >>> axis = iou_bars(np.array([0.5, 0.75]), ["sky", "road"]).axes[0]
    >>> [tick.get_text() for tick in axis.get_yticklabels()], [text.get_text() for text in axis.texts]
    (['road', 'sky'], ['75.0', '50.0'])
    """
    from matplotlib.patches import Patch

    both = [np.asarray(each, "float64") for each in (iou, other) if each is not None]
    for each in both:
        if each.shape != (len(class_names),):
            raise ValueError(f"Expected a number for each of {len(class_names)} classes; got shape {each.shape}.")
    order = np.argsort(np.where(np.isnan(both[0]), np.inf, -both[0]), kind="stable")
    colors, height = palette(len(class_names)) / 255, 0.8 / len(both)
    figure = empty_figure(6.4, 1.1 + (0.2 + 0.12 * len(both)) * len(class_names))
    axis = figure.subplots()
    for number, each in enumerate(both):
        places = np.arange(len(order)) + (number - (len(both) - 1) / 2) * height
        axis.barh(places, 100 * np.nan_to_num(each[order]), 0.92 * height, color=_SHADES[number] * colors[order])
        for place, value in zip(places, each[order], strict=True):
            told = "not there" if np.isnan(value) else f"{100 * value:.1f}"
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}  # else the mean's line would cross it
            axis.text(100 * np.nan_to_num(value) + 0.8, place, told, va="center", fontsize=7, color=INK, bbox=box)
        if not np.isnan(each).all():
            axis.axvline(100 * np.nanmean(each), color=INK, linewidth=1, linestyle=("--", ":")[number], zorder=0)
    means = [f"{100 * np.nanmean(each):.1f} %" for each in both if not np.isnan(each).all()]
    if other is not None:
        means = [f"{mean} {name}" for mean, name in zip(means, series, strict=False)]
        shades = [Patch(color=str(0.65 * shade), label=name) for shade, name in zip(_SHADES, series, strict=True)]
        axis.legend(handles=shades, loc="lower right", frameon=False, fontsize=8, labelcolor=INK)
    axis.set_title(f"mean IoU {', '.join(means)}", fontsize=9, color=INK)
    axis.set_yticks(range(len(order)), [class_names[place] for place in order], fontsize=8)
    axis.tick_params("y", length=0)
    axis.set(xlim=(0, 106), ylim=(len(order) - 0.4, -0.6), xlabel="intersection over union, %")
    axis.spines[["top", "right", "left"]].set_visible(False)
    return figure


def trimap_curves(accuracies: Mapping[str, Sequence[float]], widths: Sequence[int]) -> "Figure":
    """Draws how many pixels are right in bands round the borders of classes, by the bands' width.

    Args:
        accuracies: For each curve by name (widths,) shares, 0 to 1.
        widths: The bands' widths in pixels.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where a curve has not one number for each width.

    Example:

    >>> axis = trimap_curves({"network": [0.5, 0.7], "with CRF": [0.6, 0.75]}, [1, 2]).axes[0]
    >>> [text.get_text() for text in axis.get_legend().get_texts()]
    ['network', 'with CRF']

    Reference: Chen et al. 2016, arXiv 1606.00915, figure 10.
    """
    from toolkit.visualize.charts import curves

    for name, each in accuracies.items():
        if len(each) != len(widths):
            raise ValueError(f"{name}: expected a number for each of {len(widths)} widths; got {len(each)}.")
    points = {name: list(zip(widths, 100 * np.asarray(each), strict=True)) for name, each in accuracies.items()}
    figure = curves(points, "width of the band round borders, pixels", "right in it, %")
    figure.axes[0].xaxis.get_major_locator().set_params(integer=True)
    return figure


def _as_seen(colors):
    """RGB, 0 to 255, as OKLab, in which distances are about those that one sees (Ottosson 2020)."""
    share = np.asarray(colors, "float64") / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    cones = linear @ [[0.4122, 0.2119, 0.0883], [0.5363, 0.6807, 0.2817], [0.0514, 0.1074, 0.6300]]
    return np.cbrt(cones) @ [[0.2105, 1.9780, 0.0259], [0.7936, -2.4286, 0.7828], [-0.0041, 0.4506, -0.8087]]


def _checked(images, class_names, titles, ignored, **labels):
    images = [np.asarray(image) for image in images]
    labels = {what: [np.asarray(each) for each in given] for what, given in labels.items()}
    for what, given in {"titles": titles or images, **labels}.items():
        if len(given) != len(images):
            raise ValueError(f"Expected as many {what} as images, {len(images)}; got {len(given)}.")
    most = np.inf if class_names is None else len(class_names)
    for number, image in enumerate(images):
        if image.ndim != 3 or image.shape[-1] != 3:
            raise ValueError(f"Expected images (height, width, 3); number {number} is {image.shape}.")
        for what, given in labels.items():
            if (each := given[number]).shape != image.shape[:2]:
                raise ValueError(f"Expected {what} of image {number}'s size {image.shape[:2]}; got {each.shape}.")
            beyond = each[(each != ignored) & ((each < 0) | (each >= most))]
            if len(beyond):
                raise ValueError(f"{what} of image {number} hold {beyond[0]}, but there are {most} classes.")
    return [np.clip(np.rint(image), 0, 255).astype("uint8") for image in images], *labels.values()


def _stripes(shape):
    rows, columns = np.indices(shape)
    return np.array(_IGNORED_COLORS, "uint8")[(rows + columns) // max(1, max(shape) // 60) % 2]


def _painted(image, labels, colors, ignored):
    """The classes' colours, in which one still sees the image a little."""
    known = labels != ignored
    shaded = colors[np.where(known, labels, 0).astype(int)] * (0.78 + 0.34 / 255 * image @ _GREY)
    return np.where(known[..., None], np.clip(shaded, 0, 255), _stripes(labels.shape)).round().astype("uint8")


def _marked(image, labels, predictions, ignored):
    """The image in pale grey, what is wrong in red; and what share that is."""
    counts = labels != ignored
    wrong = (labels != predictions) & counts
    shown = np.where(wrong[..., None], _WRONG, 130 + 0.49 * image @ _GREY)
    shown = np.where(counts[..., None], shown, _stripes(labels.shape)).round().astype("uint8")
    return shown, f"{wrong.sum() / max(1, counts.sum()):.1%} wrong"


def _legend(labels, class_names, ignored):
    """(name, colour) of the classes that occur."""
    there = set(np.unique(np.concatenate([np.ravel(each) for each in labels]))) if len(labels) else set()
    named = enumerate(zip(class_names, palette(len(class_names)), strict=True))
    shown = [each for number, each in named if number in there]
    return shown + [("ignored", np.mean(_IGNORED_COLORS, axis=0))] * (ignored in there)


def _tiled(rows, heads=(), legend=()):
    """Rows of (image, what stands below), each image as large as one sees it well; the legend at the bottom."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    def size(image):
        scale = _SIDE / max(image.shape[:2])
        # Whole pixels for each of a small image's, so that all squares are alike.
        return [round(side * (np.floor(scale) if scale > 1 else scale)) for side in image.shape[:2]]

    columns = max(map(len, rows), default=1)
    wide = max((size(image)[1] for row in rows for image, _ in row), default=_SIDE)
    tall = [max(size(image)[0] for image, _ in row) + (_LINE if any(text for _, text in row) else 0) for row in rows]
    width, above = columns * (wide + _GAP) + _GAP, _LINE + 4 if heads else _GAP
    across = max(1, width // (44 + 7 * max((len(name) for name, _ in legend), default=1)))
    below = _LINE * -(-len(legend) // across) + 2 * _GAP if legend else 0
    pixels = np.array([width, above + sum(tall) + _GAP * len(rows) + below])
    figure, top = Figure(pixels / _DPI, dpi=_DPI), above
    for number, row in enumerate(rows):
        for column, (image, text) in enumerate(row):
            high, broad = size(image)
            corner = _GAP + column * (wide + _GAP) + (wide - broad) // 2, pixels[1] - top - high
            axis = figure.add_axes((*(corner / pixels), broad / pixels[0], high / pixels[1]))
            axis.imshow(image, interpolation="nearest" if broad >= image.shape[1] else "antialiased", aspect="auto")
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
            axis.set_xlabel(text, fontsize=7, labelpad=2, color=INK, parse_math=False)
            if heads and number == 0:
                axis.set_title(heads[column], fontsize=8, pad=3, color=INK)
        top += tall[number] + _GAP
    if legend:
        handles = [Patch(color=np.asarray(color) / 255, label=name) for name, color in legend]
        how = {"fontsize": 8, "frameon": False, "handlelength": 1.2, "borderpad": 0, "labelspacing": 0.2}
        figure.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, _GAP / pixels[1]), ncols=across, **how)
    return figure
