"""What is reported of a classifier: shares that were right with their errors, its weakest class, its calibration."""

import numpy as np

from toolkit.metrics.calibration import expected_calibration_error, negative_log_likelihood
from toolkit.metrics.confusion_matrix import confusion_matrix
from toolkit.metrics.top_k_accuracy import top_k_accuracy, wilson_interval


def classification(
    labels: np.ndarray, probabilities: np.ndarray, *, mirrored: np.ndarray | None = None, calibrated: bool = True
) -> dict[str, float]:
    """Measures a classifier on examples that it has not seen.

    Args:
        labels: (examples,) class numbers from 0.
        probabilities: (examples, classes), each row with sum 1.
        mirrored: (examples, classes), the same of the mirror images; None: there are none.
        calibrated: Whether they are meant as probabilities; a margin loss' scores are not.

    Returns:
        Name to number: "top_1_accuracy_percent" with "..._low_percent" and "..._high_percent", the ends of Wilson's
        interval; of more than five classes "top_5_..." too; "top_1_accuracy_with_mirror_image_percent", of the sum of
        both images' probabilities; "lowest_accuracy_of_a_class_percent"; and where calibrated,
        "expected_calibration_error_percent" and "negative_log_likelihood_nats".

    Raises:
        ValueError: As `top_k_accuracy`.

    Example:

    >>> found = classification(np.array([0, 1]), np.array([[0.75, 0.25], [0.75, 0.25]]))
    >>> found["top_1_accuracy_percent"], found["expected_calibration_error_percent"]
    (50.0, 25.0)

    Reference: Krizhevsky, Sutskever, Hinton 2012, sections 4.1 (mirror images) and 6 (top 1, top 5).
    """
    count, num_classes = probabilities.shape
    found = {}
    for k in (1, 5) if num_classes > 5 else (1,):
        share = top_k_accuracy(labels, probabilities, k)
        low, high = wilson_interval(round(share * count), count)
        found |= {f"top_{k}_accuracy_percent": 100 * share}
        found |= {f"top_{k}_accuracy_low_percent": 100 * low, f"top_{k}_accuracy_high_percent": 100 * high}
    if mirrored is not None:
        found["top_1_accuracy_with_mirror_image_percent"] = 100 * top_k_accuracy(labels, probabilities + mirrored)
    matrix = confusion_matrix(labels, probabilities.argmax(axis=-1), num_classes)
    recalls = matrix.diagonal() / np.maximum(matrix.sum(axis=1), 1)
    found["lowest_accuracy_of_a_class_percent"] = 100 * recalls[matrix.sum(axis=1) > 0].min()
    if calibrated:
        found["expected_calibration_error_percent"] = 100 * expected_calibration_error(labels, probabilities)
        found["negative_log_likelihood_nats"] = negative_log_likelihood(labels, probabilities)
    return found


def most_wrong(labels: np.ndarray, probabilities: np.ndarray, most: int) -> np.ndarray:
    """Finds the examples of which a classifier is most wrongly sure.

    Args:
        labels: (examples,) class numbers from 0.
        probabilities: (examples, classes).
        most: How many at most.

    Returns:
        (n,), numbers of examples that were taken for another class, the most probable mistake first.

    Example:

    >>> most_wrong(np.array([0, 0, 1]), np.array([[0.4, 0.6], [0.1, 0.9], [0.3, 0.7]]), 5)
    array([1, 0])
    """
    taken = probabilities.argmax(axis=-1)
    wrong = np.flatnonzero(taken != labels)
    return wrong[np.argsort(-probabilities[wrong, taken[wrong]])][:most]
