"""How much each code says of each factor of variation, both taken for discrete."""

import numpy as np

from toolkit.metrics.factor_codes import codes_with_factors


def discretize(codes: np.ndarray, num_bins: int = 20) -> np.ndarray:
    """Replaces each code by the number of its bin, of equally wide ones from its least value to its greatest.

    A value on an edge belongs to the bin above, the greatest to the last; a code that is always the same has one bin.

    Args:
        codes: (examples, codes), finite.
        num_bins: Of each code.

    Returns:
        int64 (examples, codes), from 0 to num_bins - 1.

    Raises:
        ValueError: Where the shape is another, a code is not finite, num_bins is below 2, or there are fewer examples
            than bins.

    Example:

    >>> discretize(np.array([[0.0], [0.9], [1.0], [4.0]]), num_bins=4).ravel().tolist()
    [0, 0, 1, 3]

    Reference: Locatello et al. 2019, arXiv 1811.12359, appendix on metrics (20 bins).
    """
    codes = np.asarray(codes, "float64")
    if codes.ndim != 2 or not codes.size or not np.isfinite(codes).all():
        raise ValueError(f"codes: expected finite numbers (examples, codes); got shape {codes.shape} or NaN.")
    if num_bins < 2 or len(codes) < num_bins:
        raise ValueError(
            f"num_bins: expected at least 2, and at least as many examples; got {num_bins} bins and "
            f"{len(codes)} examples."
        )
    left_edges = np.linspace(codes.min(axis=0), codes.max(axis=0), num_bins + 1)[:-1]
    return np.stack([np.digitize(*each) - 1 for each in zip(codes.T, left_edges.T, strict=True)], axis=1)


def entropies(factors: np.ndarray) -> np.ndarray:
    """Computes the entropy of each factor, -Σ p log p over the shares of its values.

    Args:
        factors: Integers (examples, factors).

    Returns:
        Nats, float64 (factors,).

    Example:

    >>> entropies(np.array([[0, 0], [1, 0], [2, 0], [3, 0]])).round(4).tolist()
    [1.3863, 0.0]
    """
    shares = (np.unique(each, return_counts=True)[1] / len(factors) for each in np.asarray(factors).T)
    return np.array([abs(np.sum(each * np.log(each))) for each in shares])


def mutual_information(codes: np.ndarray, factors: np.ndarray, num_bins: int = 20) -> np.ndarray:
    """Computes Σ p(c, v) log [p(c, v) / (p(c) p(v))] of each code c, in bins, and each factor v.

    The shares are those of the examples, without any correction: of few examples noise says something too, of 3,000 in
    20 bins about a factor of 6 values (20 - 1)(6 - 1) / (2 · 3,000) = 0.016 nats.

    Args:
        codes: (examples, codes), finite.
        factors: Integers (examples, factors), 2 values or more of each.
        num_bins: As in `discretize`.

    Returns:
        Nats, float64 (codes, factors), 0 or more.

    Raises:
        ValueError: As `codes_with_factors` and `discretize`.

    Example:

    >>> factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    >>> mutual_information(factors[:, :1] * 3.0, factors, num_bins=2).round(4).tolist()
    [[0.6931, 0.0]]

    Reference: Locatello et al. 2019, arXiv 1811.12359, appendix on metrics.
    """
    codes, factors = codes_with_factors(codes, factors)
    bins = discretize(codes, num_bins)
    found = np.zeros((codes.shape[1], factors.shape[1]))
    for j, factor in enumerate(factors.T):
        values, numbers = np.unique(factor, return_inverse=True)
        for i, code in enumerate(bins.T):
            joint = np.bincount(code * len(values) + numbers.ravel(), minlength=num_bins * len(values))
            joint = joint.reshape(num_bins, len(values)) / len(codes)
            apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
            seen = joint > 0
            found[i, j] = np.sum(joint[seen] * np.log(joint[seen] / apart[seen]))
    return np.maximum(found, 0.0)
