"""Files of numbers in columns: CSV with a header, and bare ones as the UCI repository has them."""

import array
import csv
import itertools
import math
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.files import binary, limits, text
from toolkit.files.names import printable

_BOUND = 256 * limits.MIB  # bytes of a file
_MISSING = ("", "na", "n/a", "nan", "null", "none", "?", "-", ".")
_LARGEST = 1e100  # whose square is still far from what float64 holds
_SHOWN, _LISTED = 40, 8  # characters of a name, and names, in a message
_UNIT = re.compile(r"(.*\S)\s*(?:\[([^\[\]]+)\]|\(([^()]+)\))")


class Columns(NamedTuple):
    """What a file of numbers holds.

    Args:
        names: Of the columns, in order, without their units.
        units: Of each; "" where the header says none.
        values: float64 (rows, columns).
        num_skipped: Rows that were left out, for a value of theirs is missing.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    num_skipped: int


def read_csv(path: str, *, leave_out: Collection[str] = (), skip_missing: bool = False) -> Columns:
    """Reads a CSV file whose first row names its columns, with a unit where it says one: `strength [MPa]`.

    Args:
        path: The file; its values stand between commas, semicolons or tabs.
        leave_out: Columns that are not read, such as those of words.
        skip_missing: Whether a row with a missing value is left out; else it is an error.

    Returns:
        Its columns.

    Raises:
        FileNotFoundError: Where nothing is there.
        ValueError: Where something is not as expected, with line and column.
        OSError: Where the system refuses.

    Example:

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w+") as file:
    ...     print("age [days],strength (MPa),mix\\n28,79.9,a\\n28,,b", file=file, flush=True)
    ...     read_csv(file.name, leave_out=["mix"], skip_missing=True)
    Columns(names=('age', 'strength'), units=('days', 'MPa'), values=array([[28. , 79.9]]), num_skipped=1)
    """
    where, names, units, rows, strict = _headed(path)
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None:
        raise ValueError(f"{where} has two columns that are called {_shown(twice)}: give them names of their own.")
    return _parsed(where, names, units, rows, leave_out, skip_missing, strict)


def read_rows(path: str, wanted: Sequence[str]) -> np.ndarray:
    """Reads those columns of a CSV file with a header that are named; what else is in it is not looked at.

    Args:
        path: The file.
        wanted: Names, without units.

    Returns:
        float64 (rows, wanted), the columns in the order of the names.

    Raises:
        FileNotFoundError, ValueError, OSError: As `read_csv`; or where a column is not there, or no row is.

    Example:

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w+") as file:
    ...     print("name,water,age [days]\\nfirst,162,28", file=file, flush=True)
    ...     read_rows(file.name, ["age", "water"])
    array([[ 28., 162.]])
    """
    where, names, units, rows, strict = _headed(path)
    for name in wanted:
        if names.count(name) != 1:
            count = "no column" if name not in names else f"{names.count(name)} columns"
            raise ValueError(f"{where} has {count} {_shown(name)}; it has {listed(names)}.")
    kept = [names.index(name) for name in wanted]
    values = _checked(where, names, kept, *_numbers(where, names, rows, kept, strict, ""), None)[0]
    if not len(values):
        raise ValueError(f"{where} holds names of columns and no row.")
    return values


def read_plain(path: str, *, leave_out: Collection[str] = (), skip_missing: bool = False) -> Columns:
    """Reads a file of nothing but numbers, between white space or commas; lines that begin with # are passed over.

    The columns are called x1, x2 and so on, the last one y.

    Args:
        path: The file.
        leave_out: Columns that are not read.
        skip_missing: As in `read_csv`.

    Returns:
        Its columns.

    Raises:
        FileNotFoundError, ValueError, OSError: As `read_csv`.
    """
    content, where = _content(path, "a table of numbers")
    lines = ((number, line) for number, line in enumerate(_lines(content), 1) if line.strip() and line[0] != "#")
    first = next(lines, None)
    if first is None:
        raise ValueError(f"{where} holds no numbers; expected a table of them.")
    separator = "," if "," in first[1] else None
    rows = ((number, line.strip().split(separator)) for number, line in itertools.chain([first], lines))
    width = len(first[1].strip().split(separator))
    names = [*(f"x{number}" for number in range(1, width)), "y"]
    hint = f" A table with a header: --data=csv:{where}."
    return _parsed(where, names, [""] * width, rows, leave_out, skip_missing, "_" in content, hint)


def listed(names: Sequence[str]) -> str:
    """Writes names of columns for a message, the first ones where there are many.

    Args:
        names: The names.

    Example:

    >>> listed(["age", "a" * 50])
    "'age', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...'"
    """
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(_shown, names[:_LISTED])) + more


def _shown(text):
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


def _content(path, expected):
    where = printable(binary.expanded(path))
    content = text.read(path, expected, _BOUND)
    if not content.strip():
        raise ValueError(f"{where} holds only white space; expected {expected}.")
    return content, where


def _headed(path):
    """A CSV's name, its columns' names and units, its rows, and whether each cell must be looked at."""
    content, where = _content(path, "a CSV file with a header")
    first = content.lstrip("\n").partition("\n")[0]
    separator = max(",;\t", key=first.count)
    rows = _csv_rows(content, where, separator)
    line, header = next(rows, (1, [""]))
    if all(_is_number(cell) for cell in header):
        raise ValueError(
            f"{where}, line {line}, holds numbers where names of columns are expected. A table without a header: "
            f"--data=uci:{where}."
        )
    found = [_UNIT.fullmatch(cell.strip()) for cell in header]
    names = [match[1] if match else cell.strip() for match, cell in zip(found, header, strict=True)]
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    units = [(match[2] or match[3]).strip() if match else "" for match in found]
    return where, names, units, rows, "_" in content


def _lines(content):
    """Each line with its end, one at a time: a list of them would be several times the file."""
    start = 0
    while start < len(content):
        end = content.find("\n", start) + 1 or len(content)
        yield content[start:end]
        start = end


def _csv_rows(content, where, separator) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with its last line's number."""
    reader = csv.reader(_lines(content), delimiter=separator, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"{where}, line {reader.line_num}, is not CSV: {error}.") from error


