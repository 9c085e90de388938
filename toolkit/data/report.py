"""What was found in a data set, for a person and as JSON; each domain makes its own."""

import dataclasses
import numbers
from collections.abc import Mapping, Sequence
from typing import Any


@dataclasses.dataclass(frozen=True)
class Report:
    """What was found in a data set, and whether it can be trained on.

    Args:
        sections: By title, values by name, both shown without underscores; a value is a number, a text, None where
            there is none, or such values by column, as those of three splits.
        size: What there is to train on, in a few words.
        changes: What to change, a sentence each: which flag to which value, or which files.
        refusal: Why no training can begin; "" where one can.

    Example:

    >>> print(Report({"lines": {"kept": {"train": 90, "test": 5}, "mean": 0.25}}, size="90 lines"))
    lines   train  test
      kept     90     5
      mean   0.25
    <BLANKLINE>
    Ready: 90 lines.
    """

    sections: Mapping[str, Mapping[str, Any]]
    size: str
    changes: Sequence[str] = ()
    refusal: str = ""

    def __str__(self) -> str:
        """Tables, one below the other, and the verdict."""
        labels = [f"  {label}" for section in self.sections.values() for label in section]
        width = max(map(len, [*labels, *self.sections]), default=0)
        rows = []
        for title, section in self.sections.items():
            tables = [value for value in section.values() if isinstance(value, Mapping)]
            columns = list(dict.fromkeys(column for table in tables for column in table))
            cells = {name: [_shown(table.get(name, "")) for table in tables] for name in columns}
            widths = {name: max(map(len, [name, *cells[name]])) for name in columns}
            header = "".join(f"  {name:>{widths[name]}}" for name in columns)
            rows.append(f"{_plain(title):<{width}}{header}".rstrip())
            for label, value in section.items():
                if isinstance(value, Mapping):
                    shown = "".join(f"  {_shown(value.get(name, '')):>{widths[name]}}" for name in columns)
                else:
                    shown = f"  {_shown(value):>{next(iter(widths.values()), 0)}}"
                rows.append(f"  {_plain(label):<{width - 2}}{shown}".rstrip())
            rows.append("")
        if self.refusal:
            rows.append("NOT READY: training would stop at once.")
        else:
            rows.append(f"Ready: {self.size}." if not self.changes else f"Ready: {self.size}. But look at this first:")
        return "\n".join([*rows, *(f"  - {change}" for change in self.changes)])

    def as_dict(self) -> dict[str, Any]:
        """All of it, to be written as JSON."""
        verdict = {"ready": not self.refusal, "size": self.size, "changes": list(self.changes), "refusal": self.refusal}
        return {**self.sections, "verdict": verdict}


def _plain(name):
    return name.replace("_", " ")


def _shown(value):
    if value is None:
        return "-"
    if isinstance(value, numbers.Number) and not isinstance(value, numbers.Integral):
        return f"{value:.4g}"
    return str(value)
