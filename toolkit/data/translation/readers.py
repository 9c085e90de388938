"""Where translations come from: --data=READER:REST."""

import pathlib
import re

import numpy as np

from toolkit.data.translation.embedded import PARTS, Pair, invented, mapping
from toolkit.files import text

_MADE = {"": (4000, invented), "mapping": (4000, mapping)}
_FEWEST, _MOST = 20, 1_000_000  # pairs


def _embedded(rest, *, seed, **_):
    found = re.fullmatch("(mapping)?:?([0-9]{1,9})?", rest)
    name, number = (found[1] or "", found[2]) if found else ("", None)
    usual, make = _MADE[name]
    number = int(number) if number else usual
    if not found or rest.endswith(":") or not _FEWEST <= number <= _MOST:
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded[:SENTENCES] or embedded:mapping[:SEQUENCES], of {_FEWEST} "
            f"to {_MOST:,}."
        )
    return make(number, seed)


def _tsv(rest, *, max_words, held_out, seed):
    if not rest:
        raise FileNotFoundError("--data=tsv: expected tsv:FILE, a sentence and its translation in each line.")
    pairs = []
    for number, line in enumerate(text.read(rest, "pairs of sentences").split("\n"), 1):
        if not line.strip():
            continue
        sides = [" ".join(re.findall(r"\w+|[^\w\s]", side.lower())) for side in line.split("\t")[:2]]
        if len(sides) < 2 or not all(sides):
            raise ValueError(
                f"{rest}, line {number}: expected a sentence, a tab and its translation; got {line[:60]!r}."
            )
        if max(len(side.split()) for side in sides) <= max_words:
            pairs.append(Pair(*sides))
    if not _FEWEST <= len(pairs) <= _MOST:
        raise ValueError(
            f"{rest}: expected {_FEWEST} to {_MOST:,} pairs of at most {max_words} words; got {len(pairs)}."
        )
    held = max(2, round(held_out * len(pairs)))
    order = np.random.default_rng([33, seed]).permutation(len(pairs))
    ends = np.cumsum([max(1, (len(pairs) - held) // 20), held // 2, held - held // 2])
    cut = dict(zip(("validation", "context", "test", "train"), np.split(order, ends), strict=True))
    return {part: [pairs[place] for place in cut[part]] for part in PARTS}


READERS = {"embedded": _embedded, "tsv": _tsv}


def sniff(path: pathlib.Path) -> str | None:
    """Tells from a path which reader is for it.

    Args:
        path: Of something that exists.

    Returns:
        "tsv" or None.
    """
    return "tsv" if path.suffix.lower() in (".tsv", ".txt") and path.is_file() else None
