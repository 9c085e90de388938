"""What a training would find in handwriting: counts, lengths, characters, what is left out, what looks wrong."""

import collections
import dataclasses
import math
import shlex
import time

import numpy as np

from toolkit.data.plans import bucketed_plan
from toolkit.data.report import Report
from toolkit.data.strokes import suspicion
from toolkit.data.strokes.lines import ALPHABET
from toolkit.data.strokes.loading import SPLITS, read
from toolkit.data.strokes.selection import FEW, Selection, select

_KEPT = 0.99  # of each split's lines, by the limits that are advised
_REASONS = ("too_many_points", "too_many_characters", "outside_alphabet")


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in handwriting.

    Args:
        report: Its numbers and verdict.
        drawings: By the picture's name, (offsets, title) of lines to look at: the first ones of each split, the longest
            and the shortest, and what looks wrong where something does.
        points: Each line's number of points, by split.
        characters: Each text's number of characters, by split; empty without text.
        alphabet: How often each character is in the training lines that are taken; empty without text.
    """

    report: Report
    drawings: dict[str, list[tuple[np.ndarray, str]]]
    points: dict[str, np.ndarray]
    characters: dict[str, np.ndarray]
    alphabet: dict[str, int]


def examine(
    source: str,
    *,
    batch_size: int,
    seed: int,
    text: bool,
    alphabet: str = ALPHABET,
    max_points: int = 600,
    max_characters: int = 64,
    spacing: float = 0.0,
    points_per_character: float = 0.0,
    points_per_label: int = 0,
    skip_corrupt: bool = False,
    num_drawings: int = 6,
) -> Findings:
    """Reads handwriting as `load` does, and says what a training would find in it.

    Args:
        source, batch_size, seed, text, alphabet, max_points, max_characters, spacing: As in `load`.
        points_per_character, points_per_label, skip_corrupt: As in `load`.
        num_drawings: Lines in a picture.

    Returns:
        `Findings`, also where `load` would leave nothing.

    Raises:
        ValueError: Where the source is unknown or holds something else than said; file and line are named.
        FileNotFoundError: Where a path does not exist or a folder holds nothing to read.

    Example:

    >>> found = examine("embedded:60", batch_size=8, seed=0, text=True)
    >>> found.report.sections["lines"]["read"]
    {'train': 54, 'validation': 3, 'test': 3}
    """
    start = time.perf_counter()
    distances = {"spacing": spacing, "points_per_character": points_per_character}
    read_parts = read(source, seed=seed, text=text, **distances, skip_corrupt=skip_corrupt)
    parts = dict(zip(SPLITS, read_parts, strict=True))
    seconds = time.perf_counter() - start
    limits = {"alphabet": alphabet if text else None, "max_points": max_points, "max_characters": max_characters}
    limits["points_per_label"] = points_per_label
    selected = {name: select(lines, name, source, **limits) for name, lines in parts.items()}

    suspicious = _each(suspicion.suspicious, parts)
    kept = _each(lambda selection: selection.kept, selected)
    counts = collections.Counter("".join(line.text for line in kept["train"])) if text else {}
    sections = _sections(parts, selected, kept, suspicious, batch_size, seed, text)
    if text:
        sections["alphabet_of_kept_train_lines"] = _alphabet(counts, parts, alphabet)
    sections["reading"] = _speed(parts, seconds)
    batches = sections["batches_of_kept_lines"]["batches"]["train"]
    report = Report(
        sections,
        size=f"{len(kept['train'])} lines for training, {batches} batches of up to {batch_size} an epoch",
        changes=[
            *_advised_limits(parts, selected, max_points, max_characters),
            *(_advised_alphabet(parts, alphabet) if text else ()),
            *_advised_looks(suspicious, sections["suspicious_lines"]),
        ],
        refusal=next((selection.refusal for selection in selected.values() if selection.refusal), ""),
    )
    return Findings(
        report,
        drawings=_drawings(selected, suspicious, num_drawings),
        points=_each(_points, parts),
        characters=_each(_characters, parts) if text else {},
        alphabet=dict(counts),
    )


def _each(function, parts):
    return {name: function(lines) for name, lines in parts.items()}


def _sections(parts, selected, kept, suspicious, batch_size, seed, text):
    return {
        "lines": _counts(parts, selected, kept, text),
        "points_per_line": _quantiles(_each(_points, parts)),
        **({"characters_per_text": _quantiles(_each(_characters, parts))} if text else {}),
        "pen_of_kept_lines": _pen(kept, text),
        "batches_of_kept_lines": _batches(kept, batch_size, seed, text),
        "suspicious_lines": {
            **{name: {part: len(found[name]) for part, found in suspicious.items()} for name in suspicious["train"]},
            **suspicion.copies(parts, text),
        },
    }


def _counts(parts, selected, kept, text):
    found = {
        "read": {name: len(lines) for name, lines in parts.items()},
        "kept": {name: len(lines) for name, lines in kept.items()},
        "left_out": {name: len(parts[name]) - len(kept[name]) for name in SPLITS},
    }
    for reason in _REASONS[: 1 + 2 * text]:
        found[reason] = {name: _count(selection, reason) for name, selection in selected.items()}
    short = {name: _count(selection, "too_few_points") for name, selection in selected.items()}
    return {**found, **({"too_few_points": short} if any(short.values()) else {})}


def _speed(parts, seconds):
    return {
        "seconds": seconds,
        "lines_per_second": sum(map(len, parts.values())) / seconds,
        "megabytes": sum(line.offsets.nbytes for lines in parts.values() for line in lines) / 1e6,
    }


def _points(lines):
    return np.array([len(line.offsets) for line in lines], int)


def _characters(lines):
    return np.array([len(line.text) for line in lines], int)


def _count(selection: Selection, reason):
    return sum(reason in why for why in selection.reasons)


def _quantiles(lengths):
    functions = {
        "shortest": lambda values: int(values.min()),
        "median": lambda values: float(np.median(values)),
        "95th_percentile": lambda values: float(np.percentile(values, 95)),
        "longest": lambda values: int(values.max()),
    }
    return {
        row: {name: function(values) if len(values) else None for name, values in lengths.items()}
        for row, function in functions.items()
    }


def _pen(kept, text):
    found = {}
    for name, lines in kept.items():
        # Sums, not one array: all points at once would be the largest array of a run.
        count, total = sum(len(line.offsets) for line in lines), len(lines)
        sums = sum((line.offsets[:, :2].sum(axis=0, dtype="float64") for line in lines), np.zeros(2))
        mean = sums / max(count, 1)
        squares = sum((((line.offsets[:, :2] - mean) ** 2).sum(axis=0) for line in lines), np.zeros(2))
        deviation = np.sqrt(squares / max(count, 1))
        found[name] = {
            "offset_x_mean": float(mean[0]),
            "offset_x_standard_deviation": float(deviation[0]),
            "offset_y_mean": float(mean[1]),
            "offset_y_standard_deviation": float(deviation[1]),
            "strokes_per_line": float(sum((line.offsets[:, 2] > 0.5).sum() for line in lines) / max(total, 1)),
        }
        if text:
            found[name]["points_per_character"] = count / max(1, sum(len(line.text) for line in lines))
        if not lines:
            found[name] = dict.fromkeys(found[name])
    return {row: {name: found[name][row] for name in kept} for row in found["train"]}


def _batches(kept, batch_size, seed, text):
    found = {}
    for name, lines in kept.items():
        found[name] = dict.fromkeys(("batches", "padding_percent", "largest_batch_megabytes"))
        if lines:
            points, characters = _points(lines), _characters(lines)
            plan = bucketed_plan(points, batch_size, seed=seed, shuffle=name == "train")(0)
            padded = [len(batch) * points[batch].max() for batch in plan]
            # A point is three float32 and a bool, a character an int32.
            sizes = [13 * padded[i] + text * 4 * len(b) * (1 + characters[b].max()) for i, b in enumerate(plan)]
            found[name] = {
                "batches": len(plan),
                "padding_percent": float(100 - 100 * points.sum() / sum(padded)),
                "largest_batch_megabytes": float(max(sizes) / 1e6),
            }
    return {row: {name: found[name][row] for name in kept} for row in found["train"]}


def _alphabet(counts, parts, alphabet):
    rare = sorted(counts.items(), key=lambda item: (item[1], item[0]))[:10]
    outside = _outside(parts, alphabet)
    return {
        "characters": sum(counts.values()),
        "different_characters": len(counts),
        "used": repr("".join(sorted(counts))),
        "rarest": ", ".join(f"{character!r} {count}" for character, count in rare),
        "never_used": repr("".join(sorted(set(alphabet) - set(counts)))),
        "outside_alphabet": ", ".join(f"{character!r} {count}" for character, count in outside.most_common()),
    }


def _outside(parts, alphabet):
    counts = collections.Counter("".join(line.text for lines in parts.values() for line in lines))
    return collections.Counter({character: counts[character] for character in counts if character not in alphabet})


def _advised_limits(parts, selected, max_points, max_characters):
    found = (
        ("max_points", max_points, "too_many_points", _points),
        ("max_characters", max_characters, "too_many_characters", _characters),
    )
    for flag, limit, reason, lengths in found:
        left_out = {name: _count(selection, reason) for name, selection in selected.items()}
        if any(count > FEW * len(parts[name]) for name, count in left_out.items()):
            longest = max(int(lengths(lines).max()) for lines in parts.values() if len(lines))
            needed = [np.quantile(lengths(lines), _KEPT, method="higher") for lines in parts.values() if len(lines)]
            most = min(longest, 10 * math.ceil(max(needed) / 10))
            yield (
                f"--{flag}={limit} leaves out {sum(left_out.values())} of {sum(map(len, parts.values()))} lines: "
                f"--{flag}={most} keeps "
                + ("all" if most == longest else f"{_KEPT:.0%} of each split, --{flag}={longest} all")
                + (", and so may --spacing, with fewer points a line." if flag == "max_points" else ".")
            )


def _advised_alphabet(parts, alphabet):
    strange = {
        name: sum(not set(alphabet).issuperset(line.text) for line in lines) for name, lines in parts.items() if lines
    }
    if not any(strange.values()):
        return
    outside = _outside(parts, alphabet)
    shown = "".join(sorted(character for character in outside if character.isprintable()))
    hidden = [f"U+{ord(character):04X}" for character in sorted(outside) if not character.isprintable()]
    if shown:
        yield (
            f"{sum(strange.values())} lines have characters that --alphabet lacks; to keep them: "
            f"--alphabet={shlex.quote(alphabet + shown)}"
        )
    if hidden:
        yield f"Take these characters, which do not show, out of the texts: {', '.join(hidden)}."


def _advised_looks(suspicious, counted):
    words = {
        "single_point": "have a single point",
        "no_movement": "have points that do not move",
        "jump_in_a_stroke": f"jump inside a stroke by over {suspicion.JUMP:g} times the median offset: points may be "
        "missing",
        "last_stroke_not_ended": "do not end with 1 in the third column, as a line's last stroke does",
    }
    for kind, what in words.items():
        lines = [line for found in suspicious.values() for line in found[kind]]
        if lines:
            yield f"{len(lines)} lines {what}; such as {_called(lines[0])}."
    leaked = sum(counted["copies_of_train"].values())
    if leaked:
        yield f"{leaked} validation or test lines are in the training lines too: what is measured there is too good."


def _called(line):
    return line.name or repr(line.text) or "one without a name"


def _drawings(selected, suspicious, num_drawings):
    def drawn(line, why=(), before=""):
        said = [*([line.text] if line.text else []), f"{len(line.offsets)} points"]
        said += [line.name] * bool(line.name) + [f"left out: {', '.join(why)}".replace("_", " ")] * bool(why)
        return line.offsets, before + "   ".join(said)

    found = {}
    for name, selection in selected.items():
        first = list(zip(selection.lines, selection.reasons, strict=True))[:num_drawings]
        if first:
            found[f"first_of_{name}"] = [drawn(*one) for one in first]
    both = [pair for one in selected.values() for pair in zip(one.lines, one.reasons, strict=True)]
    if both:
        both.sort(key=lambda pair: len(pair[0].offsets))
        found["longest_and_shortest"] = [
            drawn(*both[-1], before="longest: "),
            drawn(*both[0], before="shortest: "),
        ]
    strange = [
        drawn(line, before=f"{kind.replace('_', ' ')}: ")
        for kinds in zip(*(found.items() for found in suspicious.values()), strict=True)
        for kind, lines in kinds
        for line in lines
    ]
    if strange:
        found["suspicious"] = strange[:num_drawings]
    return found
