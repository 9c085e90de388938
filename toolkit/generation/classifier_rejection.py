"""Of more samples than are wanted, keep those that a classifier takes for what they should be."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def kept(
    probabilities: np.ndarray, labels: np.ndarray, keep: float, class_names: Sequence[str] | None = None
) -> np.ndarray:
    """Finds, class by class, the share of samples to which a classifier gives their own class the highest probability.

    Of n samples of a class the whole number of `keep` * n, rounded down, is kept; of equals the first. A smaller share
    trades variety for likeness to the class.

    Args:
        probabilities: (samples, classes), p(class | sample) by a classifier that was trained on real data.
        labels: (samples,) the class that each sample was drawn for, numbers from 0.
        keep: The share, above 0, at most 1.
        class_names: What the classes are called in messages; None: by their numbers.

    Returns:
        Which samples are kept, int64, in ascending order.

    Raises:
        ValueError: Where shapes do not fit, a label is no class, a probability is NaN, the share is out of range, or no
            sample would be left of a class.

    Example:

    >>> kept(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]]), np.array([0, 0, 1, 1]), keep=0.5)
    array([0, 2])

    Reference: Razavi et al. 2019, arXiv 1906.00446, section 3.3.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    if probabilities.ndim != 2 or labels.shape != probabilities.shape[:1] or not labels.size:
        raise ValueError(
            "expected probabilities (samples, classes) and a label for each sample; got "
            f"{probabilities.shape} and {labels.shape}."
        )
    num_classes = probabilities.shape[1]
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f"expected labels from 0 to {num_classes - 1}; got some from {labels.min()} to {labels.max()}."
        )
    if not 0 < keep <= 1:
        raise ValueError(f"keep must be above 0 and at most 1; got {keep}.")
    own = np.take_along_axis(probabilities, labels[:, None], axis=1)[:, 0]
    if np.isnan(own).any():
        raise ValueError("expected probabilities; got NaN.")
    best = []
    for label in np.unique(labels):
        samples = np.flatnonzero(labels == label)
        # 0.29 * 100 is a little less than 29.
        count = int(keep * len(samples) + 1e-9)
        if not count:
            name = class_names[label] if class_names is not None else label
            raise ValueError(
                f"keep={keep} leaves none of the {len(samples)} samples of class {name}: draw at least "
                f"{int(np.ceil(1 / keep - 1e-9))} of each class, or keep more."
            )
        best.append(samples[np.argsort(-own[samples], kind="stable")[:count]])
    return np.sort(np.concatenate(best))


def drawn_and_kept(
    draw: Callable[[np.ndarray], np.ndarray],
    look: Callable[[np.ndarray], Any],
    labels: np.ndarray,
    shares: Sequence[float] = (1.0,),
    *,
    looked_for: np.ndarray | None = None,
    class_names: Sequence[str] | None = None,
) -> dict[float, tuple[np.ndarray, Any, np.ndarray]]:
    """Draws samples, more of them for each share that is less than 1, so that about as many are kept each time.

    For a share of 1 / n, n samples are drawn in place of each, and as many are kept as there are labels; for others a
    few more. All shares are of the same samples.

    Args:
        draw: From labels (samples,) to samples (samples, ...).
        look: From samples to what is seen in them, such as `methods.image_judge.ImageJudge.look`: with `probabilities`,
            as `kept` takes them, and `of`, which takes what was seen in some.
        labels: (samples,) what to draw.
        shares: Each above 0, at most 1.
        looked_for: (samples,) numbers of the same classes in the classifier; None: `labels`.
        class_names: As in `kept`.

    Returns:
        For each share the samples that are kept, what is seen in them, and their labels.

    Raises:
        ValueError: As in `kept`.
    """
    labels = np.asarray(labels)
    looked_for = labels if looked_for is None else np.asarray(looked_for)
    times = {share: int(np.ceil(1 / share - 1e-9)) for share in shares}
    many = np.tile(labels, max(times.values()))
    samples = draw(many)
    seen, found = look(samples), {}
    for share, number in times.items():
        which = np.arange(number * len(labels))
        if share < 1:
            which = kept(seen.probabilities[which], np.tile(looked_for, number), share, class_names)
        found[share] = samples[which], seen.of(which), many[which]
    return found