def _is_number(cell):
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _parsed(where, names, units, rows: Iterable, leave_out, skip_missing, strict, hint="") -> Columns:
    for name in leave_out:
        if name not in names:
            raise ValueError(f"--leave_out: {where} has no column {_shown(name)}; it has {listed(names)}.")
    kept = [number for number, name in enumerate(names) if name not in leave_out]
    if len(kept) < 2:
        raise ValueError(
            f"{where} has {'no column' if not kept else 'one column, ' + _shown(names[kept[0]])}; expected 2 or more, "
            "the target's and what it is told from."
        )
    values, skipped = _checked(where, names, kept, *_numbers(where, names, rows, kept, strict, hint), skip_missing)
    return Columns(*(tuple(every[number] for number in kept) for every in (names, units)), values, skipped)


def _checked(where, names, kept, lines, values, skip_missing):
    """The rows in which no number is missing, and how many others there were; None: no flag leaves those out."""

    def told(places):
        row, column = np.argwhere(places)[0]
        return f"{where}, line {lines[row]}, column {_shown(names[kept[column]])}: ", values[row, column]

    missing, beyond = np.isnan(values), np.abs(values) > _LARGEST
    without = missing.any(axis=1)
    if without.any() and not skip_missing:
        remedy = "." if skip_missing is None else ", or leave these rows out: --skip_missing."
        counted = f"no value; so have {without.sum()} of {len(values)} rows. Fill them in{remedy}"
        raise ValueError(told(missing)[0] + counted)
    if beyond.any():
        place, value = told(beyond)
        raise ValueError(f"{place}{value:g} is beyond {_LARGEST:g}, the largest number that can be computed with.")
    return values[~without], int(without.sum())


def _numbers(where, names, rows, kept, strict, hint):
    """The line of each row, and its numbers, NaN where one is missing."""
    lines, values = array.array("q"), array.array("d")
    for line, cells in rows:
        if len(cells) != len(names):
            raise ValueError(f"{where}, line {line}: {len(cells)} values; expected {len(names)}, one for each column.")
        row = [cells[number] for number in kept]
        try:
            if strict:
                raise ValueError  # float("1_000") is 1000: each cell is looked at
            values.extend(list(map(float, row)))
        except ValueError:
            values.extend([_number(where, line, names[number], cells[number], hint) for number in kept])
        lines.append(line)
    return lines, np.frombuffer(values).reshape(-1, len(kept))


def _number(where, line, name, cell, hint):
    if cell.strip().lower() in _MISSING:
        return math.nan
    if "_" in cell or not _is_number(cell):
        remedy = hint if line == 1 and hint else " Write numbers for words, or leave the column out: --leave_out."
        raise ValueError(f"{where}, line {line}, column {_shown(name)}: {_shown(cell.strip())} is no number.{remedy}")
    return float(cell)
