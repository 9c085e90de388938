"""A classifier as a judge of images: how near some come to others in its features, and what it takes them for."""

from collections.abc import Iterable, Iterator, Sequence

import keras
import numpy as np
from keras import ops

from toolkit.metrics.frechet_distance import FeatureMoments, frechet_distance
from toolkit.models.image_classifier import classifier as without_heads

_TOGETHER = 100  # images


class ImageJudge:
    """Compares images by the last features of a classifier, averaged over the image, as Inception's are.

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
        self._real = FeatureMoments()

    def _seen(self, images: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        side, channels = self._model.input_shape[1], self._model.input_shape[-1]
        for start in range(0, len(images), _TOGETHER):
            block = ops.convert_to_tensor(np.asarray(images[start : start + _TOGETHER], "float32"))
            if block.shape[-1] != channels:
                block = ops.broadcast_to(ops.mean(block, axis=-1, keepdims=True), (*block.shape[:-1], channels))
            if block.shape[1] != side:
                block = ops.image.resize(block, (side, side), antialias=True)
            features, logits = self._model(block, training=False)
            yield np.asarray(ops.mean(ops.cast(features, "float32"), axis=(1, 2))), np.asarray(logits)

    def compare(self, images: Iterable[np.ndarray]) -> None:
        """Takes the real images that others are compared with.

        Args:
            images: Blocks (images, height, width, channels), 0 to 255.
        """
        self._real = FeatureMoments()
        for block in images:
            for features, _ in self._seen(block):
                self._real.update(features)

    def frechet_distance(self, images: np.ndarray) -> float:
        """Measures how far images are from the real ones.

        Args:
            images: (images, height, width, channels), 0 to 255.

        Returns:
            The squared distance of two Gaussians, in this classifier's features: no other one's can be compared.

        Raises:
            ValueError: Where there are fewer than two, or no real ones.
        """
        found = FeatureMoments()
        for features, _ in self._seen(images):
            found.update(features)
        return frechet_distance(self._real, found)

    def accuracy(self, images: np.ndarray, names: Sequence[str]) -> float:
        """Counts how many images it takes for what they should be.

        Args:
            images: (images, height, width, channels), 0 to 255.
            names: The class of each.

        Returns:
            Percent.

        Raises:
            ValueError: Where it does not know a class.
        """
        unknown = sorted(set(names) - set(self.class_names))
        if unknown:
            raise ValueError(f"the judge knows no {unknown[0]!r}; it knows {', '.join(self.class_names)}.")
        found = np.concatenate([logits.argmax(axis=-1) for _, logits in self._seen(images)])
        return 100 * float(np.mean([self.class_names[each] == name for each, name in zip(found, names, strict=True)]))
