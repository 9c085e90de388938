"""What of a value is one event: numbers whose probabilities are multiplied, such as those of an image."""

from typing import Any

from keras import ops


def check_event_ndims(event_ndims: int) -> None:
    """Refuses a number of axes that cannot be one.

    Args:
        event_ndims: Axes of a value that are one event.

    Raises:
        ValueError: Where it is negative.
    """
    if event_ndims < 0:
        raise ValueError(f"event_ndims must be at least 0; got {event_ndims}.")


def summed(log_prob: Any, event_ndims: int) -> Any:
    """Sums what each number of an event has.

    Args:
        log_prob: (..., *event).
        event_ndims: How many axes the event has.

    Returns:
        (...).
    """
    return ops.sum(log_prob, axis=list(range(-event_ndims, 0))) if event_ndims else log_prob
