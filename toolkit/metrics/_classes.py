"""What classifiers say of examples, checked before anything is counted."""

import numpy as np


def check_labels(labels: np.ndarray, scores: np.ndarray, what: str = "scores") -> None:
    """Raises a ValueError unless each of some examples has a class number and a row of scores.

    Args:
        labels: (examples,) class numbers from 0.
        scores: (examples, classes).
        what: What the scores are, for the error's text.
    """
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not labels.size:
        raise ValueError(
            f"expected {what} (examples, classes) and a label for each example; got {scores.shape} and {labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(
            f"expected labels from 0 to {scores.shape[1] - 1}; got some from {labels.min()} to {labels.max()}."
        )


def check_probabilities(probabilities: np.ndarray) -> None:
    """Raises a ValueError unless rows are probabilities.

    Args:
        probabilities: (examples, classes), at least 0, each row with sum 1.
    """
    # Half precision adds up to 1 within a few thousandths.
    if not (probabilities.min() >= 0 and np.abs(probabilities.sum(axis=1) - 1).max() < 0.01):
        raise ValueError("expected rows of probabilities, each with sum 1; are these logits? Take their softmax.")
