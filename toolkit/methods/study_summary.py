"""What a study of many trainings says: which scores agree, and what explains each."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.metrics.explained_variance import explained_variance
from toolkit.metrics.rank_correlation import rank_correlations


class StudySummary(NamedTuple):
    """What `summary` finds.

    Args:
        scores: The scores' names, in the order of the others.
        correlations: Rank correlations, (scores, scores).
        explained: By what was chosen the share of each score's variance that it explains, (scores,).
        values: Of each score its values by the first axis.
    """

    scores: list[str]
    correlations: np.ndarray
    explained: dict[str, np.ndarray]
    values: dict[str, dict[Any, np.ndarray]]

    def correlation_rows(self) -> list[dict[str, Any]]:
        """Gives the correlations as a table's rows."""
        named = zip(self.scores, self.correlations.tolist(), strict=True)
        return [{"score": name, **dict(zip(self.scores, row, strict=True))} for name, row in named]

    def explained_rows(self) -> list[dict[str, Any]]:
        """Gives what explains each score as a table's rows."""
        columns = {name: shares.tolist() for name, shares in self.explained.items()}
        return [
            {"score": score, **{name: shares[number] for name, shares in columns.items()}}
            for number, score in enumerate(self.scores)
        ]


def summary(rows: Sequence[Mapping[str, Any]], axes: Sequence[str], together: Sequence[Sequence[str]]) -> StudySummary:
    """Compares the scores of a study's rows.

    Scores that are not finite in some row are left out.

    Args:
        rows: Of `Run.study`, 2 or more: axes and scores by name, the same in each.
        axes: The names that are axes; the others are scores.
        together: The axes, or combinations of them, whose share of each score's variance is asked for.

    Returns:
        What is found.

    Raises:
        ValueError: Where there are fewer than 2 rows, or no score.

    Example:

    >>> rows = [{"objective": "a", "seed": seed, "gap": 0.1, "loss": seed} for seed in range(2)]
    >>> rows += [{"objective": "b", "seed": seed, "gap": 0.5, "loss": seed} for seed in range(2)]
    >>> found = summary(rows, ["objective", "seed"], [["objective"], ["seed"]])
    >>> found.explained_rows()[0]
    {'score': 'gap', 'objective': 1.0, 'seed': 0.0}
    >>> found.values["gap"]["b"].tolist()
    [0.5, 0.5]

    Reference: Locatello et al. 2019, arXiv 1811.12359, section 5.
    """
    names = [name for name in (rows[0] if rows else ()) if name not in axes]
    names = [name for name in names if np.isfinite([row[name] for row in rows]).all()]
    if len(rows) < 2 or not names:
        raise ValueError(f"expected 2 rows or more, with finite scores beside {', '.join(axes)}; got {len(rows)}.")
    scores = np.array([[row[name] for name in names] for row in rows], "float64")
    chosen = {axis: [row[axis] for row in rows] for axis in axes}
    explained = {}
    for each in together:
        groups = [chosen[axis] for axis in each]
        explained[" and ".join(each)] = np.array([explained_variance(column, *groups) for column in scores.T])
    first = chosen[axes[0]]
    values = {
        name: {value: column[[each == value for each in first]] for value in dict.fromkeys(first)}
        for name, column in zip(names, scores.T, strict=True)
    }
    return StudySummary(names, rank_correlations(scores), explained, values)


def spread(rows: Sequence[Mapping[str, Any]], over: str) -> list[dict[str, Any]]:
    """Takes each score's mean over a study, such as that of several seeds, with the least and the greatest.

    Args:
        rows: Of `Run.study`: an axis and scores by name, the same in each.
        over: The axis.

    Returns:
        A row for each score: "measure", its name, "mean", "least" and "most".

    Example:

    >>> spread([{"seed": 0, "loss": 1.0}, {"seed": 1, "loss": 2.0}], over="seed")
    [{'measure': 'loss', 'mean': 1.5, 'least': 1.0, 'most': 2.0}]
    """
    values = {name: [float(row[name]) for row in rows] for name in rows[0] if name != over}
    return [
        {"measure": name, "mean": float(np.mean(each)), "least": min(each), "most": max(each)}
        for name, each in values.items()
    ]


