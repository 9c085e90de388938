"""How good predicted frames are: beside those that came, the last given one, and the mean of the given ones."""

import numpy as np


def prediction(given: np.ndarray, real: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Compares predicted frames with the real ones, and with two guesses that know no motion.

    Args:
        given: (videos, frames, height, width, channels), 0 to 255.
        real: The frames that came after, (videos, later frames, ...).
        predicted: The predicted ones, of the same shape.

    Returns:
        "squared_error", in squared grey levels, of the predicted frames, and "_of_the_last_frame" and
        "_of_the_mean_frame" of the given ones in their place; "sharpness_percent", the mean difference of neighbouring
        pixels in shares of the real frames', and likewise of the mean frame.

    Raises:
        ValueError: Where real and predicted frames are not alike in number and size.

    Example:

    >>> given, real = np.zeros((1, 2, 4, 4, 1)), np.full((1, 3, 4, 4, 1), 10.0)
    >>> found = prediction(given, real, real + 1)
    >>> found["squared_error"], found["squared_error_of_the_last_frame"]
    (1.0, 100.0)
    """
    given, real, predicted = (np.asarray(each, "float64") for each in (given, real, predicted))
    if real.shape != predicted.shape or given.shape[2:] != real.shape[2:]:
        raise ValueError(
            f"expected as many predicted frames of one size as real ones; got {given.shape[1:]} given, "
            f"{real.shape} real and {predicted.shape} predicted."
        )
    mean = given.mean(axis=1, keepdims=True)
    sharp = max(_sharpness(real), 1e-12)
    return {
        "squared_error": float(np.mean((predicted - real) ** 2)),
        "squared_error_of_the_last_frame": float(np.mean((given[:, -1:] - real) ** 2)),
        "squared_error_of_the_mean_frame": float(np.mean((mean - real) ** 2)),
        "sharpness_percent": 100 * _sharpness(predicted) / sharp,
        "sharpness_of_the_mean_frame_percent": 100 * _sharpness(mean) / sharp,
    }


def _sharpness(frames):
    """Mean difference of pixels that are neighbours."""
    return float(np.mean([np.abs(np.diff(frames, axis=axis)).mean() for axis in (2, 3)]))
