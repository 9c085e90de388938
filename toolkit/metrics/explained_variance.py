"""How much of a score is known from what was chosen: the share of its variance that categories explain."""

from collections.abc import Sequence

import numpy as np


def explained_variance(scores: np.ndarray, *variables: Sequence) -> float:
    """Computes R² = 1 - Σ (y - mean of its group)² / Σ (y - mean)², the groups being the values of categories.

    Several variables together make a group of each combination: what they explain alone and with each other. It never
    falls where a variable is added, and is 1 where each group has one example: compare it with fewer groups than
    examples only.

    Args:
        scores: (examples,), finite.
        *variables: Each a category of every example: words or numbers.

    Returns:
        From 0 to 1; NaN where the scores are all the same.

    Raises:
        ValueError: Where there is no variable, one has another length, or a score is not finite.

    Example:

    >>> explained_variance([1, 1, 3, 3], ["a", "a", "b", "b"])
    1.0
    >>> explained_variance([1, 1, 3, 3], [0, 1, 0, 1])
    0.0
    >>> explained_variance([0, 1, 1, 0], [0, 0, 1, 1], [0, 1, 0, 1])
    1.0

    Reference: Locatello et al. 2019, arXiv 1811.12359, section 5.
    """
    scores = np.asarray(scores, "float64")
    if scores.ndim != 1 or not scores.size or not np.isfinite(scores).all():
        raise ValueError(f"scores: expected finite numbers (examples,); got shape {scores.shape} or NaN or infinity.")
    if not variables or any(len(variable) != len(scores) for variable in variables):
        raise ValueError(
            f"expected variables of {len(scores)} examples; got {[len(variable) for variable in variables]}."
        )
    numbers: dict[tuple, int] = {}
    groups = np.array([numbers.setdefault(key, len(numbers)) for key in zip(*variables, strict=True)])
    means = np.bincount(groups, scores) / np.bincount(groups)
    total = np.sum((scores - scores.mean()) ** 2)
    if np.ptp(scores) == 0:
        return float("nan")
    return float(np.clip(1.0 - np.sum((scores - means[groups]) ** 2) / total, 0.0, 1.0))
