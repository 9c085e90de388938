"""Similarity matching: what a batch's examples have in common, as their features say it and as their classes do."""

from typing import Any

import keras
import numpy as np
from keras import ops

_LEAST = 1e-12


def similarity_matrix(x: Any) -> Any:
    """Computes how alike the examples of a batch are: the cosine of the angle between their centred vectors.

    S_ij = x̂_i · x̂_j / (|x̂_i| |x̂_j|), x̂ an example's vector less the mean of its numbers. Of one-hot labels of K classes
    it is 1 for the same class and -1 / (K - 1) for two.

    Args:
        x: (batch, ...), the rest of an example flattened to one vector of two numbers or more.

    Returns:
        float32 (batch, batch), -1 to 1; of a vector of equal numbers 0.

    Raises:
        ValueError: Where an example is a single number.

    Example:

    >>> np.asarray(similarity_matrix(np.eye(3))).round(2).tolist()
    [[1.0, -0.5, -0.5], [-0.5, 1.0, -0.5], [-0.5, -0.5, 1.0]]

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656.
    """
    x = ops.convert_to_tensor(x)
    x = ops.cast(ops.reshape(x, (ops.shape(x)[0], int(np.prod(x.shape[1:])))), "float32")
    if x.shape[1] < 2:
        raise ValueError("similarities need two features or more of each example; of one nothing is left when centred.")
    x = x - ops.mean(x, axis=1, keepdims=True)
    # Divided by the largest number first, so that no square vanishes; where all are 0 nothing goes back.
    largest = ops.stop_gradient(ops.max(ops.abs(x), axis=1, keepdims=True))
    x = x * ops.where(largest > _LEAST, 1.0 / ops.maximum(largest, _LEAST), 0.0)
    x = x / ops.sqrt(ops.maximum(ops.sum(ops.square(x), axis=1, keepdims=True), _LEAST))
    return ops.clip(ops.matmul(x, ops.transpose(x)), -1.0, 1.0)


def random_projection(num_classes: int, size: int, seed: int = 0) -> np.ndarray:
    """Draws what classes are told a layer by, where no weights go backwards: fixed random numbers for each class.

    Args:
        num_classes: How many.
        size: Numbers of a class.
        seed: Of the draw.

    Returns:
        float32 (num_classes, size), uniform, up to one over the root of `num_classes`.

    Raises:
        ValueError: Where a size is below 1.

    Example:

    >>> random_projection(4, 128).shape, bool(np.abs(random_projection(4, 128)).max() <= 0.5)
    ((4, 128), True)

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656.
    """
    if num_classes < 1 or size < 1:
        raise ValueError(f"num_classes and size must be at least 1; got {num_classes} and {size}.")
    limit = num_classes**-0.5
    return np.random.default_rng(seed).uniform(-limit, limit, (num_classes, size)).astype("float32")


@keras.saving.register_keras_serializable(package="toolkit")
class SimilarityMatching(keras.losses.Loss):
    """Mean over all pairs of a batch of (S(features) - S(labels))², S being `similarity_matrix`.

    Args:
        projection_size: Compare with S(labels P) instead, P a `random_projection` to so many numbers; None: the labels
            themselves.
        seed: Of P.
        name: The loss's name.

    Call arguments:
        y_true: One-hot labels (batch, classes).
        y_pred: Features (batch, ...).

    Returns a scalar; with `reduction=None` one number for each example, of which it is the mean.

    Example:

    >>> labels = np.eye(2, dtype="float32")
    >>> loss = SimilarityMatching()
    >>> float(loss(labels, labels)), round(float(loss(labels, np.array([[1.0, 0.0], [1.0, 0.0]]))), 4)
    (0.0, 2.0)

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656 (sim and sim-bpf).
    """

    def __init__(
        self, projection_size: int | None = None, seed: int = 0, *, name: str = "similarity_matching", **kwargs
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.projection_size, self.seed = projection_size, seed

    def call(self, y_true, y_pred):
        labels = ops.cast(y_true, "float32")
        if self.projection_size is not None:
            labels = ops.matmul(labels, random_projection(labels.shape[-1], self.projection_size, self.seed))
        return ops.mean(ops.square(similarity_matrix(y_pred) - similarity_matrix(labels)), axis=1)

    def get_config(self) -> dict:
        """Gives what makes the same loss again."""
        return {**super().get_config(), "projection_size": self.projection_size, "seed": self.seed}
