"""What a training would find in images with masks: counts, sizes, what is ignored, absent, copied, left out."""

import dataclasses

import numpy as np

from toolkit.data import threads
from toolkit.data.images.copies import MANY, digests, told
from toolkit.data.masks.loading import SPLITS, Masks, spread
from toolkit.data.report import Report
from toolkit.files.names import printable

_LISTED = 40  # classes; of more, only the largest and the smallest are told
_UNEVEN = 100.0  # pixels of the largest class to those of the smallest
_IGNORED = 0.5  # share of pixels
_EXAMPLES = 8


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in images with masks.

    Args:
        report: Its numbers and verdict.
        counts: By split, the pixels of each class.
        class_names: The classes, in the order of their labels.
        examples: Some training images with their masks, each uint8 (height, width, 3) and uint8 (height, width), 255
            where ignored.
    """

    report: Report
    counts: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    examples: list[tuple[np.ndarray, np.ndarray]]


def examine(masks: Masks, *, batch_size: int, num_sampled: int = 2000) -> Findings:
    """Says what a training would find in images with masks.

    Args:
        masks: What `loading.load` returned.
        batch_size: Images in a batch.
        num_sampled: Images of each split that are looked at for copies, evenly spaced over it; all training images
            where they are in memory. Of the masks all are counted.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.masks.loading import load
    >>> found = examine(load("embedded:24", batch_size=4), batch_size=4)
    >>> found.report.sections["images"]["images"], found.report.refusal
    ({'train': 20, 'validation': 2, 'test': 2}, '')
    """
    counts = masks.counts
    copies = _copies(masks, num_sampled)
    ignored = {split: float(part.num_pixels[-1] / part.num_pixels.sum()) for split, part in masks.parts.items()}
    train = counts["train"]
    refusal = ""
    if np.count_nonzero(train) < 2:
        there = masks.class_names[train.argmax()] if train.any() else "none"
        refusal = f"The training masks have pixels of one class only ({there}), and nothing could be learned."
    report = Report(
        _sections(masks, batch_size, copies, ignored),
        size=f"{len(masks.parts['train'])} images with masks of {len(masks.class_names)} classes to train on",
        changes=list(_advised(masks, copies, ignored)),
        refusal=refusal,
    )
    return Findings(report, counts, masks.class_names, list(masks.examples("train", _EXAMPLES)))


def _copies(masks, num_sampled):
    """The share of the other parts' images that are training images too."""
    train = masks.parts["train"]
    seen = set(_digests(train, None if train.in_memory else num_sampled)) - {None}
    found = {}
    for split in SPLITS[1:]:
        part = list(_digests(masks.parts[split], num_sampled))
        found[split] = sum(digest in seen for digest in part) / len(part)
    return found


def _digests(part, num_images):
    for pixels in threads.each(part.__getitem__, spread(len(part), num_images)):
        yield digests(pixels[None, ..., :3])[0]


def _sections(masks, batch_size, copies, ignored):
    counts, (mean, scale) = masks.counts, masks.statistics()
    total = {split: max(1, int(counts[split].sum())) for split in SPLITS}
    order = np.argsort(-counts["train"], kind="stable")
    sizes = {split: masks.parts[split].sizes for split in SPLITS}
    present = counts["train"][counts["train"] > 0]
    return {
        "images": {
            "images": {split: len(masks.parts[split]) for split in SPLITS},
            "smallest": {split: _shown(sizes[split].min(axis=0)) for split in SPLITS},
            "largest": {split: _shown(sizes[split].max(axis=0)) for split in SPLITS},
            "ignored_pixels_%": {split: 100 * share for split, share in ignored.items()},
            "classes_absent": {split: int(np.count_nonzero(counts[split] == 0)) for split in SPLITS},
            "copies_of_training_images_%": {split: 100 * share for split, share in copies.items()},
            "left_out_because_damaged": len(masks.skipped),
            "left_out_because_no_pair": len(masks.left_out),
            "classes": len(masks.class_names),
            "largest_class_to_smallest": float(present.max() / present.min()) if len(present) else None,
        },
        "pixels_of_each_class_%": {
            masks.class_names[label]: {split: 100 * float(counts[split][label] / total[split]) for split in SPLITS}
            for label in (range(len(order)) if len(order) <= _LISTED else (order[0], order[-1]))
        },
        "training_pixels_0_to_255": {
            "mean": dict(zip(("red", "green", "blue"), mean.tolist(), strict=True)),
            "scale": dict(zip(("red", "green", "blue"), scale.tolist(), strict=True)),
        },
        "batches": {
            "size": _shown(masks.crop_size),
            "images_in_a_batch": batch_size,
            "steps_in_an_epoch": masks.splits.train.steps_per_epoch,
        },
    }


def _shown(size):
    height, width = map(int, size)
    return f"{height} x {width}"


def _advised(masks, copies, ignored):
    names, counts = masks.class_names, masks.counts
    if masks.skipped:
        yield f"{len(masks.skipped)} images are left out, such as: {masks.skipped[0]}. Mend or remove them."
    if masks.left_out:
        yield printable(f"Files or folders that are not read: {len(masks.left_out)}, such as {masks.left_out[0]}.")
    for split in SPLITS:
        absent = [name for name, count in zip(names, counts[split], strict=True) if not count]
        if absent:
            more = f" and {len(absent) - 1} other classes" if len(absent) > 1 else ""
            yield f"No {split} pixel of {absent[0]}{more}: its figures will have no value for that."
        if ignored[split] > _IGNORED:
            yield f"{100 * ignored[split]:.0f} % of the {split} pixels are ignored: is --ignored right?"
        if copies.get(split, 0) > MANY:
            yield told(split, copies[split])
    train = counts["train"]
    present = np.flatnonzero(train)
    if len(present) and train.max() > _UNEVEN * train[present].min():
        rare = present[train[present].argmin()]
        yield (
            f"{names[train.argmax()]} has {train.max() / train[rare]:.0f} times as many training pixels as "
            f"{names[rare]}: weigh the classes, or the rare ones will not be found."
        )
