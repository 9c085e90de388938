"""Tables parted into rows that are learned from and rows that are tested, and standardised by the first."""

import dataclasses
import difflib
from typing import Any

import numpy as np

from toolkit.data import sources
from toolkit.data.contents import contents_of
from toolkit.data.pipelines import Batches
from toolkit.data.plans import shuffled_plan
from toolkit.data.tables.files import listed
from toolkit.data.tables.readers import READERS, sniff
from toolkit.lazy import tensorflow as tf

_FEWEST = 10  # rows
_CONSTANT = 1e-12  # a standard deviation that is a smaller share of the largest number is rounding


@dataclasses.dataclass(frozen=True)
class Split:
    """A table's rows in two parts, float64, standardised: mean 0 and standard deviation 1 over the training rows.

    Args:
        x_train, x_test: (rows, columns).
        y_train, y_test: (rows,), the target.
        x_mean, x_scale: (columns,), in the data's units; the scale is 1 where all training rows are the same.
        y_mean, y_scale: The target's.
        seed: Decides the order of batches.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    x_mean: np.ndarray
    x_scale: np.ndarray
    y_mean: float
    y_scale: float
    seed: int = 0

    @property
    def moments(self) -> dict[str, Any]:
        """What was subtracted and divided by, by the names above."""
        return {"x_mean": self.x_mean, "x_scale": self.x_scale, "y_mean": self.y_mean, "y_scale": self.y_scale}

    def inputs(self, x: np.ndarray) -> np.ndarray:
        """Puts standardised inputs back in the data's units.

        Args:
            x: (rows, columns).
        """
        return self.x_mean + self.x_scale * x

    def targets(self, y: np.ndarray) -> np.ndarray:
        """Puts a standardised target back in the data's unit.

        Args:
            y: (rows,).
        """
        return self.y_mean + self.y_scale * y

    def batches(self, batch_size: int) -> Batches:
        """Gives the training rows as batches of (x, y), standardised.

        Args:
            batch_size: Rows in a batch.
        """
        plan = shuffled_plan(len(self.y_train), batch_size, seed=self.seed)
        signature = (
            tf.TensorSpec((None, self.x_train.shape[1]), tf.float64),
            tf.TensorSpec((None,), tf.float64),
        )
        return Batches(
            lambda rows: (self.x_train[rows], self.y_train[rows]), plan, signature, num_examples=len(self.y_train)
        )


@dataclasses.dataclass(frozen=True)
class Table:
    """A table, one column of which is to be told from the others.

    Args:
        names: Of the columns that it is told from.
        units: Of each; "" where the file says none.
        inputs: float64 (rows, columns), in the data's units.
        target: The name of the column that is to be told.
        unit: Its unit, "" where the file says none.
        targets: float64 (rows,).
        held_out: The share of the rows that is tested.
        seed: Decides the splits.
        constant: Columns that were left out: all of their rows are the same.
        num_skipped: Rows that were left out, for a value of theirs is missing.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    inputs: np.ndarray
    target: str
    unit: str
    targets: np.ndarray
    held_out: float
    seed: int
    constant: tuple[str, ...] = ()
    num_skipped: int = 0

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns' names with their units."""
        return tuple(map(_label, self.names, self.units))

    @property
    def label(self) -> str:
        """The target's name with its unit."""
        return _label(self.target, self.unit)

    def order(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Parts the rows at random, as is usual with UCI's tables.

        Of seed 0 and a tenth held out, splits 0 to 19 are those on which figures of these tables are published.

        Args:
            number: Of the split, from 0.

        Returns:
            Which rows are learned from, and which are tested.

        Reference: Hernández-Lobato, Adams 2015, arXiv 1502.05336; the splits are those of its authors.
        """
        random = np.random.RandomState(self.seed + 1)
        for _ in range(number):
            random.permutation(len(self.targets))
        order = random.permutation(len(self.targets))
        end = min(max(round(len(order) * (1.0 - self.held_out)), 2), len(order) - 1)
        return order[:end], order[end:]

    def split(self, number: int = 0) -> Split:
        """Parts and standardises the table.

        Args:
            number: Of the split, from 0.

        Raises:
            ValueError: Where all training rows have the same target.
        """
        train, test = self.order(number)
        x_mean, x_scale = _moments(self.inputs[train])
        y_mean, y_scale = _moments(self.targets[train])
        if _is_constant(self.targets[train]):
            raise ValueError(f"In split {number} all {len(train)} training rows have the same {self.target!r}.")
        x, y = (self.inputs - x_mean) / x_scale, (self.targets - y_mean) / y_scale
        return Split(x[train], y[train], x[test], y[test], x_mean, x_scale, float(y_mean), float(y_scale), self.seed)

    @property
    def contents(self) -> dict[str, Any]:
        """What tells this table apart from others, for JSON: names, and figures of the rows."""
        plan = np.array_split(np.arange(len(self.targets)), min(20, len(self.targets)))
        figures = contents_of(lambda rows: (self.inputs[rows], self.targets[rows]), plan, len(self.targets))
        return {"columns": list(self.names), "target": self.target, "rows": figures}


def load(
    source: str,
    *,
    target: str = "",
    leave_out: str = "",
    skip_missing: bool = False,
    held_out: float = 0.1,
    seed: int = 0,
) -> Table:
    """Reads a table of numbers.

    Args:
        source: READER:REST. embedded:wave[:ROWS], one column of known truth; embedded:friedman[:ROWS], ten;
            embedded:diabetes; uci:FOLDER or uci:FILE, nothing but numbers, the target last; csv:FILE with a header.
        target: The name of the column that is to be told; "": the last one.
        leave_out: Names of columns that are not read, between commas.
        skip_missing: Whether rows with a missing value are left out; else they are an error.
        held_out: The share of the rows that is tested.
        seed: Decides the splits, and what is drawn of the embedded tables.

    Returns:
        The `Table`; columns whose rows are all the same are left out, as it says.

    Raises:
        ValueError: Where something is not as expected; file, line and column are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the system refuses.

    Example:

    >>> table = load("embedded:wave:100")
    >>> split = table.split(0)
    >>> table.names, table.target, split.x_train.shape, split.y_test.shape
    (('x',), 'y', (90, 1), (10,))
    """
    if not 0.0 < held_out < 1.0:
        raise ValueError(f"--held_out={held_out}: expected a share over 0 and under 1.")
    name, rest = sources.parse(source, READERS, sniff)
    omitted = [each.strip() for each in leave_out.split(",") if each.strip()]
    found = READERS[name](rest, seed=seed, leave_out=omitted, skip_missing=skip_missing)
    if len(found.values) < _FEWEST:
        rows = "1 row" if len(found.values) == 1 else f"{len(found.values)} rows"
        raise ValueError(f"--data={source[:200]} holds {rows} of numbers; expected {_FEWEST} or more.")
    column = _target(target, found.names, source)
    if _is_constant(found.values[:, column]):
        raise ValueError(
            f"--data={source[:200]}: the target {found.names[column][:60]!r} is {found.values[0, column]:g} in all "
            f"{len(found.values)} rows: there is nothing to tell. Name another one: --target."
        )
    others = [number for number in range(len(found.names)) if number != column]
    constant = [number for number in others if _is_constant(found.values[:, number])]
    kept = [number for number in others if number not in constant]
    if not kept:
        raise ValueError(
            f"--data={source[:200]}: all columns but the target are the same in every row: {listed(found.names)}."
        )
    return Table(
        tuple(found.names[number] for number in kept),
        tuple(found.units[number] for number in kept),
        found.values[:, kept],
        found.names[column],
        found.units[column],
        found.values[:, column],
        held_out,
        seed,
        tuple(found.names[number] for number in constant),
        found.num_skipped,
    )


def _label(name, unit):
    return f"{name} [{unit}]" if unit else name


def _target(target, names, source):
    if not target:
        return len(names) - 1
    if target not in names:
        near = difflib.get_close_matches(target[:60], names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"--target={target[:60]}: --data={source[:200]} has no such column.{hint} It has {listed(names)}."
        )
    return names.index(target)


def _is_constant(values):
    return np.std(values) <= _CONSTANT * np.abs(values).max()


def _moments(values):
    scale = values.std(axis=0)
    return values.mean(axis=0), np.where(scale <= _CONSTANT * np.abs(values).max(axis=0), 1.0, scale)
