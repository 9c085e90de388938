"""The base class of the margin losses, functions of the agreement a = y f(x) of a label y and a score f(x)."""

import dataclasses
import re
from typing import Any

import keras
from keras import ops


@dataclasses.dataclass(frozen=True)
class Properties:
    """What is known of a loss as a function of the agreement.

    Args:
        convex: Whether it is convex.
        strictly_convex: Whether it is strictly convex.
        lipschitz_constant: The largest absolute slope; None: it is unbounded.
        differentiable: Whether it has a derivative everywhere.
        twice_differentiable: Whether that derivative has one everywhere.
        classification_calibrated: Whether the score that is best on average has the more probable label's sign,
            whatever the labels' probabilities (Bartlett, Jordan, McAuliffe 2006, definition 1).
    """

    convex: bool = False
    strictly_convex: bool = False
    lipschitz_constant: float | None = None
    differentiable: bool = False
    twice_differentiable: bool = False
    classification_calibrated: bool = True

    def __str__(self) -> str:
        lipschitz = self.lipschitz_constant
        held = {
            "strictly convex" if self.strictly_convex else "convex": self.convex,
            f"Lipschitz {lipschitz or 0:g}": lipschitz is not None,
            "twice differentiable" if self.twice_differentiable else "differentiable": self.differentiable,
            "calibrated": self.classification_calibrated,
        }
        return ", ".join(name for name, holds in held.items() if holds)


class MarginLoss(keras.losses.Loss):
    """The base class of the margin losses.

    With one score for each of several classes and one-hot labels it is one-versus-rest, averaged. A loss of your own
    defines `_value(agreement)` and `_derivative(agreement)`.

    Args:
        reduction: As in `keras.losses.Loss`.
        name: The loss's name; None: that of the class.

    Call arguments:
        y_true: Labels, of y_pred's shape, or without its last axis where that is 1 long: -1 or 0, and +1.
        y_pred: Scores, the sign of which is the prediction, (batch,) or (batch, num_scores): averaged over.

    Attributes:
        formula, derivative_formula: Value and derivative as text, a the agreement, e and ^ as usual.
        properties: What is known of it.

    Raises:
        ValueError: Where labels and scores differ in shape.

    Example:

    >>> from toolkit.losses.margin import L1Hinge
    >>> scores = keras.ops.convert_to_tensor([[2.0], [0.5], [-1.0]])
    >>> float(L1Hinge()(keras.ops.convert_to_tensor([1, 1, 1]), scores))  # (0 + 0.5 + 2) / 3
    0.8333333134651184
    """

    formula: str
    derivative_formula: str
    properties: Properties

    def __init__(self, reduction: str = "sum_over_batch_size", name: str | None = None) -> None:
        # float32 whatever the policy: squares of scores overflow half precision.
        super().__init__(name=name or self.default_name(), reduction=reduction, dtype="float32")

    @classmethod
    def default_name(cls) -> str:
        """The class' name in small letters: "l2_hinge" of L2Hinge."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", cls.__name__).lower()

    def call(self, y_true, y_pred):
        if len(y_pred.shape) == 1:
            y_pred = y_pred[:, None]
        if len(y_true.shape) == len(y_pred.shape) - 1 and y_pred.shape[-1] == 1:
            y_true = y_true[..., None]
        sizes = list(zip(y_true.shape, y_pred.shape, strict=False))
        if len(y_true.shape) != len(y_pred.shape) or any(None not in pair and pair[0] != pair[1] for pair in sizes):
            raise ValueError(
                f"{self.name}: labels of shape {tuple(y_true.shape)} for scores of shape {tuple(y_pred.shape)}; they "
                "are to be alike. Class numbers are made labels by keras.ops.one_hot."
            )
        return ops.mean(self.value(ops.where(y_true > 0, y_pred, -y_pred)), axis=-1)

    def value(self, agreement: Any) -> Any:
        """Computes the loss of each agreement y f(x), any shape, in float32, or in a tensor's float64."""
        return self._value(_floats(agreement))

    def derivative(self, agreement: Any) -> Any:
        """Computes its derivative by each agreement, any shape; where there is none, that of one side."""
        return self._derivative(_floats(agreement))


def _floats(agreement):
    double = ops.is_tensor(agreement) and keras.backend.standardize_dtype(agreement.dtype) == "float64"
    return ops.convert_to_tensor(agreement, "float64" if double else "float32")
