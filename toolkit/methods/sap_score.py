"""How much better the best code predicts a factor than the next one: separated attribute predictability (SAP)."""

import numpy as np

from toolkit.metrics.factor_codes import codes_with_factors, training_and_test


def sap_score(codes: np.ndarray, factors: np.ndarray, test_codes: np.ndarray, test_factors: np.ndarray) -> float:
    """Trains a linear SVM for each code and factor, and takes the mean over factors of the gap of the best two.

    The SVM sees one code, as it is, and tells the value: C = 0.01, each value against all others, rare values weighted
    more ("balanced"). Its score is the share of test examples that it tells. Of a factor with many values in order
    along one code it tells few but the two outermost, so that the factors themselves score far below 1; compare
    `sap_score_of_correlations`.

    Args:
        codes: (examples, codes), 2 codes or more, finite.
        factors: Integers (examples, factors), 2 values or more of each.
        test_codes: (examples, codes), of other examples.
        test_factors: Their factors.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: As `training_and_test`, or where there is one code only.

    Example:

    >>> factors = np.stack(np.mgrid[:2, :2], axis=-1).reshape(-1, 2).repeat(50, axis=0)
    >>> sap_score(factors * 2.0, factors, factors * 2.0, factors)
    0.5

    Reference: Kumar, Sattigeri and Balakrishnan 2018, arXiv 1711.00848, section 3; Locatello et al. 2019,
    arXiv 1811.12359, appendix on metrics.
    """
    from sklearn.svm import LinearSVC

    codes, factors, test_codes, test_factors = training_and_test(codes, factors, test_codes, test_factors)
    scores = np.zeros((codes.shape[1], factors.shape[1]))
    for i in range(codes.shape[1]):
        for k in range(factors.shape[1]):
            machine = LinearSVC(C=0.01, class_weight="balanced", dual=False, max_iter=10000)
            machine.fit(codes[:, i : i + 1], factors[:, k])
            scores[i, k] = machine.score(test_codes[:, i : i + 1], test_factors[:, k])
    return _gap(scores)


def sap_score_of_correlations(codes: np.ndarray, factors: np.ndarray) -> float:
    """Computes the same gap of squared correlations, for factors whose values are in order, such as positions.

    Nothing is trained. A code that does not vary has none.

    Args:
        codes: (examples, codes), 2 codes or more, finite.
        factors: Integers (examples, factors), 2 values or more of each.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: As `codes_with_factors`, or where there is one code only.

    Example:

    >>> factors = np.stack(np.mgrid[:4, :5], axis=-1).reshape(-1, 2)
    >>> round(sap_score_of_correlations(factors * -2.0, factors), 6)
    1.0

    Reference: As `sap_score`.
    """
    codes, factors = codes_with_factors(codes, factors)
    codes, factors = codes - codes.mean(axis=0), factors - factors.mean(axis=0)
    variances = np.mean(codes**2, axis=0)
    varies = variances > 1e-12
    products = (codes.T @ factors / len(codes)) ** 2
    scores = products / np.where(varies, variances, np.inf)[:, None] / np.mean(factors**2, axis=0)
    return _gap(scores)


def _gap(scores):
    if len(scores) < 2:
        raise ValueError(f"codes: a gap takes at least 2 codes; got {len(scores)}.")
    scores = np.sort(scores, axis=0)
    return float(np.mean(scores[-1] - scores[-2]))
