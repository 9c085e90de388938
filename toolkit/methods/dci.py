"""Disentanglement, completeness and informativeness (DCI): which codes trees need to tell each factor of variation."""

from typing import NamedTuple

import numpy as np

from toolkit.metrics.factor_codes import training_and_test


class DCI(NamedTuple):
    """Three scores, each from 0 to 1, and what the first two come from.

    Args:
        disentanglement: Whether each code matters to one factor only.
        completeness: Whether one code only matters to each factor.
        informativeness: The share of test examples whose value is told, mean over factors. It is an accuracy, as in
            Locatello et al.; Eastwood and Williams give the error.
        importances: (codes, factors), how much each code matters to the trees that tell each factor; a factor's have
            sum 1, or are all 0 where nothing tells it.
    """

    disentanglement: float
    completeness: float
    informativeness: float
    importances: np.ndarray


def disentanglement(importances: np.ndarray) -> float:
    """Computes Σ_i ρ_i (1 - H_K(P_i)), P_i the shares of code i among the K factors, H_K to base K, ρ_i its own share.

    Args:
        importances: (codes, factors), 0 or more, of any predictor; 2 factors or more.

    Returns:
        From 0 to 1; 0 where nothing is important.

    Raises:
        ValueError: Where the shape is another, or a number is negative or not finite.

    Example:

    >>> round(disentanglement(np.tile(np.eye(5), 2)), 3)  # each code for two of ten factors: 1 - ln 2 / ln 10
    0.699

    Reference: Eastwood and Williams 2018, A framework for the quantitative evaluation of disentangled representations,
    section 2.
    """
    importances = np.asarray(importances, "float64")
    if importances.ndim != 2 or not importances.size or importances.shape[1] < 2:
        raise ValueError(f"importances: expected shape (codes, factors), 2 or more of each; got {importances.shape}.")
    if not np.isfinite(importances).all() or importances.min() < 0:
        raise ValueError("importances: expected finite numbers of 0 or more.")
    total = importances.sum(axis=1, keepdims=True)
    some = total[:, 0] > 0
    if not some.any():
        return 0.0
    shares = importances[some] / total[some]
    entropy = -np.sum(shares * np.log(np.where(shares > 0, shares, 1.0)), axis=1) / np.log(importances.shape[1])
    return float(np.average(1.0 - entropy, weights=total[some, 0]))


def completeness(importances: np.ndarray) -> float:
    """Computes Σ_k w_k (1 - H_D(Q_k)), Q_k the shares of factor k among the D codes, H_D to base D, w_k its own share.

    Args:
        importances: As in `disentanglement`; 2 codes or more.

    Returns:
        From 0 to 1; 0 where nothing is important.

    Raises:
        ValueError: As `disentanglement`.

    Example:

    >>> round(completeness(np.tile(np.eye(5), 2).T), 3)  # each factor in two of ten codes
    0.699

    Reference: As `disentanglement`.
    """
    return disentanglement(np.asarray(importances).T)


def dci(codes: np.ndarray, factors: np.ndarray, test_codes: np.ndarray, test_factors: np.ndarray, seed: int = 0) -> DCI:
    """Trains gradient boosted trees to tell each factor from all codes, and looks at which codes they need.

    The trees are scikit-learn's with its defaults: 100 rounds of depth 3 for each value of a factor, so that time grows
    with the number of values. Of codes that are equal, the seed decides at each split which one is used.

    Args:
        codes: (examples, codes), 2 codes or more, finite.
        factors: Integers (examples, factors), 2 factors or more, 2 values or more of each.
        test_codes: (examples, codes), of other examples.
        test_factors: Their factors.
        seed: Of the trees.

    Returns:
        Three scores and the importances.

    Raises:
        ValueError: As `training_and_test`, or where there is one code or one factor only.

    Example:

    >>> factors = np.stack(np.mgrid[:2, :3], axis=-1).reshape(-1, 2).repeat(4, axis=0)
    >>> scores = dci(factors * 1.0, factors, factors * 1.0, factors)
    >>> [round(each, 6) for each in scores[:3]], scores.importances.round(6).tolist()
    ([1.0, 1.0, 1.0], [[1.0, 0.0], [0.0, 1.0]])

    Reference: Eastwood and Williams 2018, A framework for the quantitative evaluation of disentangled representations,
    section 2; Locatello et al. 2019, arXiv 1811.12359, appendix on metrics.
    """
    from sklearn.ensemble import GradientBoostingClassifier

    codes, factors, test_codes, test_factors = training_and_test(codes, factors, test_codes, test_factors)
    if min(codes.shape[1], factors.shape[1]) < 2:
        raise ValueError(f"expected 2 codes and 2 factors or more; got {codes.shape[1]} and {factors.shape[1]}.")
    importances = np.zeros((codes.shape[1], factors.shape[1]))
    told = []
    for number, (factor, test_factor) in enumerate(zip(factors.T, test_factors.T, strict=True)):
        trees = GradientBoostingClassifier(random_state=seed).fit(codes, factor)
        importances[:, number] = np.abs(trees.feature_importances_)  # rounding may leave some below 0
        told.append(np.mean(trees.predict(test_codes) == test_factor))
    return DCI(disentanglement(importances), completeness(importances), float(np.mean(told)), importances)
