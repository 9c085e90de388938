"""Any loss of one-hot labels, for the soft labels of mixtures."""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="toolkit")
class SoftLabelLoss(keras.losses.Loss):
    """Σ_c y_c l(e_c, f): what a loss l of one-hot labels e_c is on average where the class is c with probability y_c.

    Of mixup it makes λ l(y, f) + (1 - λ) l(y', f) for any l, such as a margin loss, which takes a label for -1 or 1.
    The cross-entropy is linear in its labels, and needs no such help.

    Args:
        loss: A `keras.losses.Loss`, or a name of Keras'.
        num_labels: Most classes of an example whose y_c is not 0, of which the loss is computed: 2 of a mixture of two.
        reduction: As in `keras.losses.Loss`.
        name: The loss's name.

    Call arguments:
        y_true: Soft labels (batch, classes), which sum to 1.
        y_pred: Scores (batch, classes).

    Example:

    >>> loss = SoftLabelLoss("categorical_hinge")
    >>> labels, scores = ops.array([[0.75, 0.25]]), ops.array([[2.0, 0.0]])
    >>> float(loss(labels, scores))  # 0.75 * 0 + 0.25 * 3
    0.75

    Reference: Zhang et al. 2018, arXiv 1710.09412, section 2; their program computes the two losses.
    """

    def __init__(
        self, loss, num_labels: int = 2, reduction: str = "sum_over_batch_size", name: str = "soft_label_loss"
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype="float32")
        self.loss, self.num_labels = keras.losses.get(loss), num_labels

    def call(self, y_true, y_pred):
        shares, classes = ops.top_k(y_true, min(self.num_labels, y_true.shape[-1]))
        each = getattr(self.loss, "call", self.loss)  # of a Loss without its reduction
        paid = [
            shares[:, number] * each(ops.one_hot(classes[:, number], y_true.shape[-1], dtype=y_pred.dtype), y_pred)
            for number in range(shares.shape[-1])
        ]
        return sum(paid)

    def get_config(self) -> dict:
        return {
            "loss": keras.saving.serialize_keras_object(self.loss),
            "num_labels": self.num_labels,
            "reduction": self.reduction,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict) -> "SoftLabelLoss":
        return cls(**{**config, "loss": keras.saving.deserialize_keras_object(config["loss"])})
