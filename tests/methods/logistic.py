"""Two classes that a straight line nearly tells apart, and their logistic regression here and by scikit-learn."""

import keras
import numpy as np

from toolkit.methods.optimum import Minimizer
from toolkit.models import small_classifiers

RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((60, 5))
Y = (X @ RANDOM.standard_normal(5) + 0.5 * RANDOM.standard_normal(60) > 0).astype(int)
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def logistic(**how):
    return Minimizer(small_classifiers.logistic_regression((5,), ["a", "b"]), LOSS, X, Y, l2=0.05, **how)


def by_scikit_learn(x, y, l2):
    """Of two classes W and -W share the score: the regulariser of one vector is half of it."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=2 / (l2 * len(x)), fit_intercept=False, tol=1e-10, max_iter=10_000)
    return model.fit(x, y).coef_[0]
