"""What differs between two things that JSON can hold: a checkpoint's network and today's, the data of then and now."""

import math
from collections.abc import Collection
from typing import Any

_STRUCTURE = ("config", "layers")  # of Keras: they say nothing to a person


def first_difference(before: Any, now: Any, *, aside: Collection[str] = (), tolerance: float = 1e-6) -> str:
    """Says where two structures first differ; what only one of two dicts has is no difference.

    A later version of what wrote them may name more, or less.

    Args:
        before: Nested dicts, lists, strings, numbers and None, as it was.
        now: As it is.
        aside: Keys that are not looked at.
        tolerance: Up to which share of the larger two numbers are the same: another processor rounds otherwise.

    Returns:
        Where, and what it was and is; "" where there is no difference.

    Example:

    >>> layer = {"class_name": "Dense", "config": {"name": "out", "units": 3}}
    >>> first_difference([layer], [{**layer, "config": {"name": "out", "units": 4}}])
    'out, units: 3 before, 4 now'
    >>> first_difference({"classes": ["ant", "bee"]}, {"classes": ["ant", "wasp"]})
    "classes: 'bee' before, 'wasp' now"
    """
    return next(_differences([], before, now, aside, tolerance), "")


def _differences(where, before, now, aside, tolerance):
    if isinstance(before, dict) and isinstance(now, dict):
        inner = now.get("config")
        own = [inner["name"]] if isinstance(inner, dict) and isinstance(inner.get("name"), str) else []
        for key, value in before.items():
            if key in now and key not in aside:
                deeper = [*where, *own, *([] if key in _STRUCTURE else [key])]
                yield from _differences(deeper, value, now[key], aside, tolerance)
    elif isinstance(before, list | tuple) and isinstance(now, list | tuple):
        if all(isinstance(value, str) for value in (*before, *now)) and set(before) != set(now):
            yield _told(where, _only(before, set(now)), _only(now, set(before)))
        for number, (one, other) in enumerate(zip(before, now, strict=False), 1):
            plain = not isinstance(one, dict | list | tuple)
            yield from _differences([*where, *([f"number {number}"] if plain else [])], one, other, aside, tolerance)
        if len(before) != len(now):
            yield _told(where, f"{len(before)} of them", f"{len(now)}")
    elif not _same(before, now, tolerance):
        yield _told(where, _shown(before), _shown(now))


def _only(words, others):
    return ", ".join([_shown(word) for word in words if word not in others][:3]) or "nothing else"


def _same(before, now, tolerance):
    if isinstance(before, float) or isinstance(now, float):
        if isinstance(before, int | float) and isinstance(now, int | float):
            return math.isclose(before, now, rel_tol=tolerance)
    return type(before) is type(now) and before == now


def _told(where, before, now):
    return f"{', '.join(where) or 'all of it'}: {before} before, {now} now"


def _shown(value):
    text = repr(value)
    return text if len(text) < 80 else f"{text[:60]}..."
