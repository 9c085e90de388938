"""Which unit is said when: text files beside recordings."""

import os
import re
from typing import NamedTuple

import numpy as np

from toolkit.data.audio.phonemes import PAUSE
from toolkit.files import limits, text
from toolkit.files.names import printable

_NUMBER = re.compile(r"\d{1,15}(\.\d*)?|\.\d+")
_SLIP = 0.05  # seconds that an alignment may end after its recording, as of rounding
_BOUND = 4 * limits.MIB
_MOST = 100  # characters of a unit's name


class Segments(NamedTuple):
    """Units one after the other, perhaps with gaps.

    Args:
        starts: float64 (units,), in seconds.
        ends: float64 (units,), in seconds.
        units: Their names.
    """

    starts: np.ndarray
    ends: np.ndarray
    units: tuple[str, ...]


def read_table(path: str | os.PathLike, sample_rate: int) -> Segments | None:
    """Reads lines of start, end and unit, as TIMIT's .PHN and Audacity's labels are.

    Args:
        path: The file.
        sample_rate: Of the recording: whole numbers are samples, numbers with a point seconds.

    Returns:
        The units; None where the file's first line does not begin with two numbers, so that it is something else, such
        as what is said.

    Raises:
        ValueError: Where a line is not such, or the times do not go forward; it names file and line.
        OSError: Where the system refuses.

    Example:

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "a.txt"
    ...     _ = path.write_text("0 800 h\\n800 2400 a\\n")
    ...     read_table(path, 8000)
    Segments(starts=array([0. , 0.1]), ends=array([0.1, 0.3]), units=('h', 'a'))
    """
    shown, lines = printable(path), [line.split() for line in text.read(path, bound=_BOUND).splitlines()]
    rows = [(number, line) for number, line in enumerate(lines, 1) if line]
    if not rows or len(rows[0][1]) < 2 or not all(map(_NUMBER.fullmatch, rows[0][1][:2])):
        return None
    for number, row in rows:
        if len(row) != 3 or not all(map(_NUMBER.fullmatch, row[:2])) or len(row[2]) > _MOST:
            told = " ".join(row)[:60]
            raise ValueError(
                f"{shown}, line {number}: expected start, end and unit, such as 0.25 0.31 a; got {told!r}."
            )
    scale = 1.0 if any("." in value for _, row in rows for value in row[:2]) else 1 / sample_rate
    times = np.array([[float(value) for value in row[:2]] for _, row in rows]) * scale
    return checked(Segments(times[:, 0], times[:, 1], tuple(row[2] for _, row in rows)), shown, [n for n, _ in rows])


def read_lablaut(path: str | os.PathLike) -> Segments | None:
    """Reads the phones of the Berlin Database of Emotional Speech, narrow transcriptions in SAMPA by xlabel.

    A line has a phone's start; marks of how it is said are left out, closure and burst of a plosive are one, and what
    is no phone is a pause.

    Args:
        path: The file.

    Returns:
        The phones; None where there are none.

    Raises:
        ValueError: Where a line is not such, or the times do not go forward; it names file and line.
        OSError: Where the system refuses.

    Reference: Burkhardt et al. 2005, "A Database of German Emotional Speech".
    """
    shown, lines = printable(path), text.read(path, bound=_BOUND).splitlines()
    begin = next((place for place, line in enumerate(lines, 1) if line.strip() == "#"), len(lines))
    starts, units, numbers = [], [], []
    for number, line in enumerate(lines[begin:], begin + 1):
        if not line.strip():
            continue
        found = re.fullmatch(r"\s*(\d+\.?\d*)\s+-?\d+(?:\s(.*))?", line)
        if not found:
            raise ValueError(f"{shown}, line {number}: expected a time, a colour and a phone; got {line[:60]!r}.")
        phone = _phone((found[2] or "").strip(), units[-1] if units else PAUSE)
        if not units or phone != units[-1]:
            starts.append(float(found[1]))
            units.append(phone)
            numbers.append(number)
    if len(units) < 2:
        return None
    # The last one says where the speech ends.
    times = np.array(starts)
    return checked(Segments(times[:-1], times[1:], tuple(units[:-1])), shown, numbers)


def _phone(label, before):
    if not label or label[0] in "+-[":
        return before
    found = re.match(r"[_!]?(aI|aU|OY|[A-Za-z@?0-9])", label)
    return found[1] if found else before if label[0] == "!" else PAUSE


def checked(segments: Segments, shown: str, lines: list[int]) -> Segments:
    """Refuses units whose times do not go forward.

    Args:
        segments: The units.
        shown: Their file, for the message.
        lines: The line of each.

    Returns:
        The units.

    Raises:
        ValueError: Where one ends before it starts, or starts before the one before ends.
    """
    late = np.append(segments.starts[1:], np.inf)
    for place in np.flatnonzero((segments.ends <= segments.starts) | (late < segments.ends - 1e-4))[:1]:
        backward = segments.ends[place] <= segments.starts[place]
        what = "ends where it starts, or before" if backward else "ends after the next one starts"
        raise ValueError(f"{shown}, line {lines[place]}: {segments.units[place]!r} {what}.")
    return segments


def check_end(segments: Segments, seconds: float, shown: str, recording: str) -> None:
    """Refuses units that are said after the recording's end.

    Args:
        segments: The units.
        seconds: How long the recording is.
        shown: The alignment's file, for the message.
        recording: The recording's file, for the message.

    Raises:
        ValueError: Where one ends more than a twentieth of a second after it.
    """
    if segments.ends[-1] > seconds + _SLIP:
        raise ValueError(
            f"{shown}: {segments.units[-1]!r} ends at {segments.ends[-1]:.3f} s, but {recording} is {seconds:.3f} s "
            "long: is it the alignment of another recording, or of another sample rate?"
        )


def within(segments: Segments, seconds: float) -> Segments:
    """Leaves out what is said after a recording's end, where it is known to be a shortened one.

    Args:
        segments: The units.
        seconds: How long the recording is.

    Returns:
        Those that begin before its end.

    Example:

    >>> within(Segments(np.array([0.0, 1.0]), np.array([1.0, 2.0]), ("a", "b")), 0.5)
    Segments(starts=array([0.]), ends=array([0.5]), units=('a',))
    """
    count = int(np.searchsorted(segments.starts, seconds))
    return Segments(segments.starts[:count], np.minimum(segments.ends[:count], seconds), segments.units[:count])
