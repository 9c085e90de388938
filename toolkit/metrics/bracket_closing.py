"""Whether what a text opens it also closes: a check of memory over long distances."""

import re
from collections.abc import Sequence

PAIRS = {"(": ")", "[": "]", "{": "}"}
QUOTES = '"'
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
