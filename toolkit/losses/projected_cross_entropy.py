"""Cross-entropy with bits that were drawn at random for each class, where no weights go backwards."""

from typing import Any

import keras
from keras import ops

from toolkit.losses.similarity_matching import random_projection


def class_scores(logits: Any, num_classes: int, seed: int = 0) -> Any:
    """Computes how well logits of bits go with each class's bits: their sum where the class has a one.

    The class of the greatest score is that of the least `ProjectedCrossEntropy`.

    Args:
        logits: (batch, size).
        num_classes: How many.
        seed: As in `ProjectedCrossEntropy`.

    Returns:
        (batch, num_classes).

    Example:

    >>> class_scores(ops.ones((2, 128)), 10).shape
    TensorShape([2, 10])

    Reference: of no paper: Nøkland and Eidnes 2019 read such a layer by the network's last one alone.
    """
    bits = random_projection(num_classes, logits.shape[-1], seed) > 0
    return ops.matmul(ops.cast(logits, "float32"), ops.transpose(ops.cast(bits, "float32")))


@keras.saving.register_keras_serializable(package="toolkit")
class ProjectedCrossEntropy(keras.losses.Loss):
    """Mean over bits of the cross-entropy of 1{labels P > 0}, P a `random_projection` to as many numbers as logits.

    Args:
        seed: Of P.
        name: The loss's name.

    Call arguments:
        y_true: One-hot labels (batch, classes).
        y_pred: Logits of bits (batch, size).

    Returns a scalar; with `reduction=None` one number for each example, of which it is the mean.

    Example:

    >>> round(float(ProjectedCrossEntropy()(ops.eye(4), ops.zeros((4, 128)))), 4)
    0.6931

    Reference: Nøkland, Eidnes 2019, arXiv 1901.06656 (pred-bpf).
    """

    def __init__(self, seed: int = 0, *, name: str = "projected_cross_entropy", **kwargs) -> None:
        super().__init__(name=name, **kwargs)
        self.seed = seed

    def call(self, y_true, y_pred):
        projection = random_projection(y_true.shape[-1], y_pred.shape[-1], self.seed)
        bits = ops.cast(ops.matmul(ops.cast(y_true, "float32"), projection) > 0, "float32")
        return keras.losses.binary_crossentropy(bits, ops.cast(y_pred, "float32"), from_logits=True)

    def get_config(self) -> dict:
        """Gives what makes the same loss again."""
        return {**super().get_config(), "seed": self.seed}
