"""Losses of an agreement a = y f(x): how far a score f(x) lies on its label's side, for labels y of -1 and +1."""

import difflib
import math

import keras
from keras import ops

from toolkit.losses.margin_loss import MarginLoss, Properties


@keras.saving.register_keras_serializable(package="toolkit")
class ZeroOne(MarginLoss):
    """1 where a < 0, else 0: the share of wrong labels. Its derivative is 0: nothing is learned from it.

    A score of exactly 0 counts as right for both labels; the loss is calibrated for all other scores.

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
        # `minimum` keeps the unused branch from overflowing. At the edge both branches are equal, and the straight one
        # is taken: at a tie the gradient of `minimum` would be split between its two arguments.
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
    """(1 - a)^2: least squares; agreements above 1 are penalised too."""

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

LOSSES = {loss.default_name(): loss for loss in MarginLoss.__subclasses__() if loss.__module__ == __name__}


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
