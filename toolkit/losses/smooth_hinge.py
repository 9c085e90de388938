"""The hinge with a rounded corner, so that it has a second derivative."""

import keras
from keras import ops

from toolkit.losses.margin_loss import MarginLoss, Properties


@keras.saving.register_keras_serializable(package="toolkit")
class SmoothHinge(MarginLoss):
    """t log(1 + e^((1 - a) / t)), `L1Hinge` as t goes to 0; at most t log 2 above it.

    The hinge has no curvature but at its corner, so that a machine trained with it has no Hessian to predict by. This
    one has 1 / (4 t cosh^2((1 - a) / (2 t))): the smaller t, the fewer examples near the margin count.

    Args:
        temperature: t, in agreement, positive.
        reduction, name: As in `MarginLoss`.

    Raises:
        ValueError: Where the temperature is not positive.

    Example:

    >>> float(SmoothHinge(temperature=0.001).value(-2.0))
    3.0

    Reference: Koh and Liang 2017, arXiv 1703.04730, section 4.2.
    """

    formula = "t * log(1 + e^((1 - a) / t))"
    derivative_formula = "-1 / (1 + e^((a - 1) / t))"
    properties = Properties(
        convex=True, strictly_convex=True, lipschitz_constant=1.0, differentiable=True, twice_differentiable=True
    )

    def __init__(
        self, temperature: float = 0.001, reduction: str = "sum_over_batch_size", name: str | None = None
    ) -> None:
        if not temperature > 0:
            raise ValueError(f"temperature must be positive; got {temperature}.")
        super().__init__(reduction, name)
        self.temperature = temperature

    def _value(self, agreement):
        return self.temperature * ops.softplus((1.0 - agreement) / self.temperature)

    def _derivative(self, agreement):
        return -ops.sigmoid((1.0 - agreement) / self.temperature)

    def get_config(self) -> dict:
        return {**super().get_config(), "temperature": self.temperature}
