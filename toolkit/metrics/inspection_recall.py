"""How many of the bad examples somebody finds who looks at some of all, the most suspect ones first."""

from collections.abc import Sequence

import numpy as np


def inspection_recall(scores: np.ndarray, wanted: np.ndarray, shares: Sequence[float]) -> np.ndarray:
    """Computes the share of what is wanted that is among the examples of the greatest scores.

    Args:
        scores: (examples,), how suspect each is; of equal ones the first come first.
        wanted: bool (examples,), which are to be found, one or more.
        shares: Of the examples, from 0 to 1, that are looked at, each rounded to the nearest number of them.

    Returns:
        float64 (shares,), from 0 to 1.

    Raises:
        ValueError: Where scores and wanted are not as many, a score is NaN, nothing is wanted or a share is out of
            range.

    Example:

    >>> inspection_recall([0.9, 0.1, 0.8, 0.2], [True, False, False, True], [0.25, 0.5, 0.75, 1.0]).tolist()
    [0.5, 0.5, 1.0, 1.0]

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.4.
    """
    scores, wanted = np.asarray(scores, "float64"), np.asarray(wanted, bool)
    if scores.ndim != 1 or scores.shape != wanted.shape or np.isnan(scores).any():
        raise ValueError(f"expected as many scores as wanted, none NaN; got {scores.shape} and {wanted.shape}.")
    if not wanted.any() or not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"expected something that is wanted and shares of 0 to 1; got {list(shares)}.")
    found = np.concatenate([[0], np.cumsum(wanted[np.argsort(-scores, kind="stable")])])
    return found[np.rint(np.multiply(shares, len(scores))).astype(int)] / found[-1]
