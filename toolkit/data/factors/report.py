"""What a training would find in images of known factors: how many there are, and which factors can be seen."""

import dataclasses

import numpy as np

from toolkit.data.factors.loading import Factors
from toolkit.data.report import Report

_BLANK = 0.01  # share of images that are of one colour
_UNSEEN = 0.5  # share of changes of a factor by one value that change no pixel
_SHOWN = 11  # values of a factor that are drawn


@dataclasses.dataclass(frozen=True)
class Findings:
    """What was found in images of known factors.

    Args:
        report: Its numbers and verdict.
        moved: By factor, images in which that factor alone goes through its values, uint8 (values, height, width,
            channels).
    """

    report: Report
    moved: dict[str, np.ndarray]


def examine(factors: Factors, *, batch_size: int, num_sampled: int = 2000, seed: int = 0) -> Findings:
    """Says what a training would find in images of known factors.

    Args:
        factors: What `load` returned.
        batch_size: Images in a batch.
        num_sampled: Combinations that are looked at, drawn at random; of each factor as many, divided by the factors,
            are looked at again with the factor changed by one value.
        seed: Of what is drawn.

    Returns:
        What was found: above all the share of the changes of each factor that change no pixel, since no code can say
        of those what they were.

    Example:

    >>> from toolkit.data.factors.loading import load
    >>> found = examine(load("embedded:sprites:3x2x4x4x4", batch_size=32), batch_size=32)
    >>> found.report.sections["factors"]["values"]
    {'shape': 3, 'scale': 2, 'orientation': 4, 'x': 4, 'y': 4}
    >>> found.moved["x"].shape
    (4, 64, 64, 1)
    """
    images, random = dataclasses.replace(factors.images, variant=None), np.random.default_rng(seed)
    names, sizes = images.factor_names, images.factor_sizes
    drawn = images.sample(num_sampled, random)
    # Of each combination its first image, so that what is no factor, such as which toy is seen, hides nothing.
    first = images.pixels(images.places[images.numbers(drawn), 0])
    unseen = {}
    for number, (name, size) in enumerate(zip(names, sizes, strict=True)):
        rows = slice(number, None, len(names))
        changed = drawn[rows].copy()
        changed[:, number] = (changed[:, number] + 1) % size
        other = images.pixels(images.places[images.numbers(changed), 0])
        unseen[name] = float(np.mean((other == first[rows]).all(axis=(1, 2, 3))))
    flat = first.reshape(len(first), -1)
    blank = float(np.mean(flat.min(axis=1) == flat.max(axis=1)))
    report = Report(
        _sections(factors, batch_size, first, unseen, blank),
        size=f"{len(images) * images.places.shape[1]} images of {len(names)} factors",
        changes=list(_advised(names, unseen, blank)),
        refusal="No factor changes a pixel: look at the file that --data names." if min(unseen.values()) == 1 else "",
    )
    return Findings(report, {name: _moved(images, number) for number, name in enumerate(names)})


def _sections(factors, batch_size, pixels, unseen, blank):
    images = factors.images
    train = factors.splits.train
    return {
        "images": {
            "combinations": {split: len(numbers) for split, numbers in factors.numbers.items()},
            "images_of_a_combination": images.places.shape[1],
            "of_one_colour_%": 100 * blank,
            "mean_of_pixels_0_to_255": float(pixels.mean()),
            "scale_of_pixels": float(pixels.std()),
        },
        "factors": {
            "values": dict(zip(images.factor_names, images.factor_sizes, strict=True)),
            "changes_that_are_not_seen_%": {name: 100 * share for name, share in unseen.items()},
        },
        "batches": {
            "size": " x ".join(map(str, images.image_shape)),
            "images_in_a_batch": batch_size,
            "steps_in_an_epoch": train.steps_per_epoch,
        },
    }


def _advised(names, unseen, blank):
    for name in names:
        if unseen[name] > _UNSEEN:
            yield (
                f"{100 * unseen[name]:.0f} % of the changes of {name} by one value change no pixel: a code cannot know "
                "it, and all metrics will say so. Leave the factor out, or take larger images."
            )
    if blank > _BLANK:
        yield f"{100 * blank:.0f} % of the images are of one colour: look at the file."


def _moved(images, number):
    """The middle combination, one factor of which goes through its values, evenly spaced where there are many."""
    size = images.factor_sizes[number]
    values = np.unique(np.linspace(0, size - 1, min(size, _SHOWN)).round().astype(int))
    rows = np.tile(np.array(images.factor_sizes) // 2, (len(values), 1))
    rows[:, number] = values
    return images.pixels(images.places[images.numbers(rows), 0])
