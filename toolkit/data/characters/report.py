"""What a training would find in drawn characters: classes, drawings of each, copies, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.characters.loading import CharacterParts
from toolkit.data.images.copies import MANY, digests
from toolkit.data.report import Report

_FEW = 20  # test classes; an episode of the papers has so many
_BLANK = 0.01  # share of a part's drawings that are of one colour
_EXAMPLES = 8  # drawings of a class


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in drawn characters.

    Args:
        report: Its numbers and verdict.
        examples: By class, some of its training drawings, uint8 (drawings, image_size, image_size, 1).
    """

    report: Report
    examples: dict[str, np.ndarray]


def examine(characters: CharacterParts, *, batch_size: int) -> Findings:
    """Says what a training would find in drawn characters.

    Args:
        characters: What `load` returned.
        batch_size: Drawings in a batch.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.characters import load
    >>> found = examine(load("embedded:glyphs:50", image_size=20, rotations=False), batch_size=32)
    >>> found.report.sections["characters"]["classes"]
    {'train': 40, 'validation': 5, 'test': 5}
    """
    parts = characters.parts
    each = {part: np.bincount(own.labels) for part, own in parts.items()}
    found = {part: digests(own.images) for part, own in parts.items()}
    blank = {part: float(np.mean([digest is None for digest in own])) for part, own in found.items()}
    seen = set(found["train"]) - {None}
    # A class is in one part only, so a copy is a drawing of one character that bears another's name.
    copies = {part: float(np.mean([digest in seen for digest in found[part]])) for part in ("validation", "test")}
    dark = {part: float(np.mean(own.images < 128)) for part, own in parts.items()}
    number, side = len(parts["train"].labels), parts["train"].images.shape[1]
    sections = {
        "characters": {
            "classes": {part: len(counts) for part, counts in each.items()},
            "drawings": {part: int(counts.sum()) for part, counts in each.items()},
            "fewest_drawings_of_a_class": {part: int(counts.min()) for part, counts in each.items()},
            "most_drawings_of_a_class": {part: int(counts.max()) for part, counts in each.items()},
            "copies_of_training_drawings_%": {part: 100 * share for part, share in copies.items()},
            "of_one_colour_%": {part: 100 * share for part, share in blank.items()},
            "dark_pixels_%": {part: 100 * share for part, share in dark.items()},
            "alphabets_left_out": len(characters.left_out),
        },
        "batches": {
            "size": f"{side} x {side}",
            "drawings_in_a_batch": batch_size,
            "steps_in_an_epoch": characters.splits.train.steps_per_epoch,
        },
    }
    refusal = ""
    if len(seen) < 2:
        refusal = "All training drawings are the same: look at the files that --data names."
    size = f"{number} drawings of {len(each['train'])} classes to train on"
    changes = list(_advised(characters, each, copies, blank, dark))
    return Findings(Report(sections, size, changes, refusal), _examples(parts["train"]))


def _advised(characters, each, copies, blank, dark):
    names = characters.left_out
    if names:
        yield f"Left out of the test, being trained on: {', '.join(names[:5])}{' and others' if names[5:] else ''}."
    if len(each["test"]) < _FEW:
        yield f"{len(each['test'])} test classes: no episode of {_FEW}. A larger --held_out, or a larger second set."
    for part, share in copies.items():
        if share > MANY:
            yield (
                f"{100 * share:.0f} % of the {part} drawings are in the training part too, under another class's name: "
                "figures would say too much."
            )
    for part, share in blank.items():
        if share > _BLANK:
            yield f"{100 * share:.0f} % of the {part} drawings are of one colour: look at the files."
    for part, share in dark.items():
        if share > 0.5:
            yield f"Most pixels of the {part} drawings are dark: expected dark lines on white."


def _examples(part):
    return {
        name: part.images[part.labels == label][:_EXAMPLES] for label, name in enumerate(part.class_names[:_EXAMPLES])
    }
