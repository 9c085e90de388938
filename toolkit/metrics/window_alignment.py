"""Whether an attention window moves along its text."""

import numpy as np


def text_read(weights: np.ndarray, num_points: np.ndarray, num_characters: np.ndarray) -> np.ndarray:
    """The share of its text that a window has passed by the last point of each line.

    The window's place is the character that it reads most, argmax_u phi(t, u); the share is (place at the last point -
    place at the first) / (characters - 1).

    Args:
        weights: phi, (batch, points, characters).
        num_points: Points of each line, (batch,).
        num_characters: Characters of each text, (batch,).

    Returns:
        (batch,): about 1 where the window reads along, 0 where it stands still, below 0 where it goes back; 1 for a
        text of one character.

    Raises:
        ValueError: Where the shapes do not fit.

    Example:

    >>> still, along = np.zeros((4, 5)), np.eye(5)[:4]
    >>> still[:, 0] = 1.0
    >>> text_read(np.stack([still, along]), np.array([4, 4]), np.array([4, 4])).tolist()
    [0.0, 1.0]

    Reference: Graves 2013, arXiv 1308.0850, section 5.1.
    """
    weights = np.asarray(weights)
    if weights.ndim != 3 or np.shape(num_points) != weights.shape[:1] or np.shape(num_characters) != weights.shape[:1]:
        raise ValueError(
            f"expected weights (batch, points, characters) and two lengths (batch,); got {weights.shape}, "
            f"{np.shape(num_points)} and {np.shape(num_characters)}."
        )
    places = weights.argmax(axis=2)
    rows, num_characters = np.arange(len(weights)), np.asarray(num_characters)
    moved = places[rows, np.asarray(num_points) - 1] - places[:, 0]
    return np.where(num_characters > 1, moved / np.maximum(num_characters - 1, 1), 1.0)
