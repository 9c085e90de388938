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
