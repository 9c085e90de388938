"""Whether one way does better than another, told from runs that differ in nothing else: paired tests over seeds."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def beside(rows: Sequence[Mapping[str, Any]], axis: str, reference: Any, over: str) -> list[dict[str, Any]]:
    """Compares each value of an axis of a study with one of them, seed by seed.

    d = score - score of the reference under the same seed. Student's t test of the mean of d being 0, its 95 %
    interval, and Wilcoxon's signed ranks, which assume no normal distribution; then the t tests' p by Holm's method,
    as large as it must be where so many are made of each score.

    Args:
        rows: Of `Run.study`: axes and scores by name, the same in each.
        axis: Whose values are compared.
        reference: The value that the others stand beside.
        over: The axis whose values make pairs, such as the seed.

    Returns:
        For each other value and each score a row: `axis`, "score", "pairs", "difference", "low", "high", "t_test_p",
        "t_test_p_holm", "wilcoxon_p". The ends are the mean itself, and p is 1, where there is a single pair or all
        pairs are equal.

    Raises:
        ValueError: Where the reference is not among the rows, or a value's seeds are not the reference's.

    Example:

    >>> gains = {"chance": 0.0, "doubt": 2.0}
    >>> rows = [{"by": by, "seed": n, "right": n + gain} for by, gain in gains.items() for n in (1, 2)]
    >>> rows[2]["right"] += 1
    >>> [found] = beside(rows, "by", "chance", over="seed")
    >>> found["difference"], found["pairs"], round(found["t_test_p"], 3)
    (2.5, 2, 0.126)

    Reference: Student 1908; Wilcoxon 1945; Holm 1979.
    """
    scores = [name for name in (rows[0] if rows else ()) if name not in (axis, over)]
    values: dict[Any, dict[Any, list[float]]] = {}
    for row in rows:
        values.setdefault(row[axis], {})[row[over]] = [row[name] for name in scores]
    if reference not in values:
        raise ValueError(f"paired tests beside {axis}={reference}: it is not among {', '.join(map(str, values))}.")
    found = []
    for value, by_seed in values.items():
        if value == reference:
            continue
        if by_seed.keys() != values[reference].keys():
            raise ValueError(
                f"paired tests: {axis}={value} has {over} {sorted(by_seed)}, {reference} has "
                f"{sorted(values[reference])}; expected the same."
            )
        pairs = np.array([by_seed[seed] for seed in by_seed], "float64")
        pairs -= np.array([values[reference][seed] for seed in by_seed], "float64")
        found += [
            {axis: value, "score": score, **_tested(column)} for score, column in zip(scores, pairs.T, strict=True)
        ]
    for score in scores:
        same = [row for row in found if row["score"] == score]
        for row, p in zip(same, holm([row["t_test_p"] for row in same]), strict=True):
            row["t_test_p_holm"] = p
    return found


def _tested(differences):
    from scipy import stats

    mean = float(differences.mean())
    row = {"pairs": len(differences), "difference": mean, "low": mean, "high": mean}
    row |= {"t_test_p": 1.0, "t_test_p_holm": 1.0, "wilcoxon_p": 1.0}
    if len(differences) > 1 and np.ptp(differences) > 0:
        tested = stats.ttest_1samp(differences, 0.0)
        row["low"], row["high"] = map(float, tested.confidence_interval(0.95))
        row |= {"t_test_p": float(tested.pvalue), "wilcoxon_p": float(stats.wilcoxon(differences).pvalue)}
    return row


def holm(p_values: Sequence[float]) -> list[float]:
    """Raises the p of several tests, so that one of them is below 5 % by chance in 5 % of all cases at most.

    The smallest of m times m, the next times m - 1, and so on; none less than one before it, none above 1.

    Args:
        p_values: Of each test.

    Returns:
        As many, in the same order.

    Example:

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]

    Reference: Holm 1979, Scandinavian Journal of Statistics 6.
    """
    p_values = np.asarray(p_values, "float64")
    order = np.argsort(p_values, kind="stable")
    raised = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    found = np.empty_like(p_values)
    found[order] = np.minimum(raised, 1.0)
    return found.tolist()