def means_by(rows: Sequence[Mapping[str, Any]], of: str, over: str, plain: Any) -> dict[str, float]:
    """Takes each model's mean scores over splits of the data, of one of them with its standard error.

    Args:
        rows: A model, a split and scores by name, the same in each.
        of: The name of what says which model it is.
        over: The name of what says which split.
        plain: The model whose scores are called by their names alone.

    Returns:
        "SCORE" and "SCORE_standard_error" of the plain one, "MODEL_SCORE" of the others.

    Example:

    >>> rows = [{"model": "own", "split": split, "error": error} for split, error in enumerate([1.0, 3.0])]
    >>> means_by([*rows, {"model": "exact", "split": 0, "error": 1.5}], of="model", over="split", plain="own")
    {'error': 2.0, 'error_standard_error': 0.707..., 'exact_error': 1.5}
    """
    found = {}
    for model in dict.fromkeys(row[of] for row in rows):
        for score in (name for name in rows[0] if name not in (of, over)):
            values = [row[score] for row in rows if row[of] == model]
            found[score if model == plain else f"{model}_{score}"] = float(np.mean(values))
            if model == plain:
                found[f"{score}_standard_error"] = float(np.std(values) / np.sqrt(len(values)))
    return found


def intervals(rows: Sequence[Mapping[str, Any]], axes: Sequence[str], over: str) -> list[dict[str, Any]]:
    """Takes means over one axis of a study, such as the seeds, with their 95 % intervals by Student's t.

    Args:
        rows: Of `Run.study`: axes and scores by name, the same in each.
        axes: The axes whose values are told apart; each combination that is there becomes a row.
        over: The axis over which the means are taken.

    Returns:
        Rows of the axes, the number of values, and for each score "NAME", "NAME_low" and "NAME_high"; the ends are the
        mean itself where there is a single value.

    Raises:
        ValueError: Where there is no row.

    Example:

    >>> rows = [{"alpha": 0.2, "seed": seed, "loss": loss} for seed, loss in enumerate([1.0, 2.0, 3.0])]
    >>> [found] = intervals(rows, ["alpha"], over="seed")
    >>> found["loss"], round(found["loss_low"], 3), round(found["loss_high"], 3)
    (2.0, -0.484, 4.484)
    """
    from scipy.stats import t

    if not rows:
        raise ValueError("intervals: expected one row or more; got none.")
    scores = [name for name in rows[0] if name not in (*axes, over)]
    groups: dict[tuple, list] = {}
    for row in rows:
        groups.setdefault(tuple(row[axis] for axis in axes), []).append([row[name] for name in scores])
    found = []
    for chosen, values in groups.items():
        values = np.array(values, "float64")
        number, mean = len(values), values.mean(axis=0)
        half = t.ppf(0.975, number - 1) * values.std(axis=0, ddof=1) / np.sqrt(number) if number > 1 else 0 * mean
        row = {**dict(zip(axes, chosen, strict=True)), "values": number}
        for name, middle, side in zip(scores, mean.tolist(), half.tolist(), strict=True):
            row |= {name: middle, f"{name}_low": middle - side, f"{name}_high": middle + side}
        found.append(row)
    return found


def curves(rows: Sequence[Mapping[str, Any]], axis: str, score: str) -> dict[Any, list[tuple[float, ...]]]:
    """Gives a score that was measured at several numbers, such as of labelled examples, as curves with intervals.

    Args:
        rows: Of `intervals`, a row for each value of the axis.
        axis: Whose values are told apart.
        score: The score's name, which stands in the rows as "SCORE_at_NUMBER".

    Returns:
        By the axis' values points (number, mean, low, high), as `visualize.charts.curves` takes them.

    Raises:
        ValueError: Where there is no such score.

    Example:

    >>> rows = [{"by": "doubt", "seed": seed, "right_at_20": 50.0, "right_at_40": 70.0 + seed} for seed in (0, 2)]
    >>> [(x, y) for x, y, low, high in curves(intervals(rows, ["by"], over="seed"), "by", "right")["doubt"]]
    [(20.0, 50.0), (40.0, 71.0)]
    """
    start, ends = f"{score}_at_", ("", "_low", "_high")
    numbers = [name.removeprefix(start) for name in rows[0] if name.startswith(start) and not name.endswith(ends[1:])]
    if not numbers:
        raise ValueError(f"curves: there is no {start}NUMBER among {', '.join(rows[0])}.")
    return {
        row[axis]: [(float(number), *(row[start + number + end] for end in ends)) for number in numbers] for row in rows
    }
