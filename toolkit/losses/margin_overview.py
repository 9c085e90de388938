"""What there is to say of all margin losses: formulas, properties, curves."""

import numpy as np

from toolkit.losses.margin import LOSSES, get
from toolkit.losses.margin_loss import Properties


def table() -> list[tuple[str, str, str, Properties]]:
    """Lists what there is to say of each loss.

    Returns:
        For each: name, formula, derivative, properties; all may be printed.

    Example:

    >>> print(*table()[-1], sep=" | ")
    exp | e^-a | -e^-a | strictly convex, twice differentiable, calibrated
    """
    return [(name, loss.formula, loss.derivative_formula, loss.properties) for name, loss in LOSSES.items()]


def described() -> str:
    """Writes `table` for people, three lines a loss.

    Returns:
        The text.

    Example:

    >>> print(described().splitlines()[-2])
                         derivative -e^-a
    """
    return "\n".join(
        f"  {name:<18} {formula}\n  {'':<18} derivative {derivative}\n  {'':<18} {properties}"
        for name, formula, derivative, properties in table()
    )


def curves(agreement: np.ndarray) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Computes every loss and its derivative.

    Args:
        agreement: (points,) a = y f(x).

    Returns:
        (values, derivatives), each by name of the loss (points,).

    Example:

    >>> values, derivatives = curves(np.array([0.0, 2.0], "float32"))
    >>> values["l1_hinge"].tolist(), derivatives["l1_hinge"].tolist()
    ([1.0, 0.0], [-1.0, 0.0])
    """
    made = {name: get(name) for name in LOSSES}
    values = {name: np.asarray(loss.value(agreement)) for name, loss in made.items()}
    return values, {name: np.asarray(loss.derivative(agreement)) for name, loss in made.items()}
