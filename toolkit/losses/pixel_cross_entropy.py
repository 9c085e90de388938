"""Cross-entropy of each pixel's class, where some pixels do not count and some classes count more."""

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class PixelCrossEntropy(keras.losses.Loss):
    """sum of w[y] (-log softmax(logits)[y]) over pixels that count, divided by the sum of w[y] over these.

    Keras' own `SparseCategoricalCrossentropy(ignore_class=...)` leaves pixels out too, but knows no weights of classes.

    Args:
        class_weights: (classes,), how much a pixel of each class counts; None: all 1.
        ignored: The label of pixels that do not count.
        name: The loss's name.

    Call arguments:
        y_true: Integers (batch, height, width), classes from 0, or `ignored`.
        y_pred: Logits (batch, height, width, classes).

    Returns a scalar, 0 where no pixel counts; with `reduction=None` one number for each image, of which it is the mean.

    Raises:
        ValueError: Where the weights are not as many as the classes, or one is negative or infinite.

    Example:

    >>> loss = PixelCrossEntropy(class_weights=(1.0, 3.0))
    >>> labels, logits = np.array([[[0, 1, 255]]]), np.zeros((1, 1, 3, 2), "float32")
    >>> round(float(loss(labels, logits)), 4)
    0.6931

    Reference: Long, Shelhamer, Darrell 2015, arXiv 1411.4038, section 4.3; Badrinarayanan et al. 2017, arXiv
    1511.00561, section 4 (weights of classes).
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        *,
        ignored: int = 255,
        name: str = "pixel_cross_entropy",
        **kwargs,
    ) -> None:
        super().__init__(name=name, **kwargs)
        weights = None if class_weights is None else np.asarray(class_weights, "float32")
        if weights is not None and not (weights.ndim == 1 and np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"class_weights: expected numbers of 0 and more, one for each class; got {class_weights}.")
        self.class_weights = None if weights is None else tuple(map(float, weights))
        self.ignored = ignored

    def call(self, y_true, y_pred):
        """Computes each image's part of the loss, (batch,): their mean is the loss.

        Where several devices train, Keras divides each one's loss by their number, but not what is a scalar already.
        """
        num_classes = y_pred.shape[-1]
        if self.class_weights is not None and len(self.class_weights) != num_classes:
            raise ValueError(f"{len(self.class_weights)} class_weights for logits of {num_classes} classes.")
        labels = ops.cast(y_true, "int32")
        counts = ops.not_equal(labels, self.ignored)
        labels = ops.where(counts, labels, 0)
        weights = ops.cast(counts, "float32")
        if self.class_weights is not None:
            weights = weights * ops.take(ops.convert_to_tensor(self.class_weights, "float32"), labels)
        losses = ops.sparse_categorical_crossentropy(labels, ops.cast(y_pred, "float32"), from_logits=True)
        parts = ops.sum(weights * losses, axis=tuple(range(1, len(labels.shape))))
        return parts * (ops.cast(ops.shape(labels)[0], "float32") / ops.maximum(ops.sum(weights), 1e-7))

    def get_config(self) -> dict:
        """Gives what makes the same loss again."""
        return {**super().get_config(), "class_weights": self.class_weights, "ignored": self.ignored}


def balancing(counts: Sequence[int]) -> np.ndarray:
    """Computes weights that make classes count alike: the median frequency over the class's own.

    Args:
        counts: (classes,), pixels of each class.

    Returns:
        float32 (classes,); 0 for a class that is not there.

    Raises:
        ValueError: Where nothing was counted.

    Example:

    >>> balancing([10, 20, 40, 0]).tolist()
    [2.0, 1.0, 0.5, 0.0]

    Reference: Eigen, Fergus 2015, arXiv 1411.4734, section 6.3.2.
    """
    counts = np.asarray(counts, "float64")
    if not counts.any():
        raise ValueError("no pixel was counted.")
    weights = np.median(counts[counts > 0]) / np.maximum(counts, 1)
    return np.where(counts > 0, weights, 0).astype("float32")
