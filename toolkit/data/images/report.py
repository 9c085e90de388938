"""What a training would find in images: counts of classes, pixels, copies, what is left out, what looks wrong."""

import dataclasses

import numpy as np

from toolkit.data.images.copies import MANY, digests, told
from toolkit.data.images.labelled import SPLITS, Images
from toolkit.data.report import Report
from toolkit.files.names import printable

_LISTED = 20  # classes; of more, only the largest and the smallest are told
_UNEVEN = 5.0  # the largest class to the smallest
_BLANK = 0.01  # share of a split's images that are of one colour
_EXAMPLES = 8  # images of a class


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in images.

    Args:
        report: Its numbers and verdict.
        counts: By split, the number of examples of each class.
        class_names: The classes, in the order of their labels.
        examples: By class, some of its training images, uint8 (images, image_size, image_size, channels).
    """

    report: Report
    counts: dict[str, np.ndarray]
    class_names: tuple[str, ...]
    examples: dict[str, np.ndarray]


def examine(images: Images, *, batch_size: int, num_sampled: int = 4000) -> Findings:
    """Says what a training would find in images.

    Args:
        images: What `labelled.load` returned.
        batch_size: Images in a batch.
        num_sampled: Images of each split that are looked at, evenly spaced over it; all training images where they
            are in memory.

    Returns:
        What was found.

    Example:

    >>> from toolkit.data.images.labelled import load
    >>> found = examine(load("embedded", image_size=8, batch_size=32, channels=1), batch_size=32)
    >>> found.report.sections["images"]["images"], found.report.refusal
    ({'train': 1259, 'validation': 179, 'test': 359}, '')
    """
    counts = images.counts
    numbers = {split: int(counts[split].sum()) for split in SPLITS}
    # A copy is only found where both are looked at; what is in memory is looked at in no time.
    everything = images.parts["train"].store.in_memory
    sampled = {"train": numbers["train"] if everything else num_sampled}
    looked = {split: _looked_at(images, split, sampled.get(split, num_sampled)) for split in SPLITS}
    seen = set(looked["train"].digests)
    copies = {split: sum(digest in seen for digest in looked[split].digests) for split in SPLITS[1:]}
    copies = {split: copies[split] / len(looked[split].digests) for split in copies}
    blank = {split: float(np.mean(looked[split].blank)) for split in SPLITS}
    sections = _sections(images, batch_size, looked, copies, blank)
    refusal = ""
    if len(seen) == 1 and numbers["train"] > 1:
        refusal = "All training images are the same: look at the files that --data names."
    report = Report(
        sections,
        size=f"{numbers['train']} images of {len(images.class_names)} classes to train on",
        changes=list(_advised(images, counts, copies, blank)),
        refusal=refusal,
    )
    return Findings(report, counts, images.class_names, _examples(images))


@dataclasses.dataclass(frozen=True)
class _Looked:
    digests: list[bytes]
    blank: list[bool]


def _sections(images, batch_size, looked, copies, blank):
    counts = images.counts
    mean, scale = images.statistics()
    channels = ("red", "green", "blue") if len(mean) == 3 else ("grey",)
    order = np.argsort(-counts["train"], kind="stable")
    largest, smallest = order[0], order[-1]
    return {
        "images": {
            "images": {split: int(counts[split].sum()) for split in SPLITS},
            "looked_at": {split: len(looked[split].digests) for split in SPLITS},
            "copies_of_training_images_%": {split: 100 * share for split, share in copies.items()},
            "of_one_colour_%": {split: 100 * share for split, share in blank.items()},
            "left_out_because_damaged": len(images.skipped),
            "left_out_because_no_images": len(images.left_out),
            "classes": len(images.class_names),
            "largest_class_to_smallest": float(counts["train"][largest] / counts["train"][smallest]),
        },
        "images_of_each_class": {
            images.class_names[label]: {split: int(counts[split][label]) for split in SPLITS}
            for label in (range(len(order)) if len(order) <= _LISTED else (largest, smallest))
        },
        "training_pixels_0_to_255": {
            "mean": dict(zip(channels, mean.tolist(), strict=True)),
            "scale": dict(zip(channels, scale.tolist(), strict=True)),
        },
        "batches": {
            "size": f"{images.image_size} x {images.image_size} x {len(mean)}",
            "images_in_a_batch": batch_size,
            "steps_in_an_epoch": images.splits.train.steps_per_epoch,
        },
    }


def _looked_at(images, split, num_sampled):
    found = _Looked([], [])
    for pixels, _ in images.blocks(split, num_sampled):
        for digest in digests(pixels):
            found.blank.append(digest is None)
            found.digests.append(digest or b"%s %d" % (split.encode(), len(found.digests)))
    return found


def _advised(images, counts, copies, blank):
    names, train = images.class_names, counts["train"]
    if images.skipped:
        yield f"{len(images.skipped)} files are left out, such as: {images.skipped[0]}. Mend or remove them."
    if images.left_out:
        yield printable(f"Files or folders that are not read: {len(images.left_out)}, such as {images.left_out[0]}.")
    if train.max() > _UNEVEN * train.min():
        yield (
            f"The class {names[train.argmax()]} has {train.max()} training images, {names[train.argmin()]} has "
            f"{train.min()}: the rare ones will be taken for the frequent ones. Add images of the rare ones."
        )
    for split in SPLITS[1:]:
        absent = [name for name, count in zip(names, counts[split], strict=True) if not count]
        if absent:
            more = f" and {len(absent) - 1} other classes" if len(absent) > 1 else ""
            yield f"No {split} image of {absent[0]}{more}: a larger --held_out, or more images."
        if copies[split] > MANY:
            yield told(split, copies[split])
    for split in SPLITS:
        if blank[split] > _BLANK:
            yield f"{100 * blank[split]:.0f} % of the {split} images are of one colour: look at the files."


def _examples(images):
    part, examples = images.parts["train"], {}
    for label, name in enumerate(images.class_names[:_LISTED]):
        mine = np.flatnonzero(part.labels == label)
        chosen = mine[np.linspace(0, len(mine) - 1, min(_EXAMPLES, len(mine))).round().astype(int)]
        examples[name] = images.cut(part.store.read(chosen))
    return examples
