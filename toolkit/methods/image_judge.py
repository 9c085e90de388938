"""A classifier as a judge of images: how near some come to others in its features, and what it takes them for."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from scipy.spatial.distance import cdist

from toolkit.metrics.frechet_distance import FeatureMoments, frechet_distance
from toolkit.metrics.improved_precision_recall import FeatureManifold, PrecisionRecall, improved_precision_recall
from toolkit.metrics.inception_score import InceptionScore, inception_score
from toolkit.metrics.top_k_accuracy import top_k_accuracy
from toolkit.models.image_classifier import classifier as without_heads

_TOGETHER = 100  # images


class Seen(NamedTuple):
    """What a judge saw in a set of images.

    Args:
        features: float32 (images, dimensions).
        probabilities: float32 (images, classes), in the order of the judge's `class_names`.
    """

    features: np.ndarray
    probabilities: np.ndarray

    def of(self, which: np.ndarray) -> "Seen":
        """Takes what was seen in some of the images.

        Args:
            which: Their numbers, or a bool for each image.
        """
        return Seen(self.features[which], self.probabilities[which])


class NearestImages(NamedTuple):
    """For each of some images the nearest of others.

    Args:
        images: The nearest, (images, height, width, channels), as they were given.
        distances: float64 (images,), Euclidean, in the judge's features.
    """

    images: np.ndarray
    distances: np.ndarray


class ImageJudge:
    """Compares images by the last features of a classifier, averaged over the image, as Inception's are.

    What is measured in several ways, or in parts, is looked at once, by `look`.

    Args:
        classifier: A trained network of `models.image_classifier`, which keeps its class names.

    Raises:
        ValueError: Where it has no feature level.

    Reference: Heusel et al. 2017, arXiv 1706.08500, section 1 (there: the features of an Inception v3).
    """

    def __init__(self, classifier: keras.Model) -> None:
        model = without_heads(classifier)
        levels = sorted(layer.name for layer in model.layers if layer.name.startswith("level_"))
        if not levels:
            raise ValueError(f"{model.name} has no feature level, by which images could be compared.")
        self.class_names = list(model.get_layer("class_names").names)
        self._model = keras.Model(model.input, [model.get_layer(levels[-1]).output, model.output])
        self.compare([])

    def look(self, images: np.ndarray) -> Seen:
        """Computes what all measures take, so that it is done once.

        Args:
            images: (images, height, width, channels), 0 to 255.

        Returns:
            What the measures take in the images' place.
        """
        (_, side, _, channels), (features, logits) = self._model.input_shape, self._model.output_shape
        found = [np.zeros((0, features[-1]), "float32")], [np.zeros((0, logits[-1]), "float32")]
        for start in range(0, len(images), _TOGETHER):
            block = ops.convert_to_tensor(np.asarray(images[start : start + _TOGETHER], "float32"))
            if block.shape[-1] != channels:
                block = ops.broadcast_to(ops.mean(block, axis=-1, keepdims=True), (*block.shape[:-1], channels))
            if block.shape[1] != side:
                block = ops.image.resize(block, (side, side), antialias=True)
            features, logits = (ops.cast(each, "float32") for each in self._model(block, training=False))
            found[0].append(np.asarray(ops.mean(features, axis=(1, 2))))
            found[1].append(np.asarray(ops.softmax(logits)))
        return Seen(*map(np.concatenate, found))

    def _seen(self, images: np.ndarray | Seen) -> Seen:
        return images if isinstance(images, Seen) else self.look(images)

    def compare(self, images: Iterable[np.ndarray | Seen]) -> None:
        """Takes the real images that others are compared with.

        Args:
            images: Blocks (images, height, width, channels), 0 to 255, or what was seen in them.
        """
        self._moments, self._manifold = FeatureMoments(), None
        blocks = [np.zeros((0, self._model.output_shape[0][-1]), "float32")]
        for block in images:
            blocks.append(self._seen(block).features)
            self._moments.update(blocks[-1])
        self._real = np.concatenate(blocks)

    def frechet_distance(self, images: np.ndarray | Seen) -> float:
        """Measures how far images are from the real ones.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them.

        Returns:
            The squared distance of two Gaussians, in this classifier's features: no other one's can be compared.

        Raises:
            ValueError: Where there are fewer than two, or no real ones.
        """
        return frechet_distance(self._moments, self._seen(images).features)

    def precision_recall(self, images: np.ndarray | Seen, k: int = 3) -> PrecisionRecall:
        """Measures how many of the images look real, and how many of the real ones look as if they were among them.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them; for comparisons as many as
                there are real ones.
            k: Which nearest neighbour the ball round each image reaches to.

        Returns:
            Shares from 0 to 1, in this classifier's features.

        Raises:
            ValueError: Where there are fewer than k + 1, or as few real ones.
        """
        if self._manifold is None or self._manifold.k != k:
            self._manifold = FeatureManifold(self._real, k)
        return improved_precision_recall(self._manifold, self._seen(images).features, k)

    def nearest(self, images: np.ndarray | Seen, others: Iterable[np.ndarray]) -> NearestImages:
        """Finds for each image the nearest of others, such as those that its generator was trained on.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them.
            others: Blocks of others, of one shape; each is looked at once, and no more than one is kept.

        Returns:
            The nearest, and how far they are: 0 where an image is a copy of one.

        Raises:
            ValueError: Where there are no others.
        """
        features = self._seen(images).features
        distances, found = np.full(len(features), np.inf), None
        for block in others:
            found = np.zeros((len(features), *block.shape[1:]), block.dtype) if found is None else found
            apart = cdist(features, self.look(block).features)
            best = apart.argmin(axis=1)
            nearer = apart.min(axis=1) < distances
            distances[nearer], found[nearer] = apart.min(axis=1)[nearer], block[best[nearer]]
        if found is None:
            raise ValueError("expected others, of which the nearest could be found; got none.")
        return NearestImages(found, distances)

    def inception_score(self, images: np.ndarray | Seen, num_splits: int = 10) -> InceptionScore:
        """Measures how sure the classifier is of each image, and how evenly it sees its classes in all.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them. They are shuffled, always in
                the same way, so that images in the order of their classes may come.
            num_splits: Into how many parts they are divided.

        Returns:
            Mean and standard deviation over the parts, by this classifier: no other one's can be compared.

        Raises:
            ValueError: Where there are fewer images than parts.
        """
        probabilities = self._seen(images).probabilities
        return inception_score(np.random.default_rng(0).permutation(probabilities), num_splits)

    def measures(self, images: np.ndarray | Seen, name: str) -> dict[str, float]:
        """Measures images in all ways.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them, four or more.
            name: Theirs.

        Returns:
            "frechet_distance_of_NAME", "precision_of_NAME_percent", "recall_of_NAME_percent" and
            "inception_score_of_NAME", of ten parts, or as many as there are images.

        Raises:
            ValueError: Where there are too few, or too few real ones.
        """
        seen = self._seen(images)
        shares = self.precision_recall(seen)
        return {
            f"frechet_distance_of_{name}": self.frechet_distance(seen),
            f"precision_of_{name}_percent": 100 * shares.precision,
            f"recall_of_{name}_percent": 100 * shares.recall,
            f"inception_score_of_{name}": self.inception_score(seen, min(10, len(seen.features))).mean,
        }

    def labels(self, names: Sequence[str]) -> np.ndarray:
        """Looks class names up.

        Args:
            names: Of classes.

        Returns:
            The number of each in `class_names`, int64 (names,).

        Raises:
            ValueError: Where it does not know a class.
        """
        unknown = sorted(set(names) - set(self.class_names))
        if unknown:
            raise ValueError(f"the judge knows no {unknown[0]!r}; it knows {', '.join(self.class_names)}.")
        return np.array([self.class_names.index(name) for name in names], "int64")

    def accuracy(self, images: np.ndarray | Seen, names: Sequence[str]) -> float:
        """Counts how many images it takes for what they should be.

        Args:
            images: (images, height, width, channels), 0 to 255, or what was seen in them.
            names: The class of each.

        Returns:
            Percent.

        Raises:
            ValueError: Where it does not know a class.
        """
        labels = self.labels(names)
        return 100 * top_k_accuracy(labels, self._seen(images).probabilities)
