"""What an example did to a training, by training again without it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.methods.optimum import Minimizer


class Agreement(NamedTuple):
    """How well predicted changes agree with true ones.

    Args:
        measures: "correlation", Pearson's, of all queries together; "least_correlation_of_an_example";
            "true_over_predicted", the slope of true over predicted changes; "left_out", how many examples.
        correlations: Of each query.
        pairs: (queries, rows, 2), (true, predicted).
    """

    measures: dict[str, float]
    correlations: list[float]
    pairs: np.ndarray


def agreement(true: np.ndarray, predicted: np.ndarray) -> Agreement:
    """Compares what leaving examples out did with what influence functions predicted.

    Args:
        true: What `leave_one_out` returned, (rows, queries).
        predicted: The like, predicted.

    Returns:
        An `Agreement`.

    Example:

    >>> agreement(np.array([[1.5], [3.0], [-1.5]]), np.array([[1.0], [2.0], [-1.0]])).measures["true_over_predicted"]
    1.5

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 4.
    """
    pairs = np.stack([true, predicted], axis=-1).transpose(1, 0, 2)
    each, every = [float(np.corrcoef(points.T)[0, 1]) for points in pairs], pairs.reshape(-1, 2).T
    measures = {"correlation": float(np.corrcoef(every)[0, 1]), "least_correlation_of_an_example": min(each)}
    measures |= {"true_over_predicted": float(every[0] @ every[1] / (every[1] @ every[1])), "left_out": len(true)}
    return Agreement(measures, each, pairs)


def leave_one_out(minimizer: Minimizer, rows: Sequence[int], queries: tuple[Any, Any], **how: Any) -> np.ndarray:
    """Trains again without each of some examples, from the same weights on, which are put back in the end.

    The loss without an example is the mean of the others', with the regulariser whole: the training that would have
    been, had it not been there.

    Args:
        minimizer: At the minimum of all examples.
        rows: The numbers of the examples to leave out.
        queries: (x, y) of examples whose loss is looked at.
        **how: As `Minimizer.minimize` takes it.

    Returns:
        float64 (rows, queries): by how much each query's loss is greater without the example.

    Raises:
        ValueError: Where a row is no example's.

    Example:

    >>> import keras
    >>> from toolkit import models
    >>> model = models.small_classifiers.logistic_regression((1,), ["no", "yes"])
    >>> x, y = np.array([[-1.0], [1.0], [2.0], [-0.5]]), np.array([0, 1, 1, 1])
    >>> least = Minimizer(model, keras.losses.SparseCategoricalCrossentropy(from_logits=True), x, y, l2=0.1)
    >>> _ = least.minimize()
    >>> (leave_one_out(least, [0, 3], (x[:1], y[:1])) > 0).tolist()  # itself; its opponent
    [[True], [False]]

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 4.1.
    """
    odd = [row for row in rows if not 0 <= row < len(minimizer.x)]
    if odd:
        raise ValueError(f"rows: expected 0 to {len(minimizer.x) - 1}; got {odd[0]}.")
    weights, before, found = minimizer.weights, minimizer.losses(*queries), []
    try:
        for row in rows:
            minimizer.weights = weights
            minimizer.minimize(without=int(row), **how)
            found.append(minimizer.losses(*queries) - before)
    finally:
        minimizer.weights = weights
    return np.array(found).reshape(len(rows), len(before))
