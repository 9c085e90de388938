"""Step sizes over a training, and optimizers whose weight decay is that of the papers."""

from typing import Any

from toolkit.lazy import keras

SCHEDULES = ("cosine", "poly", "steps", "plateau", "exponential", "constant")
OPTIMIZERS = ("sgd", "adam", "rmsprop")


def step_size(
    schedule: str,
    learning_rate: float,
    *,
    epochs: int,
    steps_per_epoch: int,
    warmup_epochs: float = 0.0,
    decay_rate: float = 0.96,
    decay_epochs: float = 8.0,
) -> Any:
    """Makes a schedule of the step size.

    Args:
        schedule: "cosine": to 0, after a rise from a 25th; "poly": to 0 as (1 - step / last step)^0.9; "steps": a tenth
            after 1/2 and again after 3/4; "plateau": the number itself, which `plateau` changes; "exponential": times
            `decay_rate` each `decay_epochs`; "constant".
        learning_rate: The largest step size.
        epochs: Of the whole training.
        steps_per_epoch: Steps in an epoch.
        warmup_epochs: Epochs in which "cosine" rises.
        decay_rate: Factor of "exponential".
        decay_epochs: Epochs to each factor.

    Returns:
        A `keras.optimizers.schedules.LearningRateSchedule`; for "plateau" a number.

    Raises:
        ValueError: Where there is no such schedule.

    Example:

    >>> steps = step_size("steps", 0.1, epochs=4, steps_per_epoch=10)
    >>> [round(float(steps(step)), 6) for step in (0, 25, 35)]
    [0.1, 0.01, 0.001]

    Reference: Loshchilov, Hutter 2017, arXiv 1608.03983 (cosine); Chen et al. 2016, arXiv 1606.00915, section 4.1.2
    (poly); He et al. 2016, section 4.2 (steps); Szegedy et al. 2015, section 6 (exponential).
    """
    num_steps, schedules = epochs * steps_per_epoch, keras.optimizers.schedules
    if schedule == "cosine":
        warmup = min(int(warmup_epochs * steps_per_epoch), num_steps - 1)
        return schedules.CosineDecay(
            learning_rate / 25 if warmup else learning_rate,
            num_steps - warmup,
            warmup_target=learning_rate if warmup else None,
            warmup_steps=warmup,
        )
    if schedule == "poly":
        return schedules.PolynomialDecay(learning_rate, num_steps, end_learning_rate=0.0, power=0.9)
    if schedule == "steps":
        edges = [num_steps // 2, num_steps * 3 // 4]
        return schedules.PiecewiseConstantDecay(edges, [learning_rate, learning_rate / 10, learning_rate / 100])
    if schedule == "exponential":
        decay_steps = max(1, int(decay_epochs * steps_per_epoch))
        return schedules.ExponentialDecay(learning_rate, decay_steps, decay_rate, staircase=True)
    if schedule == "constant":  # not a number, which a checkpoint would keep, whatever a later command asks for
        return schedules.PiecewiseConstantDecay([1], [learning_rate, learning_rate])
    if schedule == "plateau":
        return learning_rate
    raise ValueError(f"schedule={schedule!r}: expected one of {', '.join(SCHEDULES)}.")


def decaying_optimizer(kind: str, learning_rate: Any, *, momentum: float = 0.9, weight_decay: float = 0.0) -> Any:
    """Makes an optimizer that pulls kernels towards 0 as much as the papers' weight decay does.

    Keras takes a share of the weight at each step; the papers' decay is part of the gradient, which momentum sums up:
    w <- w - v, v <- m v + rate (gradient + decay w). So Keras is given decay / (1 - m). Biases and what normalization
    learns do not decay.

    Args:
        kind: "sgd" with momentum, "rmsprop" with momentum, or "adam" (AdamW, whose decay is taken as it is).
        learning_rate: A number or a schedule.
        momentum: m, from 0 to less than 1.
        weight_decay: Of kernels, for the loss of an example.

    Returns:
        A `keras.optimizers.Optimizer`.

    Raises:
        ValueError: Where there is no such optimizer.

    Example:

    >>> round(decaying_optimizer("sgd", 0.1, weight_decay=5e-4).weight_decay, 6)
    0.005

    Reference: Krizhevsky, Sutskever, Hinton 2012, section 5; Szegedy et al. 2016, section 8 (RMSProp).
    """
    decay = weight_decay / (1 - momentum)
    if kind == "sgd":
        made = keras.optimizers.SGD(learning_rate, momentum=momentum, weight_decay=decay or None)
    elif kind == "rmsprop":
        made = keras.optimizers.RMSprop(
            learning_rate, rho=0.9, momentum=momentum, epsilon=1.0, weight_decay=decay or None
        )
    elif kind == "adam":
        made = keras.optimizers.AdamW(learning_rate, weight_decay=weight_decay)
    else:
        raise ValueError(f"kind={kind!r}: expected one of {', '.join(OPTIMIZERS)}.")
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return made
