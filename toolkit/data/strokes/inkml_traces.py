"""InkML's traces: a pen's points in text, told outright or by their differences, for each channel of a format."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.data.strokes.lines import FARTHEST

# Perhaps how it is told (!: outright, ': as a difference, ": as a difference of differences), then a number, decimal or
# hexadecimal, or true, false, the last one once more, or none. What is none of these is the last group's.
_VALUE = re.compile(
    r"""(?:([!'"])\s*+)?(?:(?:([-+])\s*+)?(?:\#([0-9A-Fa-f]++)|((?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?))|([TF*?]))"""
    r"|(\S)",
    re.ASCII,
)
_DECIMAL = re.compile(r"[-+.\deE\s]*", re.ASCII)
_MOST_CHANNELS = 100


class Channel(NamedTuple):
    """What a format says of one of a point's numbers: its name, as "X", and how it is meant.

    Args:
        name: Its name.
        intermittent: Whether a point may lack it.
        default: What it is before a trace says something else.
        sign: -1 where it grows leftward or upward.
        units: Of its numbers.
    """

    name: str
    intermittent: bool = False
    default: float = 0.0
    sign: int = 1
    units: str = ""


# Where a file names no format.
POSITIONS = (Channel("X"), Channel("Y"))


def channel(attributes: Mapping[str, str], intermittent: bool) -> Channel:
    """Reads a <channel>.

    Args:
        attributes: The element's.
        intermittent: Whether it is one of <intermittentChannels>.

    Returns:
        The channel.

    Raises:
        ValueError: Where it has no name, or a default that is no number.

    Example:

    >>> channel({"name": "Y", "orientation": "-ve"}, False).sign
    -1
    """
    name, default = attributes.get("name", ""), attributes.get("default", "0")
    if not name:
        raise ValueError("a channel has no name.")
    try:
        number = {"T": 1.0, "F": 0.0, "true": 1.0, "false": 0.0}.get(default)
        number = float(default) if number is None else number
    except ValueError:
        raise ValueError(f"channel {name[:40]!r}: its default {default[:40]!r} is no number.") from None
    sign = -1 if attributes.get("orientation", "+ve").startswith("-") else 1
    return Channel(name, intermittent, number, sign, attributes.get("units", ""))


def checked(channels: Sequence[Channel]) -> tuple[Channel, ...]:
    """Checks that a format's points have a place: X and Y in the same unit.

    Args:
        channels: As they stand in the file.

    Returns:
        The same, those that a point may lack at the end, as points have them.

    Raises:
        ValueError: Where they have none.
    """
    channels = tuple(sorted(channels, key=lambda one: one.intermittent))
    names = [one.name for one in channels if not one.intermittent]
    if names.count("X") != 1 or names.count("Y") != 1 or len(channels) > _MOST_CHANNELS:
        raise ValueError(f"expected a traceFormat with the channels X and Y; got {', '.join(names)[:60] or 'none'}.")
    units = {one.units for one in channels if one.name in ("X", "Y")}
    if len(units) > 1:
        raise ValueError(f"expected X and Y in the same unit; got {', '.join(map(repr, sorted(units)))[:60]}.")
    return channels


def strokes(content: str, channels: Sequence[Channel]) -> list[np.ndarray]:
    """Reads a trace's points.

    Args:
        content: What stands in a <trace>: points between commas, each a number for each channel.
        channels: The format's, checked.

    Returns:
        Positions (points, 2), x growing to the right and y downward: one stroke, or several where the channel S, the
        pen's tip, is false between them.

    Raises:
        ValueError: Where a point lacks numbers, has too many, or what is none.

    Example:

    >>> [stroke.tolist() for stroke in strokes("10 0, 9 14, '-1'14, -1 14, \\"1\\"0, *7", POSITIONS)]
    [[[10.0, 0.0], [9.0, 14.0], [8.0, 28.0], [7.0, 42.0], [7.0, 56.0], [8.0, 77.0]]]

    Reference: W3C, Ink Markup Language (InkML), 2011, section 3.2.1.
    """
    names = [one.name for one in channels]
    places = [names.index("X"), names.index("Y")]
    points = content.strip().removesuffix(",").split(",")
    values = _outright(points, len(channels))
    if values is None:
        values = _decoded(points, channels)
    positions = values[:, places] * [channels[place].sign for place in places]
    far = np.flatnonzero(~(np.abs(positions) < FARTHEST).all(axis=1))
    if len(far):
        raise ValueError(f"point {far[0] + 1} is at {positions[far[0]].tolist()}, where no pen is.")
    if "S" not in names or channels[names.index("S")].intermittent:
        return [positions]
    down = values[:, names.index("S")] != 0
    changes = np.r_[0, np.flatnonzero(np.diff(down)) + 1]
    return [part for part, first in zip(np.split(positions, changes[1:]), changes, strict=True) if down[first]]


def _outright(points, num_channels):
    """The points' numbers where all are decimal and told outright, as most are; None where one is not."""
    rows = [point.split() for point in points]
    if any(len(row) != num_channels for row in rows) or not all(map(_DECIMAL.fullmatch, points)):
        return None
    try:
        return np.array(rows, "float64")
    except ValueError:  # 3-5 are two numbers
        return None


def _decoded(points, channels):
    """The points' numbers, each channel's difference by difference."""
    least = sum(not one.intermittent for one in channels)
    # Of each channel its value, its last difference, the last number that was told, and how that is meant.
    states = [(one.default, 0.0, one.default, "!") for one in channels]
    values = []
    for number, point in enumerate(points, 1):
        told = [match.groups() for match in itertools.islice(_VALUE.finditer(point), len(channels) + 1)]
        unknown = [one.name for one, (*_, letter, _) in zip(channels, told, strict=False) if letter == "?"]
        if not least <= len(told) <= len(channels) or any(bad for *_, bad in told) or {"X", "Y"} & set(unknown):
            expected = f"{least if least == len(channels) else f'{least} to {len(channels)}'} numbers"
            named = " ".join(one.name for one in channels)[:60]
            raise ValueError(f"point {number}: expected {expected}, {named}; got {point.strip()[:60]!r}.")
        for place, value in enumerate(told):
            states[place] = _told(states[place], *value[:5])
        values.append([state[0] for state in states])
    return np.array(values)


def _told(state, how, sign, hexadecimal, decimal, letter):
    """A channel's state after one more value."""
    value, difference, number, before = state
    how = how or before
    if letter == "?":
        return state
    if letter in ("T", "F"):
        number = float(letter == "T")
    elif letter is None:  # else the last number once more
        number = float(int(hexadecimal[:200], 16) if hexadecimal else decimal)
        number = -number if sign == "-" else number
    if how == "!":
        return number, number - value, number, how
    difference = number if how == "'" else difference + number
    return value + difference, difference, number, how
