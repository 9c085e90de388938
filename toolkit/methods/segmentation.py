"""What a segmentation network says of images at their own size: at several scales, mirrored, and how right it is."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.metrics.segmentation import intersection_over_union, pixel_confusion, segmentation, trimap_counts

FUSIONS = ("max", "mean")


def predictor(
    model: keras.Model,
    *,
    image_size: int | None = None,
    scales: Sequence[float] = (1.0,),
    flip: bool = False,
    fusion: str = "max",
) -> Callable[[np.ndarray], np.ndarray]:
    """Makes the function that tells the class of each pixel of an image.

    The image is shrunk to the size that the network was trained on, and times each of the scales; the logits are
    enlarged to the image's own size, those of the mirrored image mirrored back and averaged with them; over the scales
    the greatest, or the mean, is taken.

    Args:
        model: From images (batch, height, width, 3), 0 to 255, of any size, to logits (batch, height, width, classes).
        image_size: Pixels of the shorter side that the network sees at scale 1; None: the image as it is.
        scales: Of that.
        flip: Whether the mirrored image is looked at too.
        fusion: "max" or "mean", over the scales.

    Returns:
        A function from an image (height, width, 3), 0 to 255, to logits, float32 (height, width, classes).

    Raises:
        ValueError: Where a scale or the fusion is none.

    Example:

    >>> model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 1)])
    >>> predictor(model, image_size=8, scales=(0.5, 1.0), flip=True)(np.zeros((20, 30, 3), "uint8")).shape
    (20, 30, 4)

    Reference: Chen et al. 2016, arXiv 1606.00915, section 4.1.2 (scales of 0.5, 0.75 and 1, fused by their maximum).
    """
    if fusion not in FUSIONS:
        raise ValueError(f"fusion={fusion!r}: expected one of {', '.join(FUSIONS)}.")
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales={tuple(scales)}: expected numbers over 0.")

    # One trace for images of all sizes: a trace of its own for each takes longer than the images do.
    @tf.function(
        input_signature=[tf.TensorSpec((1, None, None, 3), tf.float32), tf.TensorSpec((2,), tf.int32)], autograph=False
    )
    def logits_at(image, size):
        seen = tf.image.resize(image, size, antialias=True)
        found = model(seen, training=False)
        if flip:
            found = (found + model(seen[:, :, ::-1], training=False)[:, :, ::-1]) / 2
        return tf.image.resize(tf.cast(found, tf.float32), tf.shape(image)[1:3])

    def predict(image):
        height, width = image.shape[:2]
        one = (image_size or min(height, width)) / min(height, width)
        image = np.asarray(image, "float32")[None]
        found = None
        for scale in scales:
            size = np.maximum(1, np.round([height * one * scale, width * one * scale])).astype("int32")
            logits = logits_at(image, size)[0].numpy()
            if found is None:
                found = logits
            else:
                found = np.maximum(found, logits) if fusion == "max" else found + logits
        return found if fusion == "max" else found / np.float32(len(scales))

    return predict


class Measured(NamedTuple):
    """What `measure` counts, over all images.

    Args:
        matrix: int64 (classes, classes), pixels by true and predicted class.
        trimap: int64 (widths, 2), right pixels and all that count in bands round the borders.
    """

    matrix: np.ndarray
    trimap: np.ndarray

    @property
    def iou(self) -> np.ndarray:
        """Intersection over union of each class, (classes,), 0 to 1; NaN for one that is nowhere."""
        return intersection_over_union(self.matrix)

    @property
    def figures(self) -> dict[str, float]:
        """Mean IoU, accuracies, and the accuracy within 3 pixels of a border, in percent."""
        return {
            **segmentation(self.matrix),
            "trimap_accuracy_of_3_pixels_percent": 100 * float(self.trimap_accuracy[min(2, len(self.trimap) - 1)]),
        }

    @property
    def trimap_accuracy(self) -> np.ndarray:
        """The share that is right in each band, float64 (widths,); NaN where there is no border."""
        right, all_there = self.trimap.T.astype("float64")
        return np.divide(right, all_there, out=np.full(len(right), np.nan), where=all_there > 0)


def mean_iou(
    examples: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]],
    method: Callable[[np.ndarray, np.ndarray], np.ndarray],
    num_classes: int,
    *,
    ignored: int = 255,
) -> float:
    """Computes the mean IoU that a method makes of logits.

    Args:
        examples: Triples (image, labels, logits).
        method: A function of (image, logits) that gives logits.
        num_classes: Classes.
        ignored: The label of pixels that do not count.

    Returns:
        Percent.
    """
    found = 0
    for image, labels, logits in examples:
        found = found + pixel_confusion(labels, method(image, logits).argmax(-1), num_classes, ignored=ignored)
    return segmentation(found)["mean_iou_percent"]


def measure(
    examples: Iterable[tuple[np.ndarray, np.ndarray]],
    methods: dict[str, Callable[[np.ndarray, Any], np.ndarray]],
    num_classes: int,
    *,
    widths: Sequence[int] = tuple(range(1, 21)),
    ignored: int = 255,
    total: int | None = None,
) -> dict[str, Measured]:
    """Compares ways to segment, each image at its own size.

    Args:
        examples: Pairs (image, labels): uint8 (height, width, 3) and integers (height, width), of any sizes.
        methods: By name, in order, functions of (image, what the method before gave; None for the first) that give
            logits (height, width, classes).
        num_classes: Classes.
        widths: Of the bands round the borders, in pixels.
        ignored: The label of pixels that do not count.
        total: How many examples there are, for the progress.

    Returns:
        By method, what was counted.

    Example:

    >>> labels = np.array([[0, 0, 1, 1]])
    >>> right = {"right": lambda image, before: np.eye(2)[labels]}
    >>> found = measure([(np.zeros((1, 4, 3)), labels)], right, 2, widths=(1,))["right"]
    >>> found.matrix.tolist(), found.trimap_accuracy.tolist()
    ([[2, 0], [0, 2]], [1.0])
    """
    from tqdm import tqdm

    found = {name: [0, 0] for name in methods}
    for image, labels in tqdm(examples, "test", total, unit="image", mininterval=15, delay=3):
        logits = None
        for name, method in methods.items():
            logits = method(image, logits)
            predicted = logits.argmax(-1)
            found[name][0] += pixel_confusion(labels, predicted, num_classes, ignored=ignored)
            found[name][1] += trimap_counts(labels, predicted, widths, ignored=ignored)
    return {name: Measured(*counts) for name, counts in found.items()}


def in_words(labels: np.ndarray, class_names: Sequence[str]) -> str:
    """Says which classes an image has, the largest first.

    Args:
        labels: (height, width), class numbers.
        class_names: A name for each class.

    Example:

    >>> in_words(np.array([[0, 2, 2, 2]]), ["sky", "road", "car"])
    'car 75 %, sky 25 %'
    """
    shares = np.bincount(labels.ravel(), minlength=len(class_names)) / labels.size
    return ", ".join(
        f"{class_names[i]} {100 * shares[i]:.0f} %" for i in np.argsort(-shares, kind="stable") if shares[i]
    )


def sharpened(crf: keras.layers.Layer, num_classes: int) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Makes a method for `measure` of a conditional random field.

    Args:
        crf: Of (logits, image), such as `layers.DenseCRF`.
        num_classes: Classes.

    Returns:
        A function of (image, logits) that gives logits (height, width, classes).
    """

    signature = [tf.TensorSpec((1, None, None, channels), tf.float32) for channels in (num_classes, 3)]
    in_graph = tf.function(crf, input_signature=signature, autograph=False)

    def apply(image, logits):
        return in_graph(np.asarray(logits, "float32")[None], np.asarray(image, "float32")[None])[0].numpy()

    return apply


