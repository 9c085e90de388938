"""What a person asks to be said, as the numbers that a network reads."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def number(name: str, names: tuple[str, ...], flag: str) -> int:
    """Finds what a person asks for among the speakers or units that there are.

    Args:
        name: What is asked for.
        names: What there is.
        flag: The flag that asks, for the message.

    Returns:
        Its number.

    Raises:
        ValueError: Where there is no such; the nearest is suggested.

    Example:

    >>> number("theo", ("george", "theo"), "--speaker")
    1
    >>> number("teo", ("george", "theo"), "--speaker")
    Traceback (most recent call last):
    ValueError: --speaker: there is no 'teo'. Did you mean 'theo'? There are: george, theo.
    """
    if name in names:
        return names.index(name)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    more = f" and {len(names) - 30} more" if len(names) > 30 else ""
    raise ValueError(f"{flag}: there is no {name[:60]!r}.{hint} There are: {', '.join(names[:30])}{more}.")


def track(units: Sequence[str], inventory: Mapping[str, Any], num_samples: int | None = None) -> np.ndarray:
    """Lays units end to end, each as long as it is on average, or all together of a given length.

    Args:
        units: Their names.
        inventory: `Speech.inventory`, or the config of a `layers.SpeechInventory`.
        num_samples: Of all of them; None: as they are on average.

    Returns:
        int32 (samples,), as the "units" of a batch.

    Raises:
        ValueError: Where there is no such unit; the nearest is suggested.

    Example:

    >>> inventory = {"units": ["_", "a"], "unit_lengths": [2.0, 4.0], "num_states": 2}
    >>> track(["_", "a"], inventory).tolist(), track(["a"], inventory, 6).tolist()
    ([0, 0, 2, 2, 3, 3], [2, 2, 2, 3, 3, 3])
    """
    names, num_states = tuple(inventory["units"]), inventory["num_states"]
    asked = [number(unit, names, "--units") for unit in units]
    lengths = np.array([inventory["unit_lengths"][unit] for unit in asked])
    if num_samples is not None:
        lengths = lengths * num_samples / max(lengths.sum(), 1e-9)
    edges = np.concatenate([[0], np.cumsum(lengths)]).round().astype(int)
    found = []
    for unit, length in zip(asked, np.diff(edges), strict=True):
        parts = np.arange(length) * num_states // max(length, 1) if unit else np.zeros(length, int)
        found.append(unit * num_states + parts)
    return np.concatenate([*found, []]).astype("int32")


def whole(track: np.ndarray, inventory: Mapping[str, Any]) -> np.ndarray:
    """Tells the unit of each sample, whichever part of it.

    Args:
        track: (samples,), as `track` makes it.
        inventory: As there.

    Returns:
        (samples,), places in the inventory's units.
    """
    return np.asarray(track) // inventory["num_states"]


def said(track: np.ndarray, inventory: Mapping[str, Any]) -> str:
    """Names the units of a track, one after another.

    Args:
        track: (samples,), as `track` makes it.
        inventory: As there.

    Example:

    >>> said([0, 0, 2, 2, 3], {"units": ["_", "a"], "num_states": 2})
    '_ a'
    """
    units = whole(track, inventory)
    return " ".join(inventory["units"][unit] for unit in units[np.flatnonzero(np.diff(units, prepend=-1))])


def labels(inventory: Mapping[str, Any]) -> list[str]:
    """Names each number that a track has.

    Args:
        inventory: As in `track`.

    Example:

    >>> labels({"units": ["_", "a"], "num_states": 2})
    ['_.1', '_.2', 'a.1', 'a.2']
    """
    parts = inventory["num_states"]
    if parts == 1:
        return list(inventory["units"])
    return [f"{unit}.{part}" for unit in inventory["units"] for part in range(1, parts + 1)]
