"""How good drawn images are, all of them, those that a classifier keeps, and the likelier ones."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.generation.classifier_rejection import drawn_and_kept
from toolkit.generation.image_drawing import ImageDrawer


class SampleQuality(NamedTuple):
    """What `sample_quality` finds.

    Args:
        measures: Numbers by name, as `methods.image_judge.ImageJudge.measures` gives them, of "drawn", of each share
            less than 1 "kept_SHARE", and "temperature_TEMPERATURE".
        curves: Points (recall, precision) in percent, over "kept share" and over "temperature".
        kept: Of each share the images (images, height, width, channels), 0 to 255, and their labels.
    """

    measures: dict[str, float]
    curves: dict[str, list[tuple[float, float]]]
    kept: dict[float, tuple[np.ndarray, np.ndarray]]


def sample_quality(
    drawer: ImageDrawer,
    judge: Any,
    labels: np.ndarray,
    class_names: Sequence[str],
    *,
    shares: Sequence[float] = (0.5, 0.25),
    temperatures: Sequence[float] = (0.9, 0.8),
    temperature: float = 1.0,
    seed: int = 0,
) -> SampleQuality:
    """Draws images of classes and measures them, as many for each share and each temperature.

    Args:
        drawer: What draws.
        judge: A `methods.image_judge.ImageJudge` that has the real images to `compare` with, as many as there are
            labels.
        labels: (images,) the classes to draw.
        class_names: What the labels mean. Where the judge knows no such classes, or the priors none, all that is drawn
            is kept, and `shares` is not looked at.
        shares: Of drawn images that are kept, each below 1, beside all of them.
        temperatures: Others, each times `temperature`.
        temperature: As in `ImageDrawer.draw`.
        seed: Of all drawing.

    Returns:
        Measures, curves and what was kept.

    Raises:
        ValueError: Where there are fewer than four labels.

    Reference: Razavi et al. 2019, arXiv 1906.00446, sections 3.3 and 4.
    """

    def draw(labels, factor=1.0):
        return drawer.draw(labels, temperature=factor * temperature, seed=seed)

    known = bool(drawer.class_names) and {class_names[label] for label in labels} <= set(judge.class_names)
    how, shares = {}, (1.0, *(shares if known else ()))
    if known:
        looked_for = judge.labels([class_names[label] for label in labels])
        how = {"looked_for": looked_for, "class_names": judge.class_names}
    kept = drawn_and_kept(draw, judge.look, labels, shares, **how)
    over_shares = {f"kept_{share:g}" if share < 1 else "drawn": (seen, its) for share, (_, seen, its) in kept.items()}
    over_temperatures = {"drawn": over_shares["drawn"]}
    over_temperatures |= {f"temperature_{each:g}": (judge.look(draw(labels, each)), labels) for each in temperatures}
    measures = {}
    for name, (seen, its) in (over_shares | over_temperatures).items():
        measures |= judge.measures(seen, name)
        if known:
            measures[f"class_seen_in_{name}_percent"] = judge.accuracy(seen, [class_names[label] for label in its])
    curves = {
        line: [tuple(measures[f"{what}_of_{name}_percent"] for what in ("recall", "precision")) for name in names]
        for line, names in (("kept share", over_shares), ("temperature", over_temperatures))
    }
    return SampleQuality(measures, curves, {share: (images, its) for share, (images, _, its) in kept.items()})
