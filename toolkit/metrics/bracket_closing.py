"""Whether what a text opens it also closes: a check of memory over long distances."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

PAIRS = {"(": ")", "[": "]", "{": "}"}
QUOTES = '"'
DISTANCES = (5, 10, 20, 30, 50, 80, 120, 200, 300, 500)
# Straight single quotes are left out: most are apostrophes.


def opened(text: str) -> list[tuple[int, int | None]]:
    """Where each bracket or quote is opened, and how many characters later it is closed.

    A bracket is closed by the first of its kind after it that no bracket opened between them claims; a double quote by
    the next one, in the same paragraph.

    Args:
        text: The text.

    Returns:
        (place, distance) of each, in the order of the text; distance is None for one that is never closed.

    Example:

    >>> opened("f(a[1]) (b")
    [(1, 5), (3, 2), (8, None)]
    """
    found = {}
    for left, right in PAIRS.items():
        waiting = []
        for match in re.finditer(f"[{re.escape(left + right)}]", text):
            if match.group() == left:
                found[match.start()] = None
                waiting.append(match.start())
            elif waiting:
                start = waiting.pop()
                found[start] = match.start() - start
    for paragraph in re.finditer(r"(?:(?!\n\n)[\s\S])+", text):
        places = [paragraph.start() + match.start() for match in re.finditer(QUOTES, paragraph.group())]
        for start, end in zip(places[::2], [*places[1::2], None], strict=False):
            found[start] = None if end is None else end - start
    return sorted(found.items())


def closing_curve(texts: Sequence[str], distances: Sequence[int]) -> list[tuple[int, float]]:
    """The share of brackets and quotes that are closed within a distance.

    One that is opened so late that the text ends before that distance is not counted there: the text had no chance.

    Args:
        texts: Texts.
        distances: Distances in characters.

    Returns:
        (distance, share) for each distance at which there is something to count.

    Example:

    >>> closing_curve(["(ab) (abcdef) x"], [3, 7])
    [(3, 0.5), (7, 1.0)]
    """
    # (distance to the closing, characters that were left)
    seen = [(gap, len(text) - place - 1) for text in texts for place, gap in opened(text)]
    curve = []
    for distance in distances:
        counted = [gap for gap, left in seen if left >= distance]
        if counted:
            curve.append((distance, sum(gap is not None and gap <= distance for gap in counted) / len(counted)))
    return curve


def beside_chance(
    real: str, written: Sequence[str], distances: Sequence[int] = DISTANCES
) -> dict[str, list[tuple[int, float]]]:
    """The curves of real text, of what a network wrote, and of chance: the real text's characters shuffled.

    Args:
        real: Real text.
        written: Texts of the network.
        distances: Distances in characters.

    Returns:
        "test text", "written" and, where it opens something, "test text, shuffled"; nothing at all where one of the
        first two opens nothing.

    Example:

    >>> sorted(beside_chance("(ab) x (c)", ["(ab x"], [2]))
    ['test text', 'test text, shuffled', 'written']
    >>> beside_chance("(ab) x", ["nothing"])
    {}
    """
    shuffled = "".join(np.random.default_rng(0).permutation(list(real)))
    texts = {"test text": [real], "written": written, "test text, shuffled": [shuffled]}
    curves = {name: closing_curve(each, distances) for name, each in texts.items()}
    return {name: curve for name, curve in curves.items() if curve} if curves["test text"] and curves["written"] else {}


def closed_within(curves: Mapping[str, Sequence[tuple[int, float]]], distance: int = 200) -> dict[str, float]:
    """One number of each curve, by a name for a table.

    Args:
        curves: As `beside_chance` returns them.
        distance: In characters.

    Returns:
        Name_closed_within_DISTANCE_characters and the share, of each curve that goes as far.

    Example:

    >>> closed_within({"test text, shuffled": [(200, 0.5)], "short": [(5, 0.1)]})
    {'test_text_shuffled_closed_within_200_characters': 0.5}
    """
    shares = {name.replace(",", "").replace(" ", "_"): dict(curve).get(distance) for name, curve in curves.items()}
    return {f"{key}_closed_within_{distance}_characters": share for key, share in shares.items() if share is not None}
