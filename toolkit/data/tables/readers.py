"""Where tables come from: --data=READER:REST."""

import pathlib
import re
from collections.abc import Collection

from toolkit.data.tables import embedded
from toolkit.data.tables.files import Columns, read_csv, read_plain
from toolkit.files import binary

_ROWS = {"wave": 2000, "friedman": 1000}
_MOST_ROWS = 2_000_000


def _embedded(rest: str, seed: int, leave_out: Collection[str], **_) -> Columns:
    found = re.fullmatch("(wave|friedman)(?::([0-9]{1,9}))?|diabetes|", rest)
    name = rest.partition(":")[0] or "wave"
    num_rows = int((found and found[2]) or _ROWS.get(name, 442))
    if not found or not 10 <= num_rows <= _MOST_ROWS:
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded:wave, embedded:wave:ROWS, embedded:friedman, "
            f"embedded:friedman:ROWS, of 10 to {_MOST_ROWS:,} rows, or embedded:diabetes."
        )
    made = getattr(embedded, name)
    names, values = made() if name == "diabetes" else made(num_rows, seed)
    for each in leave_out:
        if each not in names:
            raise ValueError(f"--leave_out: embedded:{name} has no column {each[:60]!r}; it has {', '.join(names)}.")
    kept = [number for number, each in enumerate(names) if each not in leave_out]
    return Columns(tuple(names[number] for number in kept), ("",) * len(kept), values[:, kept], 0)


def _uci(rest: str, seed: int, **how) -> Columns:
    if not rest:
        raise FileNotFoundError("--data=uci: expected uci:FOLDER, where data.txt lies, or uci:FILE.")
    path = binary.expanded(rest)
    if path.is_dir():
        places = [path / "data.txt", path / "data" / "data.txt"]
        path = next((each for each in places if each.exists()), None)
        if path is None:
            raise FileNotFoundError(f"--data=uci:{rest}: the folder holds no data.txt, as UCI's tables do.")
    return read_plain(str(path), **how)


def _csv(rest: str, seed: int, **how) -> Columns:
    if not rest:
        raise FileNotFoundError("--data=csv: expected csv:FILE.")
    return read_csv(rest, **how)


READERS = {"embedded": _embedded, "uci": _uci, "csv": _csv}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "uci", "csv" or None.
    """
    if path.is_dir():
        return "uci"
    return {".csv": "csv", ".tsv": "csv", ".txt": "uci", ".data": "uci"}.get(path.suffix.lower())
