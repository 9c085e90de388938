"""Wrong labels among training examples: in which order to look for them, and what mending those found is worth."""

from collections.abc import Mapping, Sequence

import numpy as np

from toolkit.methods.trained_classifier import TrainedClassifier
from toolkit.metrics.inspection_recall import inspection_recall


def trial(
    classifier: TrainedClassifier,
    right: np.ndarray,
    wrong: np.ndarray,
    *,
    inspected: Sequence[float],
    mending: Sequence[float],
    seed: int = 0,
    max_iterations: int = 2000,
) -> dict[str, float]:
    """Trains with wrong labels, looks for them in each order, and mends those that are found.

    Args:
        classifier: With the labels of which some are wrong.
        right: The right ones, (examples,).
        wrong: bool (examples,), which are wrong.
        inspected: Shares of the examples that are looked at.
        mending: Shares of which the labels are mended too.
        seed: Of the order by chance.
        max_iterations: Of each training.

    Returns:
        What `recalls` and `mended` return, and "accuracy_with_wrong_labels", per cent of the test examples.

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.4.
    """
    classifier.minimizer.minimize(max_iterations=max_iterations)
    scores = suspicions(classifier, seed)
    found = recalls(scores, wrong, inspected) | {"accuracy_with_wrong_labels": classifier.accuracy()}
    return found | mended(classifier, scores, right, mending, max_iterations)


def by_share(measures: Mapping[str, float], what: str, shares: Sequence[float]) -> dict[str, list[tuple[float, float]]]:
    """Takes what each order comes to out of measures, as curves.

    Args:
        measures: By name, as `trial` returns them.
        what: "found" or "accuracy".
        shares: Of the examples that are looked at.

    Returns:
        By the order's name points (per cent of the examples, per cent found or right).

    Example:

    >>> by_share({"self_influence_found_at_5_percent": 50.0}, "found", [0.05])
    {'self influence': [(5.0, 50.0)]}
    """
    found: dict[str, list[tuple[float, float]]] = {}
    for name in measures:
        order, _, rest = name.partition(f"_{what}_at_")
        if rest == f"{100 * shares[0]:g}_percent":
            points = [(100 * share, measures[f"{order}_{what}_at_{100 * share:g}_percent"]) for share in shares]
            found[order.replace("_", " ")] = points
    return found


def suspicions(classifier: TrainedClassifier, seed: int = 0) -> dict[str, np.ndarray]:
    """Scores each training example by how suspect its label is, in the ways that the paper compares.

    Args:
        classifier: At its optimum.
        seed: Of the order by chance.

    Returns:
        By the order's name float64 (examples,), greatest first: "self_influence", by how much its own loss would rise
        without it; "loss"; "chance".

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.4.
    """
    return {
        "self_influence": classifier.influence().self_influence(),
        "loss": classifier.minimizer.losses(classifier.minimizer.x, classifier.minimizer.y),
        "chance": np.random.default_rng([seed, 99]).random(len(classifier.minimizer.y)),
    }


def recalls(scores: Mapping[str, np.ndarray], wrong: np.ndarray, shares: Sequence[float]) -> dict[str, float]:
    """Says how many of the wrong labels each order finds.

    Args:
        scores: What `suspicions` returned.
        wrong: bool (examples,), which labels are wrong.
        shares: Of the examples that are looked at.

    Returns:
        By name, "ORDER_found_at_NUMBER_percent", per cent of the wrong labels.

    Example:

    >>> recalls({"loss": np.array([3.0, 1.0, 2.0, 0.0])}, np.array([True, False, False, True]), [0.25, 0.5])
    {'loss_found_at_25_percent': 50.0, 'loss_found_at_50_percent': 50.0}
    """
    return {
        f"{name}_found_at_{100 * share:g}_percent": 100 * float(found)
        for name, each in scores.items()
        for share, found in zip(shares, inspection_recall(each, wrong, shares), strict=True)
    }


def mended(
    classifier: TrainedClassifier,
    scores: Mapping[str, np.ndarray],
    labels: np.ndarray,
    shares: Sequence[float],
    max_iterations: int = 2000,
) -> dict[str, float]:
    """Trains again with the right labels for those that were looked at, and puts all back.

    Args:
        classifier: At the optimum for the labels that it has.
        scores: What `suspicions` returned.
        labels: The right ones, (examples,).
        shares: Of the examples that are looked at, 0 to 1.
        max_iterations: Of each training.

    Returns:
        By name, "ORDER_accuracy_at_NUMBER_percent", per cent of the test examples.
    """
    minimizer, found = classifier.minimizer, {}
    weights, y = minimizer.weights, minimizer.y
    try:
        for name, each in scores.items():
            order = np.argsort(-each, kind="stable")
            for share in shares:
                seen = order[: round(share * len(order))]
                new = np.array(y)
                new[seen] = labels[seen]
                minimizer.replace(minimizer.x, new)
                minimizer.minimize(tolerance=1e-6, max_iterations=max_iterations)
                found[f"{name}_accuracy_at_{100 * share:g}_percent"] = classifier.accuracy()
    finally:
        minimizer.replace(minimizer.x, y)
        minimizer.weights = weights
    return found
