"""What a training would find in a table: ranges of its columns, rows that stand twice, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.report import Report
from toolkit.data.tables.files import listed
from toolkit.data.tables.loading import Table

_FAR = 10.0  # standard deviations from the mean
_OFFSET = 1e4  # mean in standard deviations, beyond which float32 has lost three of its seven digits
_ALIKE = 0.9999  # correlation of two columns
_COPIES = 0.01  # share of the test rows that stand among the training rows
_LISTED = 30  # columns


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in a table.

    Args:
        report: Its numbers and verdict.
        inputs: float64 (rows, columns), at most 2,000 rows evenly spaced over the table.
        targets: (rows,) of the same rows.
    """

    report: Report
    inputs: np.ndarray
    targets: np.ndarray


def examine(table: Table) -> Findings:
    """Says what a training would find in a table.

    Args:
        table: What `load` returned.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.tables import load
    >>> examine(load("embedded:diabetes")).report.sections["table"]["rows"]
    442
    """
    train, test = table.order(0)
    _, first, counts = np.unique(table.inputs, axis=0, return_index=True, return_counts=True)
    among = set(map(bytes, np.ascontiguousarray(table.inputs[train])))
    copies = sum(bytes(row) in among for row in np.ascontiguousarray(table.inputs[test]))
    columns = np.column_stack([table.inputs, table.targets])
    labels = [label[:60] for label in (*table.labels, table.label)]
    sections = {
        "table": {
            "rows": len(table.targets),
            "rows_of_a_split": {"train": len(train), "test": len(test)},
            "columns": len(table.names),
            "target": labels[-1],
            "rows_left_out_for_a_missing_value": table.num_skipped,
            "columns_left_out_for_being_constant": len(table.constant),
            "rows_whose_columns_stand_there_before": int(len(table.targets) - len(first)),
            "test_rows_among_the_training_rows": copies,
        },
        "columns": {
            label: {
                "mean": float(values.mean()),
                "scale": float(values.std()),
                "least": float(values.min()),
                "greatest": float(values.max()),
                "values": len(np.unique(values)),
            }
            for label, values in [*zip(labels, columns.T, strict=True)][-_LISTED:]
        },
    }
    changes = list(_advised(table, columns, copies, len(test), int(counts.max())))
    shown = np.unique(np.linspace(0, len(table.targets) - 1, 2000).astype(int))
    size = f"{len(train)} rows of {len(table.names)} columns to train on"
    return Findings(Report(sections, size, changes), table.inputs[shown], table.targets[shown])


def _advised(table, columns, copies, num_test, most_alike):
    names = (*table.names, table.target)
    if table.constant:
        yield f"Left out, being the same in every row: {listed(table.constant)}."
    scores = (columns - columns.mean(axis=0)) / columns.std(axis=0)
    far = [name for name, score in zip(names, np.abs(scores).max(axis=0), strict=True) if score > _FAR]
    if far:
        yield (
            f"More than {_FAR:g} standard deviations from the mean: values of {listed(far)}. Are they right? The "
            "logarithm in a column's place may say more."
        )
    offset = np.abs(columns.mean(axis=0)) / columns.std(axis=0) > _OFFSET
    if offset.any():
        yield (
            f"So far from 0 that the exported float32 would round what differs: subtract a number from "
            f"{listed([name for name, is_so in zip(names, offset, strict=True) if is_so])}."
        )
    if copies > _COPIES * num_test:
        yield f"{copies} of {num_test} test rows have the columns of a training row: figures would say too much."
    if most_alike > 1:
        yield f"Up to {most_alike} rows have the same columns: a kernel's matrix of all rows would be singular."
    alike = np.corrcoef(scores[:, :-1].T) if len(table.names) > 1 else np.eye(1)
    one, other = np.unravel_index(np.argmax(np.abs(alike - np.eye(len(alike)))), alike.shape)
    if abs(alike[one, other]) > _ALIKE and one != other:
        yield f"One column says what another does: {listed([names[one], names[other]])}."