def search(
    score: Callable[[dict[str, float]], float], first: dict[str, float], grids: dict[str, Sequence[float]], rounds: int
) -> tuple[dict[str, float], list[tuple[dict[str, float], float]]]:
    """Searches numbers that score best, one after the other over its grid, and again.

    Args:
        score: Of the numbers by name; more is better.
        first: Where the search begins.
        grids: Of each number in turn, the values tried.
        rounds: How often all of them are gone through; it ends before where nothing changes.

    Returns:
        (best, tried): the numbers that score best; and all that were tried, with their scores, in order.

    Example:

    >>> best, tried = search(lambda at: -(at["x"] - 2) ** 2 - at["y"] ** 2, {"x": 0, "y": 1},
    ...                      {"x": (0, 1, 2), "y": (0, 1)}, rounds=2)
    >>> best, len(tried)
    ({'x': 2, 'y': 0}, 6)

    Reference: Chen et al. 2016, arXiv 1606.00915, section 4.1.3 (coarse to fine, on a hundred validation images).
    """
    best, tried, scores = dict(first), [], {}

    def scored(at):
        key = tuple(at.values())
        if key not in scores:
            scores[key] = score(at)
            tried.append((dict(at), scores[key]))
        return scores[key]

    scored(best)
    for _ in range(rounds):
        before = dict(best)
        for name, grid in grids.items():
            best = max(({**best, name: value} for value in (best[name], *grid)), key=scored)
        if best == before:
            break
    return best, tried
