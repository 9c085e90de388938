"""How well linear classifiers read each value of each factor of variation from the codes."""

import numpy as np

from toolkit.metrics.factor_codes import training_and_test


def explicitness(codes: np.ndarray, factors: np.ndarray, test_codes: np.ndarray, test_factors: np.ndarray) -> float:
    """Trains a logistic regression for each value of each factor, against all its other values, and takes ROC areas.

    The codes are standardised by mean and deviation of the training ones; one that does not vary is left as 0. The
    score of a value is the area under the ROC curve over the test examples, that of a factor the mean over its values,
    and the whole the mean over factors: 0.5 by chance, 1 where each value can be cut off by a plane. The values in the
    middle of a factor that one code holds in order cannot: the factors themselves have less than 1, an indicator of
    each value has 1. (One regression for all values at once, today's default of scikit-learn, would score higher.)

    Args:
        codes: (examples, codes), finite.
        factors: Integers (examples, factors), 2 values or more of each.
        test_codes: (examples, codes), of other examples.
        test_factors: Their factors, every value in both.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: As `training_and_test`, or where a value is in one of both sets only.

    Example:

    >>> factors = np.stack(np.mgrid[:2, :2], axis=-1).reshape(-1, 2)
    >>> explicitness(factors * 1.0, factors, factors * 1.0, factors)
    1.0

    Reference: Ridgeway and Mozer 2018, arXiv 1802.05312, section 3.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    codes, factors, test_codes, test_factors = training_and_test(codes, factors, test_codes, test_factors)
    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    deviation = np.where(deviation > 0, deviation, np.inf)
    codes, test_codes = (codes - mean) / deviation, (test_codes - mean) / deviation
    scores = []
    for number, (factor, test_factor) in enumerate(zip(factors.T, test_factors.T, strict=True)):
        values = np.unique(factor)
        if not np.array_equal(values, np.unique(test_factor)):
            one = np.setxor1d(values, test_factor)[0]
            raise ValueError(f"expected every value in training and test; {one} of factor {number} is in one of both.")
        areas = []
        for value in values:
            classifier = LogisticRegression(max_iter=1000).fit(codes, factor == value)
            areas.append(roc_auc_score(test_factor == value, classifier.decision_function(test_codes)))
        scores.append(np.mean(areas))
    return float(np.mean(scores))
