"""Which class was taken for which."""

from collections.abc import Sequence

import numpy as np


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Counts examples by (true class, predicted class).

    Args:
        labels: (examples,) true class numbers, from 0.
        predictions: (examples,) predicted class numbers, from 0.
        num_classes: How many classes there are.

    Returns:
        (num_classes, num_classes) int64: rows are the true class, columns the predicted one.

    Raises:
        ValueError: Where the two are not as many, or one is not a class.

    Example:

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    labels, predictions = np.asarray(labels), np.asarray(predictions)
    if labels.ndim != 1 or labels.shape != predictions.shape:
        raise ValueError(f"expected as many predictions as labels; got {predictions.shape} and {labels.shape}.")
    for what, values in (("labels", labels), ("predictions", predictions)):
        wrong = np.setdiff1d(values, np.arange(num_classes))
        if len(wrong):
            raise ValueError(f"expected {what} to be class numbers from 0 to {num_classes - 1}; got {wrong[0]}.")
    pairs = labels.astype("int64") * num_classes + predictions.astype("int64")
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def most_confused(matrix: np.ndarray, k: int) -> list[tuple[int, int, int]]:
    """Lists the pairs that were most often taken for one another, each direction by itself.

    Args:
        matrix: (classes, classes) counts, rows the true class.
        k: How many pairs at most.

    Returns:
        (true class, predicted class, count), the most frequent first, those as frequent in order of the classes; pairs
        that never occurred are left out.

    Example:

    >>> most_confused(np.array([[9, 1, 0], [3, 7, 0], [0, 0, 5]]), 2)
    [(1, 0, 3), (0, 1, 1)]
    """
    wrong = np.array(matrix)
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:k]
    pairs = zip(*np.unravel_index(order, wrong.shape), strict=True)
    return [
        (int(true), int(predicted), int(wrong[true, predicted])) for true, predicted in pairs if wrong[true, predicted]
    ]


def confusions_in_words(matrix: np.ndarray, class_names: Sequence[str], k: int = 3) -> list[str]:
    """Writes the most frequent confusions for people.

    Args:
        matrix: (classes, classes) counts, rows the true class.
        class_names: A name for each class.
        k: How many at most.

    Returns:
        A line for each.

    Example:

    >>> confusions_in_words(np.array([[9, 1], [3, 7]]), ["cat", "dog"], 1)
    ['3 of 10 dog taken for cat']
    """
    return [
        f"{number} of {matrix[right].sum()} {class_names[right]} taken for {class_names[taken]}"
        for right, taken, number in most_confused(matrix, k)
    ]
