"""Training images that nobody can tell from the true ones, changed so that a trained classifier errs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.lazy import tensorflow as tf
from toolkit.methods.trained_classifier import TrainedClassifier

LIMIT = 0.49  # of a grey level: the nearest one stays the same
_TOGETHER = 256


class Poisoned(NamedTuple):
    """What an attack has made.

    Args:
        rows: The numbers of the training images that are changed, (rows,).
        images: What they are then, float64 (rows, height, width, channels), 0 to 255.
        losses: The test image's loss before, and after each step's training.
        scores: Its score for each class before, and after each step's training, (1 + steps, classes).
    """

    rows: np.ndarray
    images: np.ndarray
    losses: np.ndarray
    scores: np.ndarray

    @property
    def taken_for(self) -> int:
        """The class that the test image is taken for in the end."""
        return int(self.scores[-1].argmax())

    def measures(self, before: np.ndarray) -> dict[str, float]:
        """Says what it took, as a table's row.

        Args:
            before: The changed images as they were, (rows, height, width, channels).

        Returns:
            How many "images"; the test image's "loss_before" and "loss_after"; the greatest change in "grey_levels";
            and "pixels_of_another_level", how many round to another one.
        """
        found = {"images": len(before), "loss_before": self.losses[0], "loss_after": self.losses[-1]}
        found["grey_levels"] = np.abs(self.images - before).max()
        return found | {"pixels_of_another_level": int((np.rint(self.images) != before).sum())}


def overall(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Says how several attacks went.

    Args:
        rows: Of each what `Poisoned.measures` returned, with "label" and "taken_for", the test image's class and what
            it is taken for in the end.

    Returns:
        "attacked", how many; "flipped_percent", of them; "largest_change_grey_levels"; and, where one flipped,
        "median_images_changed" of those.

    Example:

    >>> overall([{"images": 2, "grey_levels": 0.4, "label": "1", "taken_for": "7"}])["median_images_changed"]
    2.0
    """
    flips = [row["images"] for row in rows if row["taken_for"] != row["label"]]
    found = {"attacked": len(rows), "flipped_percent": 100 * len(flips) / len(rows)}
    found["largest_change_grey_levels"] = max(row["grey_levels"] for row in rows)
    return found | ({"median_images_changed": float(np.median(flips))} if flips else {})


class Poisoning:
    """Changes training images by less than half a grey level so that one test image is taken for another class.

    A step moves each pixel along the sign of the influence of its value, keeps it within the limit of what it was, so
    that the image rounds to the same one, and trains again: as the paper does to the last layer of a network.

    Args:
        classifier: At its optimum, of the images or of their features. Each method leaves it as it was.
        images: The training images, (examples, height, width, channels), 0 to 255.
        features: A model from such images to what the classifier takes; None: it takes images.

    Raises:
        ValueError: Where these are not as many images as it was trained on.

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 5.2.
    """

    def __init__(self, classifier: TrainedClassifier, images: Any, features: keras.Model | None = None) -> None:
        if len(images) != len(classifier.minimizer.x):
            raise ValueError(
                f"expected {len(classifier.minimizer.x)} images, those that were trained on; got {len(images)}."
            )
        self._classifier, self._images, self._features = classifier, np.asarray(images, "float64"), features

    def directions(self, number: int, rows: Any = None, images: Any = None) -> np.ndarray:
        """Predicts by how much a test image's loss rises for each grey level that a pixel of a training image does.

        Args:
            number: The test image's.
            rows: The numbers of the training images; None: all.
            images: What these are now; None: as they were.

        Returns:
            float64 (rows, height, width, channels).
        """
        found = self._classifier.influence().of_perturbing(self._classifier.queries([number]), rows)[0]
        if self._features is None:
            return found
        if images is None:
            images = self._images if rows is None else self._images[rows]
        starts = range(0, len(images), _TOGETHER)
        return np.concatenate([self._pulled(images[s : s + _TOGETHER], found[s : s + _TOGETHER]) for s in starts])

    def _pulled(self, images, along):
        """The gradient by the images of what their features have in the direction of `along`."""
        x = tf.convert_to_tensor(np.asarray(images, self._features.input.dtype))
        with tf.GradientTape() as tape:
            tape.watch(x)
            seen = self._features(x, training=False)
        return np.asarray(tape.gradient(seen, x, tf.cast(along, seen.dtype)), "float64")

    def most_sensitive(self, number: int) -> np.ndarray:
        """Orders the training images by how far their pixels, within the limit, can move a test image's loss.

        Args:
            number: The test image's.

        Returns:
            (examples,), numbers, the image that moves it furthest first.
        """
        found = np.abs(self.directions(number)).reshape(len(self._images), -1).sum(axis=1)
        return np.argsort(-found, kind="stable")

    def attack(self, number: int, rows: Any, num_steps: int = 5) -> Poisoned:
        """Changes some training images, and trains again, until a test image is taken for another class.

        Args:
            number: The test image's.
            rows: The numbers of the training images.
            num_steps: How often they are changed at most.

        Returns:
            What was made of them.
        """
        minimizer, query, rows = self._classifier.minimizer, self._classifier.queries([number]), np.asarray(rows)
        weights, x, y = minimizer.weights, minimizer.x, minimizer.y
        images = self._images[rows]
        low, high = np.maximum(images - LIMIT, 0), np.minimum(images + LIMIT, 255)  # and still an image
        losses, scores = [minimizer.losses(*query)[0]], [self._classifier.scores()[number]]
        try:
            while len(losses) <= num_steps and scores[-1].argmax() == query[1][0]:
                step = 2 * LIMIT / max(num_steps, 2) * np.sign(self.directions(number, rows, images))
                before, images = images, np.clip(images + step, low, high)
                if np.array_equal(before, images):
                    break  # at the limit everywhere
                changed = np.array(x)
                changed[rows] = images if self._features is None else self._seen(images)
                minimizer.replace(changed, y)
                minimizer.minimize(tolerance=1e-7)
                losses.append(minimizer.losses(*query)[0])
                scores.append(self._classifier.scores()[number])
        finally:
            minimizer.replace(x, y)
            minimizer.weights = weights
        return Poisoned(rows, images, np.array(losses), np.array(scores))

    def _seen(self, images):
        return self._features.predict(images.astype(self._features.input.dtype), batch_size=_TOGETHER, verbose=0)

    def until_flipped(self, number: int, counts: Iterable[int], num_steps: int = 5) -> Poisoned:
        """Attacks by more and more training images, until one attack succeeds.

        Args:
            number: The test image's.
            counts: How many training images to change, one number after the other; at most those there are.
            num_steps: As in `attack`.

        Returns:
            The last attack.
        """
        order, label = self.most_sensitive(number), self._classifier.labels["test"][number]
        for count in dict.fromkeys(min(count, len(order)) for count in counts):
            found = self.attack(number, order[:count], num_steps)
            if found.taken_for != label:
                break
        return found
