"""A group that is unlike itself where it is trained and where it is tested, and the examples that are to blame."""

from typing import NamedTuple

import numpy as np

from toolkit.methods.trained_classifier import TrainedClassifier


class Mismatch(NamedTuple):
    """What influence functions say of a group of training examples.

    Args:
        measures: Numbers by name: see `blamed`.
        influence: By how much the loss of a member that is classified wrong would rise without each training example,
            (examples,).
        members: The numbers of the group's training examples.
    """

    measures: dict[str, float]
    influence: np.ndarray
    members: np.ndarray

    def most_influential(self, k: int) -> np.ndarray:
        """Orders the training examples by their influence, whichever way, and gives the first k numbers."""
        return np.argsort(-np.abs(self.influence), kind="stable")[:k]


def blamed(classifier: TrainedClassifier, column: int) -> Mismatch:
    """Asks, for the first test example of a group that is wrong, which training examples made it so.

    Args:
        classifier: A logistic regression on rows of numbers, at its optimum.
        column: The number of the column that is above 0 in the group and nowhere else.

    Returns:
        A `Mismatch`, whose measures are "test_accuracy_percent"; "group_wrong_percent", of its test examples, and
        "group_wrong_without_members_percent" after a training without its training examples;
        "members_of_most_influence", how many of the group are among as many training examples of most influence;
        "least_member_over_greatest_other", their influence; "columns_of_greater_weight" than the group's own, by
        which the weights alone would not tell it; and "columns_that_matter_more" to the influence of a member, at most,
        which is a sum over columns: 0 says that of each member it is the group's own that matters.

    Raises:
        ValueError: Where the group has no training example, or no test example of it is wrong.

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.1.
    """
    own = {part: each[:, column] > 0 for part, each in classifier.x.items()}
    wrong = classifier.scores().argmax(axis=1) != classifier.labels["test"]
    members, queries = np.flatnonzero(own["train"]), np.flatnonzero(own["test"] & wrong)
    if not len(members) or not len(queries):
        raise ValueError(
            f"Column {column}: of its group are {len(members)} training examples and {len(queries)} test examples that "
            "are wrong; expected one of each at least."
        )
    influence = classifier.influence()
    solved = influence.solve(classifier.queries(queries[:1]))
    by = influence.of_removing(solved)[0]
    kernel = np.asarray(classifier.model.get_layer("logits").kernel)
    weight, shares = np.ptp(kernel, axis=1), _shares(classifier, solved.vectors.reshape(kernel.shape), members)
    most = np.argsort(-np.abs(by), kind="stable")[: len(members)]
    measures = {
        "test_accuracy_percent": 100 * float(1 - wrong.mean()),
        "group_wrong_percent": 100 * float(wrong[own["test"]].mean()),
        "group_wrong_without_members_percent": _without(classifier, members, own["test"]),
        "members_of_most_influence": int(np.isin(most, members).sum()),
        "least_member_over_greatest_other": float(np.abs(by[members]).min() / np.abs(np.delete(by, members)).max()),
        "columns_of_greater_weight": int((weight > weight[column]).sum()),
        "columns_that_matter_more": int((shares > shares[:, [column]]).sum(axis=1).max()),
    }
    return Mismatch(measures, by, members)


def _shares(classifier, solved, members):
    """What each column adds to the influence of the members, |x_f (H⁻¹ ∇L(q))_f · (p - y)|, without the regulariser."""
    scores, labels = classifier.scores("train")[members], classifier.minimizer.y[members]
    chances = np.exp(scores - scores.max(axis=1, keepdims=True))
    residuals = chances / chances.sum(axis=1, keepdims=True) - np.eye(scores.shape[1])[labels]
    return np.abs(classifier.x["train"][members] * (residuals @ solved.T))


def _without(classifier, members, group):
    """Of the group's test examples that are wrong once its training examples are missing, per cent."""
    minimizer = classifier.minimizer
    weights, x, y = minimizer.weights, minimizer.x, minimizer.y
    try:
        minimizer.replace(np.delete(x, members, axis=0), np.delete(y, members))
        minimizer.minimize()
        return 100 * float((classifier.scores().argmax(axis=1) != classifier.labels["test"])[group].mean())
    finally:
        minimizer.replace(x, y)
        minimizer.weights = weights
