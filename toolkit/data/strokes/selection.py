"""Which lines of handwriting a training takes: those within its limits and spelled with its alphabet."""

import dataclasses
from collections.abc import Sequence

from toolkit.data.strokes.lines import Line

# Characters that the alphabet lacks in more texts than this part of them are no slips of a few writers.
FEW = 0.05


@dataclasses.dataclass(frozen=True)
class Selection:
    """What is taken of a split, what is left out, and why.

    Args:
        lines: The lines that were read.
        reasons: For each of them why it is left out: any of "outside_alphabet", "too_many_points" and
            "too_many_characters"; none where it is taken.
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
    lines: Sequence[Line], name: str, source: str, *, alphabet: str | None, max_points: int, max_characters: int
) -> Selection:
    """Decides which lines of a split are taken.

    Args:
        lines: The split's lines.
        name: The split's name, for messages.
        source: Where they come from, for messages.
        alphabet: Every character that a text may have; None: texts are of no matter.
        max_points: The points of the longest line to take.
        max_characters: The characters of the longest text to take.

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
    total, kept = len(lines) - len(strange), reasons.count(())
    if not kept and not refusal:
        refusal = (
            f"--data={source}: no line left for {name}: of {total} that were there, none has at most "
            f"--max_points={max_points}"
            + (f" and a text of at most {max_characters} characters." if spelled else " points.")
        )
    if kept < total:
        notes.append(f"{source}: {total - kept} of {total} {name} lines left out: too long.")
    return Selection(list(lines), reasons, notes, refusal)


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
