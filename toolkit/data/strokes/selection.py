"""Which lines of handwriting a training takes: those within its limits and spelled with its alphabet."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

from toolkit.data.strokes.lines import Line

# Characters that the alphabet lacks in more texts than this part of them are no slips of a few writers.
FEW = 0.05


@dataclasses.dataclass(frozen=True)
class Selection:
    """What is taken of a split, what is left out, and why.

    Args:
        lines: The lines that were read.
        reasons: For each of them why it is left out: any of "outside_alphabet", "too_many_points",
            "too_many_characters" and "too_few_points"; none where it is taken.
        notes: A sentence for each kind that is left out.
        refusal: Why no training can begin; "" where one can.
    """

    lines: list[Line]
    reasons: list[tuple[str, ...]]
    notes: list[str]
    refusal: str

    @property
    def kept(self) -> list[Line]:
        """The lines that are taken."""
        return [line for line, why in zip(self.lines, self.reasons, strict=True) if not why]


def select(
    lines: Sequence[Line],
    name: str,
    source: str,
    *,
    alphabet: str | None,
    max_points: int,
    max_characters: int,
    points_per_label: int = 0,
) -> Selection:
    """Decides which lines of a split are taken.

    Args:
        lines: The split's lines.
        name: The split's name, for messages.
        source: Where they come from, for messages.
        alphabet: Every character that a text may have; None: texts are of no matter.
        max_points: The points of the longest line to take.
        max_characters: The characters of the longest text to take.
        points_per_label: Points that a network trained with CTC takes for each label it may give: a line whose points
            cannot spell its text is left out. 0: no matter.

    Returns:
        `Selection`.

    Example:

    >>> import numpy as np
    >>> lines = [Line(np.zeros((5, 3)), "ab"), Line(np.zeros((7, 3)), "a!"), Line(np.zeros((5, 3)), "b")]
    >>> select(lines, "train", "npy:x", alphabet="ab!", max_points=6, max_characters=9).reasons
    [(), ('too_many_points',), ()]
    """
    known, spelled = set(alphabet or ""), alphabet is not None
    reasons = []
    for line in lines:
        found = {
            "outside_alphabet": spelled and not known.issuperset(line.text),
            "too_many_points": len(line.offsets) > max_points,
            "too_many_characters": spelled and len(line.text) > max_characters,
            "too_few_points": spelled
            and points_per_label > 0
            and labels_of(line.text) > math.ceil(len(line.offsets) / points_per_label),
        }
        reasons.append(tuple(reason for reason, holds in found.items() if holds))
    notes, refusal = [], ""
    strange = [line for line, why in zip(lines, reasons, strict=True) if "outside_alphabet" in why]
    if strange:
        characters = "".join(sorted(set("".join(line.text for line in strange)) - known))
        counted = f"{len(strange)} of {len(lines)} {name}"
        found = f"characters outside --alphabet, such as {strange[0].text!r}: {characters!r}"
        if len(strange) > FEW * len(lines):
            refusal = (
                f"--data={source}: {counted} texts have {found}. Add them to --alphabet, or leave these lines out."
            )
        notes.append(f"{source}: {counted} lines left out: {found}.")
    short = [line for line, why in zip(lines, reasons, strict=True) if "too_few_points" in why]
    if short:
        notes.append(
            f"{source}: {len(short)} of {len(lines)} {name} lines left out: too few points for what is written, such "
            f"as {short[0].name or repr(short[0].text[:40])}: {len(short[0].offsets)} points for {len(short[0].text)} "
            f"characters, of which each takes {points_per_label}, and as many between two that are alike."
        )
    total, kept = len(lines) - len(strange), reasons.count(())
    if not kept and not refusal:
        refusal = (
            f"--data={source}: no line left for {name}: of {total} that were there, none has at most "
            f"--max_points={max_points}"
            + (f" and a text of at most {max_characters} characters" if spelled else " points")
            + (" that its points can spell." if short else ".")
        )
    long = sum("outside_alphabet" not in why and any(kind.startswith("too_many") for kind in why) for why in reasons)
    if long:
        notes.append(f"{source}: {long} of {total} {name} lines left out: too long.")
    return Selection(list(lines), reasons, notes, refusal)


def labels_of(text: str) -> int:
    """Counts the labels that spell a text with CTC: its characters, and a blank between each two that are alike.

    Args:
        text: The text.

    Example:

    >>> labels_of("ABBB")
    6

    Reference: Graves et al. 2006, section 3.1.
    """
    return len(text) + sum(one == two for one, two in itertools.pairwise(text))


def longest_line(lines: Sequence[Line], writer: str, source: str, *, alphabet: str) -> Line:
    """Finds the line that shows most of a writer's hand.

    Args:
        lines: Lines by several writers.
        writer: The writer's name.
        source: Where they come from, for the message.
        alphabet: Every character that its text may have.

    Returns:
        The line of the longest text.

    Raises:
        ValueError: Where no line is by that writer; those there are are named.

    Example:

    >>> import numpy as np
    >>> lines = [Line(np.zeros((5, 3)), "ab", "Ann"), Line(np.zeros((5, 3)), "abc", "Ann")]
    >>> longest_line(lines, "Ann", "npy:x", alphabet="abc").text
    'abc'
    """
    own = [line for line in lines if line.writer == writer and set(line.text) <= set(alphabet)]
    if not own:
        names = sorted({line.writer for line in lines})
        raise ValueError(f"--style={writer}: expected a writer of {source}: {', '.join(names)}.")
    return max(own, key=lambda line: len(line.text))
