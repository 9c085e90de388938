"""Losses of an agreement a = y f(x): how far a score f(x) lies on its label's side, for labels y of -1 and +1."""

import dataclasses
import difflib
import math
import re

import keras
from keras import ops


@dataclasses.dataclass(frozen=True)
class Properties:
    """What is known of a loss as a function of the agreement.

    Args:
        convex: Whether no chord lies below it.
        strictly_convex: Whether every chord lies above it.
        lipschitz_constant: The steepest slope there is; None: there is no limit.
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
    """What all losses of an agreement have in common: labels, scores, weights.

    With one score for each of several classes and one-hot labels it is one class against the others, averaged. A loss
    of your own defines `_value(agreement)` and `_derivative(agreement)`.

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

    >>> scores = keras.ops.convert_to_tensor([[2.0], [0.5], [-1.0]])
    >>> float(L1Hinge()(keras.ops.convert_to_tensor([1, 1, 1]), scores))  # (0 + 0.5 + 2) / 3
    0.8333333134651184
    """

    formula: str
    derivative_formula: str
    properties: Properties

    def __init__(self, reduction: str = "sum_over_batch_size", name: str | None = None) -> None:
        # float32 whatever the policy: squares of scores overflow half precision.
        super().__init__(name=name or _snake_case(type(self)), reduction=reduction, dtype="float32")

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

    def value(self, agreement):
        """The loss of each agreement y f(x), any shape, in float32."""
        return self._value(ops.convert_to_tensor(agreement, "float32"))

    def derivative(self, agreement):
        """Its derivative with respect to each agreement, any shape; where there is none, that of one side."""
        return self._derivative(ops.convert_to_tensor(agreement, "float32"))


def _snake_case(loss):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", loss.__name__).lower()


@keras.saving.register_keras_serializable(package="toolkit")
class ZeroOne(MarginLoss):
    """1 where a < 0, else 0: the share of wrong labels. Its derivative is 0: nothing is learned from it.

    A score of 0 agrees with both labels here; that it is calibrated holds for the other scores.

    Example:

    >>> float(ZeroOne()(ops.convert_to_tensor([1, 0, 1, 0]), ops.convert_to_tensor([2.0, -1.0, -0.5, -3.0])))
    0.25
    """

    formula = "1 if a < 0 else 0"
    derivative_formula = "0"
    properties = Properties()

    def _value(self, agreement):
        return ops.cast(agreement < 0, "float32")

    def _derivative(self, agreement):
        return ops.zeros_like(agreement)


@keras.saving.register_keras_serializable(package="toolkit")
class Perceptron(MarginLoss):
    """max(0, -a). A score of 0 costs nothing, so it is not calibrated.

    Reference: Rosenblatt 1957, The perceptron.
    """

    formula = "max(0, -a)"
    derivative_formula = "-1 if a < 0 else 0"
    properties = Properties(convex=True, lipschitz_constant=1.0, classification_calibrated=False)

    def _value(self, agreement):
        return ops.relu(-agreement)

    def _derivative(self, agreement):
        return ops.where(agreement >= 0, 0.0, -1.0)


@keras.saving.register_keras_serializable(package="toolkit")
class L1Hinge(MarginLoss):
    """max(0, 1 - a), the support vector machine's.

    Reference: Cortes and Vapnik 1995, Support-vector networks.
    """

    formula = "max(0, 1 - a)"
    derivative_formula = "-1 if a < 1 else 0"
    properties = Properties(convex=True, lipschitz_constant=1.0)

    def _value(self, agreement):
        return ops.relu(1.0 - agreement)

    def _derivative(self, agreement):
        return ops.where(agreement >= 1, 0.0, -1.0)


@keras.saving.register_keras_serializable(package="toolkit")
class SmoothedL1Hinge(MarginLoss):
    """max(0, 1 - a)^2 / (2 gamma) where a >= 1 - gamma, else 1 - gamma / 2 - a.

    Args:
        gamma: Length of the parabola between the slopes 0 and -1, in agreement, positive.
        reduction, name: As in `MarginLoss`.

    Raises:
        ValueError: Where gamma is not positive.

    Example:

    >>> float(SmoothedL1Hinge(gamma=2.0).value(-2.0))
    2.0

    Reference: Shalev-Shwartz and Zhang 2013, Stochastic dual coordinate ascent, section 5.
    """

    formula = "max(0, 1 - a)^2 / (2 * gamma) if a >= 1 - gamma else 1 - gamma / 2 - a"
    derivative_formula = "-max(0, 1 - a) / gamma if a >= 1 - gamma else -1"
    properties = Properties(convex=True, lipschitz_constant=1.0, differentiable=True)

    def __init__(self, gamma: float = 1.0, reduction: str = "sum_over_batch_size", name: str | None = None) -> None:
        if not gamma > 0:
            raise ValueError(f"gamma must be positive; got {gamma}.")
        super().__init__(reduction, name)
        self.gamma = gamma

    def _value(self, agreement):
        # Bounded: neither branch overflows where it is unused. At the edge both are equal, and the straight one has no
        # minimum whose derivative is shared.
        curved = ops.square(ops.minimum(ops.relu(1.0 - agreement), self.gamma)) / (2 * self.gamma)
        return ops.where(agreement > 1 - self.gamma, curved, 1 - self.gamma / 2 - agreement)

    def _derivative(self, agreement):
        return -ops.minimum(ops.relu(1.0 - agreement) / self.gamma, 1.0)

    def get_config(self) -> dict:
        return {**super().get_config(), "gamma": self.gamma}


@keras.saving.register_keras_serializable(package="toolkit")
class ModifiedHuber(MarginLoss):
    """max(0, 1 - a)^2 where a >= -1, else -4 a: four times `SmoothedL1Hinge(gamma=2)`.

    Example:

    >>> float(ModifiedHuber().value(-2.0))
    8.0

    Reference: Zhang 2004, Solving large scale linear prediction problems using stochastic gradient descent algorithms.
    """

    formula = "max(0, 1 - a)^2 if a >= -1 else -4 * a"
    derivative_formula = "-2 * max(0, 1 - a) if a >= -1 else -4"
    properties = Properties(convex=True, lipschitz_constant=4.0, differentiable=True)

    def _value(self, agreement):
        return ops.where(agreement > -1, ops.square(ops.minimum(ops.relu(1.0 - agreement), 2.0)), -4.0 * agreement)

    def _derivative(self, agreement):
        return -2.0 * ops.minimum(ops.relu(1.0 - agreement), 2.0)


@keras.saving.register_keras_serializable(package="toolkit")
class DWDMargin(MarginLoss):
    """1 - a where a <= q / (q + 1), else q^q / (q + 1)^(q + 1) / a^q: distance weighted discrimination.

    Args:
        q: Power with which what is right counts less, positive; large: `L1Hinge`.
        reduction, name: As in `MarginLoss`.

    Raises:
        ValueError: Where q is not positive.

    Example:

    >>> float(DWDMargin(q=1.0).value(1.0))
    0.25

    Reference: Wang and Zou 2018, Another look at distance-weighted discrimination, section 3.
    """

    formula = "1 - a if a <= q / (q + 1) else q^q / (q + 1)^(q + 1) / a^q"
    derivative_formula = "-1 if a <= q / (q + 1) else -(q / (q + 1) / a)^(q + 1)"
    properties = Properties(convex=True, lipschitz_constant=1.0, differentiable=True)

    def __init__(self, q: float = 1.0, reduction: str = "sum_over_batch_size", name: str | None = None) -> None:
        if not q > 0:
            raise ValueError(f"q must be positive; got {q}.")
        super().__init__(reduction, name)
        self.q = q

    def _parts(self, agreement):
        edge = self.q / (self.q + 1)
        return agreement <= edge, ops.log(ops.maximum(agreement, edge) / edge)

    def _value(self, agreement):
        # In logarithms from the edge on, where it is 1 / (q + 1): powers overflow for large q.
        linear, distance = self._parts(agreement)
        return ops.where(linear, 1.0 - agreement, ops.exp(-self.q * distance) / (self.q + 1))

    def _derivative(self, agreement):
        linear, distance = self._parts(agreement)
        return ops.where(linear, -1.0, -ops.exp(-(self.q + 1) * distance))

    def get_config(self) -> dict:
        return {**super().get_config(), "q": self.q}


@keras.saving.register_keras_serializable(package="toolkit")
class L2Margin(MarginLoss):
    """(1 - a)^2: least squares; what is more than right costs too."""

    formula = "(1 - a)^2"
    derivative_formula = "-2 * (1 - a)"
    properties = Properties(convex=True, strictly_convex=True, differentiable=True, twice_differentiable=True)

    def _value(self, agreement):
        return ops.square(1.0 - agreement)

    def _derivative(self, agreement):
        return -2.0 * (1.0 - agreement)


@keras.saving.register_keras_serializable(package="toolkit")
class L2Hinge(MarginLoss):
    """max(0, 1 - a)^2."""

    formula = "max(0, 1 - a)^2"
    derivative_formula = "-2 * max(0, 1 - a)"
    properties = Properties(convex=True, differentiable=True)

    def _value(self, agreement):
        return ops.square(ops.relu(1.0 - agreement))

    def _derivative(self, agreement):
        return -2.0 * ops.relu(1.0 - agreement)


@keras.saving.register_keras_serializable(package="toolkit")
class Sigmoid(MarginLoss):
    """1 - tanh(a): bounded, so that no outlier counts for more than 2."""

    formula = "1 - tanh(a)"
    derivative_formula = "-1 / cosh(a)^2"
    properties = Properties(lipschitz_constant=1.0, differentiable=True, twice_differentiable=True)

    def _value(self, agreement):
        return 2.0 * ops.sigmoid(-2.0 * agreement)  # without the cancellation of 1 - tanh

    def _derivative(self, agreement):
        return -4.0 * ops.sigmoid(2.0 * agreement) * ops.sigmoid(-2.0 * agreement)


@keras.saving.register_keras_serializable(package="toolkit")
class LogitMargin(MarginLoss):
    """log(1 + e^-a), in nats: logistic regression's, and binary cross-entropy's of a logit.

    Example:

    >>> round(float(LogitMargin().value(0.0)), 4)
    0.6931
    """

    formula = "log(1 + e^-a)"
    derivative_formula = "-1 / (1 + e^a)"
    properties = Properties(
        convex=True, strictly_convex=True, lipschitz_constant=1.0, differentiable=True, twice_differentiable=True
    )

    def _value(self, agreement):
        return ops.softplus(-agreement)

    def _derivative(self, agreement):
        return -ops.sigmoid(-agreement)


@keras.saving.register_keras_serializable(package="toolkit")
class Exp(MarginLoss):
    """e^-a, AdaBoost's. Below a = -70 it goes on as its tangent: float32 ends at e^88.

    Reference: Freund and Schapire 1997, A decision-theoretic generalization of on-line learning.
    """

    formula = "e^-a"
    derivative_formula = "-e^-a"
    properties = Properties(convex=True, strictly_convex=True, differentiable=True, twice_differentiable=True)

    def _value(self, agreement):
        curved = ops.exp(ops.minimum(-agreement, _LARGEST))
        return ops.where(agreement > -_LARGEST, curved, math.exp(_LARGEST) * (1.0 - _LARGEST - agreement))

    def _derivative(self, agreement):
        return -ops.exp(ops.minimum(-agreement, _LARGEST))


_LARGEST = 70.0

LOSSES = {_snake_case(loss): loss for loss in MarginLoss.__subclasses__()}


def get(name: str, **arguments) -> MarginLoss:
    """Makes a loss by its name.

    Args:
        name: A key of `LOSSES`, such as "logit_margin".
        arguments: Of its class.

    Raises:
        ValueError: Where there is no loss of that name.

    Example:

    >>> float(get("dwd_margin", q=1.0).value(1.0))
    0.25
    """
    if name not in LOSSES:
        near = difflib.get_close_matches(name, LOSSES, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"There is no margin loss {name!r}.{hint} There are: {', '.join(LOSSES)}.")
    return LOSSES[name](**arguments)
