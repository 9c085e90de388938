"""How well each pixel's class was told: counted over any number of images, then intersection over union."""

from collections.abc import Sequence

import numpy as np

from toolkit.metrics.confusion_matrix import confusion_matrix


def pixel_confusion(
    labels: np.ndarray, predictions: np.ndarray, num_classes: int, *, ignored: int | None = None
) -> np.ndarray:
    """Counts pixels by (true class, predicted class); the sum over images says what all of them give.

    Args:
        labels: Integers of any shape, true classes from 0.
        predictions: Of the same shape, predicted classes from 0.
        num_classes: How many classes there are.
        ignored: The label of pixels that do not count, whatever is predicted there; None: all count.

    Returns:
        (num_classes, num_classes) int64: rows are the true class, columns the predicted one.

    Raises:
        ValueError: Where the shapes differ, or something that counts is not a class.

    Example:

    >>> labels = np.array([[0, 0, 1], [255, 1, 1]])
    >>> pixel_confusion(labels, np.array([[0, 1, 1], [0, 1, 1]]), 2, ignored=255)
    array([[1, 1],
           [0, 3]])
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.shape != predictions.shape:
        raise ValueError(f"expected labels and predictions of one shape; got {labels.shape} and {predictions.shape}.")
    counts = np.ones(labels.shape, bool) if ignored is None else labels != ignored
    return confusion_matrix(labels[counts], predictions[counts], num_classes)


def intersection_over_union(matrix: np.ndarray) -> np.ndarray:
    """Computes IoU = TP / (TP + FP + FN) of each class.

    Args:
        matrix: (classes, classes) counts, rows the true class.

    Returns:
        (classes,), 0 to 1; NaN for a class that is neither there nor predicted.

    Example:

    >>> intersection_over_union(np.array([[1, 1, 0], [0, 3, 0], [0, 0, 0]])).tolist()
    [0.5, 0.75, nan]

    Reference: Everingham et al. 2010, "The PASCAL Visual Object Classes challenge", section 4.1.3.
    """
    right = np.diagonal(matrix)
    either = matrix.sum(axis=0) + matrix.sum(axis=1) - right
    return np.where(either > 0, right / np.maximum(either, 1), np.nan)


def segmentation(matrix: np.ndarray) -> dict[str, float]:
    """Sums up what pixels were taken for.

    Args:
        matrix: (classes, classes) counts, rows the true class; of all images together.

    Returns:
        "mean_iou_percent" over the classes that are there or are predicted; "pixel_accuracy_percent"; and
        "mean_accuracy_percent", over the classes that are there.

    Raises:
        ValueError: Where nothing was counted.

    Example:

    >>> segmentation(np.array([[1, 1], [0, 2]]))["pixel_accuracy_percent"]
    75.0

    Reference: Long, Shelhamer, Darrell 2015, arXiv 1411.4038, section 5.
    """
    total = matrix.sum()
    if not total:
        raise ValueError("no pixel counts: every one is ignored.")
    right, there = np.diagonal(matrix), matrix.sum(axis=1)
    return {
        "mean_iou_percent": 100.0 * float(np.nanmean(intersection_over_union(matrix))),
        "pixel_accuracy_percent": 100.0 * float(right.sum() / total),
        "mean_accuracy_percent": 100.0 * float((right[there > 0] / there[there > 0]).mean()),
    }


def border_distance(labels: np.ndarray, most: int, *, ignored: int | None = None) -> np.ndarray:
    """Measures how far each pixel is from another class, in steps to any of the eight neighbours.

    Args:
        labels: Integers (height, width).
        most: What is farther is not told apart.
        ignored: The label of pixels that are no class: nothing borders on them.

    Returns:
        int32 (height, width): 1 beside another class, and at most `most` + 1.

    Example:

    >>> border_distance(np.array([[0, 0, 0, 1, 1]]), 2).tolist()
    [[3, 2, 1, 1, 2]]
    """
    labels = np.asarray(labels)
    beside = np.zeros(labels.shape, bool)
    known = np.ones(labels.shape, bool) if ignored is None else labels != ignored
    for first, second in _neighbors():
        differ = (labels[first] != labels[second]) & known[first] & known[second]
        beside[first] |= differ
        beside[second] |= differ
    distance = np.full(labels.shape, most + 1, "int32")
    for step in range(1, most + 1):
        distance[beside & (distance > most)] = step
        wider = beside.copy()
        for first, second in _neighbors():
            wider[first] |= beside[second]
            wider[second] |= beside[first]
        beside = wider
    return distance


def trimap_counts(
    labels: np.ndarray, predictions: np.ndarray, widths: Sequence[int], *, ignored: int | None = None
) -> np.ndarray:
    """Counts right pixels in bands round the borders between classes; the sum over images gives the accuracy.

    Args:
        labels: Integers (height, width), true classes.
        predictions: Integers (height, width).
        widths: The bands' widths in pixels, to each side of a border.
        ignored: The label of pixels that do not count.

    Returns:
        int64 (widths, 2): right ones, and all that count.

    Example:

    >>> counts = trimap_counts(np.array([[0, 0, 0, 1, 1]]), np.array([[0, 0, 1, 1, 1]]), [1, 2])
    >>> counts.tolist()
    [[1, 2], [3, 4]]

    Reference: Kohli, Ladicky, Torr 2009, section 5; Chen et al. 2016, arXiv 1606.00915, figure 10.
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    distance = border_distance(labels, max(widths), ignored=ignored)
    counts = np.ones(labels.shape, bool) if ignored is None else labels != ignored
    right = counts & (labels == predictions)
    bands = [distance <= width for width in widths]
    return np.array([[np.count_nonzero(right & band), np.count_nonzero(counts & band)] for band in bands])


def _neighbors():
    """Each pair of neighbouring pixels once, as two views: to the right, below, and both ways aslant."""
    left, right, above, below = slice(None, -1), slice(1, None), slice(None, -1), slice(1, None)
    everything = slice(None)
    yield (everything, left), (everything, right)
    yield (above, everything), (below, everything)
    yield (above, left), (below, right)
    yield (above, right), (below, left)
