"""Where translations come from: --data=READER:REST."""

import pathlib
import re

import numpy as np

from toolkit.data.translation.embedded import PARTS, Pair, invented, mapping
from toolkit.files import text

_SENTENCES, _WORDS = 4000, 1000
_FEWEST, _MOST = 20, 1_000_000  # pairs
_FEWEST_WORDS, _MOST_WORDS = 40, 10_000


def _embedded(rest, *, seed, **_):
    found = re.fullmatch("(mapping)?(?:(?:^|:)([0-9]{1,9}))?(?::([0-9]{1,9}))?", rest)
    sentences, words = (int((found and found[group]) or usual) for group, usual in ((2, _SENTENCES), (3, _WORDS)))
    is_mapping = bool(found and found[1])
    if (
        not found
        or not _FEWEST <= sentences <= _MOST
        or not _FEWEST_WORDS <= words <= _MOST_WORDS
        or (found[3] and (is_mapping or not found[2]))
    ):
        raise ValueError(
            f"--data=embedded:{rest[:60]}: expected embedded[:SENTENCES[:WORDS]] or embedded:mapping[:SEQUENCES], of "
            f"{_FEWEST} to {_MOST:,}, and {_FEWEST_WORDS} to {_MOST_WORDS:,} words."
        )
    return mapping(sentences, seed) if is_mapping else invented(sentences, seed, words)


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
