"""What discrete codes say of labels that they were not trained on, such as the phonemes that are spoken."""

from typing import NamedTuple

import numpy as np


class ManyToOne(NamedTuple):
    """A label for each code: that which it occurs with most often.

    Args:
        codes: The codes that were seen, int64, in ascending order.
        labels: The label of each.
        most_frequent: The most frequent label of all: that of a code that was not seen.
    """

    codes: np.ndarray
    labels: np.ndarray
    most_frequent: int

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Looks codes up.

        Args:
            codes: Integers, (...).

        Returns:
            The label of each, int64 (...).
        """
        codes = np.asarray(codes, "int64")
        places = np.minimum(np.searchsorted(self.codes, codes), len(self.codes) - 1)
        return np.where(self.codes[places] == codes, self.labels[places], self.most_frequent)


def _pairs(codes, labels):
    """Both flat, a label repeated for each of its codes."""
    codes, labels = np.asarray(codes), np.asarray(labels)
    for name, values in (("codes", codes), ("labels", labels)):
        if values.dtype.kind not in "iu":
            raise ValueError(f"{name}: expected integers; got {values.dtype}.")
    if not labels.size or codes.shape[: labels.ndim] != labels.shape:
        raise ValueError(
            "expected a label for each code, or for each row of codes: labels (...) and codes (...) or (..., codes a "
            f"label); got labels {labels.shape} and codes {codes.shape}."
        )
    each = labels.reshape(labels.shape + (1,) * (codes.ndim - labels.ndim))
    return codes.astype("int64").ravel(), np.broadcast_to(each, codes.shape).astype("int64").ravel()


def many_to_one(codes: np.ndarray, labels: np.ndarray) -> ManyToOne:
    """Maps each code to the label that it occurs with most often, of equally frequent ones to the lowest.

    Args:
        codes: Integers, (...) or (..., codes a label): where codes come more often than labels, as many to each label.
        labels: Integers, (...), such as the phoneme of a frame.

    Returns:
        The mapping.

    Raises:
        ValueError: Where the shapes do not go together, something is not an integer, or there is nothing.

    Example:

    >>> mapping = many_to_one([7, 7, 7, 3], [1, 1, 2, 2])
    >>> mapping([3, 7, 5]).tolist()  # 5 was not seen
    [2, 1, 1]

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """
    codes, labels = _pairs(codes, labels)
    pairs, counts = np.unique(np.stack([codes, labels], axis=1), axis=0, return_counts=True)
    # Sorted by code, then from the most frequent label on; the sort is stable, so that ties keep the lowest first.
    order = np.lexsort((-counts, pairs[:, 0]))
    seen, first = np.unique(pairs[order, 0], return_index=True)
    names, frequencies = np.unique(labels, return_counts=True)
    return ManyToOne(seen, pairs[order, 1][first], int(names[frequencies.argmax()]))


def many_to_one_accuracy(
    codes: np.ndarray, labels: np.ndarray, test_codes: np.ndarray, test_labels: np.ndarray
) -> dict[str, float]:
    """Scores how well codes predict labels, each code by its most frequent one, on other examples than it was found on.

    Args:
        codes: Integers on which the mapping is found, (...) or (..., codes a label).
        labels: Their labels, integers (...).
        test_codes: Codes that are scored, likewise; one that was not seen counts as the most frequent label.
        test_labels: Their labels.

    Returns:
        "accuracy_percent", over the scored codes, and "chance_percent": what the most frequent label of `labels` has,
        said always.

    Raises:
        ValueError: Where the shapes do not go together, something is not an integer, or there is nothing.

    Example:

    >>> many_to_one_accuracy([0, 0, 1, 1], [5, 5, 6, 5], [0, 1, 1, 0], [5, 5, 6, 6])
    {'accuracy_percent': 50.0, 'chance_percent': 50.0}

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3 (phonemes: 49.3% against 7.2% by chance).
    """
    mapping = many_to_one(codes, labels)
    test_codes, test_labels = _pairs(test_codes, test_labels)
    return {
        "accuracy_percent": 100.0 * float(np.mean(mapping(test_codes) == test_labels)),
        "chance_percent": 100.0 * float(np.mean(test_labels == mapping.most_frequent)),
    }
