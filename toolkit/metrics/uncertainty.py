"""How unsure a classifier is, or several are, of each example."""

from typing import Any

import numpy as np


def entropy(probabilities: Any, epsilon: float = 0.0) -> np.ndarray:
    """Computes -sum_c p_c log2(p_c + epsilon), in bits.

    Args:
        probabilities: (..., classes).
        epsilon: Keeps the logarithm finite, as published code has it; at 0 a probability of 0 adds 0.

    Returns:
        float64 (...), 0 where one class is certain, log2 of the classes where all are alike.

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> entropy([[0.5, 0.5], [1.0, 0.0]]).tolist()
    [1.0, 0.0]
    """
    found = _checked(probabilities)
    with np.errstate(divide="ignore"):
        logs = np.log2(found + epsilon)
    return -np.sum(found * np.where(found > 0, logs, 0.0), axis=-1) + 0.0


def least_confidence(probabilities: Any) -> np.ndarray:
    """Computes 1 - max_c p_c.

    Args:
        probabilities: (..., classes).

    Returns:
        float64 (...), 0 where one class is certain.

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> least_confidence([[0.25, 0.75], [0.5, 0.5]]).tolist()
    [0.25, 0.5]

    Reference: Lewis and Gale 1994, arXiv cmp-lg/9407020.
    """
    return 1.0 - _checked(probabilities).max(axis=-1)


def closeness(probabilities: Any) -> np.ndarray:
    """Computes 1 - (p_1 - p_2), p_1 the most probable class and p_2 the next: 1 less the margin between them.

    Args:
        probabilities: (..., classes).

    Returns:
        float64 (...), 0 where one class is certain, 1 where two are alike.

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> closeness([[0.125, 0.625, 0.25], [0.5, 0.5, 0.0]]).tolist()
    [0.625, 1.0]

    Reference: Scheffer et al. 2001, "Active hidden Markov models for information extraction".
    """
    found = np.sort(_checked(probabilities), axis=-1)
    return 1.0 - (found[..., -1] - found[..., -2])


def entropy_of_mean(probabilities: Any) -> np.ndarray:
    """Computes the entropy of the mean over passes, H(mean_t p_t), in bits: DBAL's.

    Args:
        probabilities: (passes, ..., classes), each pass with a dropout of its own.

    Returns:
        float64 (...).

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> entropy_of_mean([[[1.0, 0.0]], [[0.0, 1.0]]]).tolist()
    [1.0]

    Reference: Gal, Islam and Ghahramani 2017, arXiv 1703.02910, section 2.
    """
    return entropy(np.mean(_checked(probabilities), axis=0))


def disagreement(probabilities: Any, epsilon: float = 1e-6) -> np.ndarray:
    """Computes H(mean_t p_t) - mean_t H(p_t), in bits: BALD's, what the passes' difference says of the weights.

    Args:
        probabilities: (passes, ..., classes), each pass with a dropout of its own.
        epsilon: As in `entropy`; published code has 1e-6.

    Returns:
        float64 (...), about 0 where the passes agree, however unsure they are.

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> disagreement([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]]).round(3).tolist()
    [1.0, 0.0]

    Reference: Houlsby et al. 2011, arXiv 1112.5745; Gal, Islam and Ghahramani 2017, arXiv 1703.02910, section 2.
    """
    found = _checked(probabilities)
    return entropy(found.mean(axis=0), epsilon) - entropy(found, epsilon).mean(axis=0)


def variation_ratio(probabilities: Any) -> np.ndarray:
    """Computes the share of the members that do not vote for the class that most of them vote for.

    Args:
        probabilities: (members, ..., classes).

    Returns:
        float64 (...), 1 - votes of that class / members: 0 where all agree.

    Raises:
        ValueError: Where these are no probabilities.

    Example:

    >>> variation_ratio([[[0.9, 0.1]], [[0.6, 0.4]], [[0.2, 0.8]], [[0.7, 0.3]]]).tolist()
    [0.25]

    Reference: Beluch et al. 2018, "The power of ensembles for active learning in image classification", equation 4.
    """
    found = _checked(probabilities)
    votes = found.argmax(axis=-1)
    most = np.max([(votes == label).sum(axis=0) for label in range(found.shape[-1])], axis=0)
    return 1.0 - most / len(votes)


def _checked(probabilities):
    found = np.asarray(probabilities, "float64")
    if found.ndim < 1 or found.shape[-1] < 2:
        raise ValueError(f"probabilities: expected (..., classes), two classes or more; got {found.shape}.")
    if not (np.all(found >= -1e-6) and np.all(np.abs(found.sum(axis=-1) - 1) < 1e-3)):  # false of NaN too
        raise ValueError("probabilities: expected numbers of 0 or more that add up to 1 over the classes.")
    return found
