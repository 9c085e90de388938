"""What classifiers say of examples, checked before anything is counted."""

import numpy as np


def check_labels(labels: np.ndarray, scores: np.ndarray, what: str = "scores") -> None:
    """Raises a ValueError unless there are a row of scores and a class number for each of some examples."""
    if scores.ndim != 2 or labels.shape != scores.shape[:1] or not labels.size:
        raise ValueError(
            f"expected {what} (examples, classes) and a label for each example; got {scores.shape} and {labels.shape}."
        )
    if labels.min() < 0 or labels.max() >= scores.shape[1]:
        raise ValueError(
            f"expected labels from 0 to {scores.shape[1] - 1}; got some from {labels.min()} to {labels.max()}."
        )


def check_probabilities(probabilities: np.ndarray) -> None:
    """Raises a ValueError unless each row is at least 0 and has sum 1."""
    # Half precision adds up to 1 within a few thousandths.
    if not (probabilities.min() >= 0 and np.abs(probabilities.sum(axis=1) - 1).max() < 0.01):
        raise ValueError("expected rows of probabilities, each with sum 1; are these logits? Take their softmax.")
