"""What a training would find in examples with a class: classes, columns, rows that stand twice, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.classified.loading import PARTS, Classified
from toolkit.data.report import Report

_UNEVEN = 20.0  # the largest class to the smallest
_COPIES = 0.05  # share of the test examples that are in the training part
_LISTED = 30  # classes; columns that are shown


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in examples with a class.

    Args:
        report: Its numbers and verdict.
        frequent: By column, the most frequent first, in how many training examples it is not 0; of images, by class,
            how many training examples it has.
    """

    report: Report
    frequent: dict[str, int]


def examine(examples: Classified) -> Findings:
    """Says what a training would find in examples with a class.

    Args:
        examples: What `load` returned.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.classified import load
    >>> examine(load("embedded:patients:500")).report.sections["examples"]["examples"]["train"]
    500
    """
    names = examples.class_names
    counts = {part: np.bincount(examples.labels[part], minlength=len(names)) for part in PARTS}
    rows = {part: [bytes(row) for row in np.ascontiguousarray(examples.features[part])] for part in PARTS}
    labels = {}
    for row, label in zip(rows["train"], examples.labels["train"].tolist(), strict=True):
        labels.setdefault(row, set()).add(label)
    both = sum(len(labels[row]) > 1 for row in rows["train"])
    copies = float(np.mean([row in labels for row in rows["test"]]))
    flat = examples.features["train"].reshape(len(rows["train"]), -1)
    constant = int((flat.min(axis=0) == flat.max(axis=0)).sum())
    sections = {
        "examples": {
            "examples": {part: len(rows[part]) for part in PARTS},
            "rows_that_stand_there_before": {part: len(rows[part]) - len(set(rows[part])) for part in PARTS},
            "test_examples_among_the_training_ones_%": 100 * copies,
            "alike_but_of_another_class": both,
            "numbers_of_an_example": flat.shape[1],
            "constant_in_training": constant,
            "not_0_%": 100 * float(np.count_nonzero(flat)) / flat.size,
        },
        "examples_of_each_class": {
            names[label]: {part: int(counts[part][label]) for part in PARTS}
            for label in range(min(len(names), _LISTED))
        },
    }
    changes, refusal = list(_advised(names, counts, copies, both)), ""
    if len(labels) < 2:
        refusal = "All training examples are the same: look at what --data names."
    size = f"{len(rows['train'])} examples of {len(names)} classes to train on"
    return Findings(Report(sections, size, changes, refusal), _frequent(examples, counts["train"], flat))


def _advised(names, counts, copies, both):
    train = counts["train"]
    if train.max() > _UNEVEN * train.min():
        yield (
            f"The class {names[train.argmax()]} has {train.max()} training examples, {names[train.argmin()]} has "
            f"{train.min()}: what always answers with the former is right of most."
        )
    if copies > _COPIES:
        yield (
            f"{100 * copies:.0f} % of the test examples stand among the training ones: the most influential one will "
            "often be the copy."
        )
    if both:
        yield f"{both} training examples are alike but have different classes: some of their labels must be wrong."


def _frequent(examples, counts, flat):
    if not examples.columns:
        return dict(zip(examples.class_names[:_LISTED], counts[:_LISTED].tolist(), strict=True))
    held = np.count_nonzero(flat, axis=0)
    order = np.argsort(-held, kind="stable")[:_LISTED]
    return {examples.columns[column]: int(held[column]) for column in order}
