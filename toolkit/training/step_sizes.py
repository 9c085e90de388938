"""How large a training's steps are, from the first to the last."""

from toolkit.lazy import keras


def falling(first: float, num_steps: int) -> "keras.optimizers.schedules.LearningRateSchedule":
    """Makes step sizes that fall over the last third of a training, to a thirtieth.

    The first until 70% of the steps are done, a third of it until 85%, a tenth until 95%, and then a thirtieth.

    Args:
        first: The first step size.
        num_steps: Steps of the whole training.

    Returns:
        A schedule for an optimiser.

    Example:

    >>> schedule = falling(0.3, num_steps=100)
    >>> [round(float(schedule(step)), 4) for step in (0, 70, 71, 86, 96)]
    [0.3, 0.3, 0.1, 0.03, 0.01]
    """
    return keras.optimizers.schedules.PiecewiseConstantDecay(
        [int(part * num_steps) for part in (0.7, 0.85, 0.95)], [first / part for part in (1, 3, 10, 30)]
    )


def graves_optimizer(name: str, num_steps: int, first: float | None = None) -> "keras.optimizers.Optimizer":
    """Makes the optimizers of Graves 2013, and Adam in their place, their step sizes falling as `falling` says.

    Args:
        name: "rmsprop", centred and with momentum, the paper's for handwriting; "sgd" with momentum, the paper's for
            text; or "adam", the gradient's norm at most 10.
        num_steps: Steps of the whole training.
        first: The first step size; None: 3e-3 for adam, 1e-4, the paper's, for the others.

    Returns:
        The optimizer.

    Raises:
        ValueError: Where it is none of these.

    Example:

    >>> graves_optimizer("rmsprop", num_steps=100).momentum
    0.9

    Reference: Graves 2013, arXiv 1308.0850, sections 3.1 and 4.2.
    """
    steps = falling(first or (3e-3 if name == "adam" else 1e-4), num_steps)
    if name == "adam":
        return keras.optimizers.Adam(steps, global_clipnorm=10.0)
    if name == "rmsprop":
        return keras.optimizers.RMSprop(steps, rho=0.95, momentum=0.9, epsilon=1e-4, centered=True)
    if name == "sgd":
        return keras.optimizers.SGD(steps, momentum=0.99)
    raise ValueError(f"optimizer={name!r}: expected adam, rmsprop or sgd.")
