"""What a memory recalled for a query, below it."""

from typing import TYPE_CHECKING

import numpy as np

from toolkit.visualize import images

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def recalled(asked: np.ndarray, found: np.ndarray, wrong: np.ndarray, *, columns: int = 10) -> "Figure":
    """Draws images that were asked for, and below each the one that was recalled, in red where it is another thing.

    Args:
        asked: (images, height, width[, channels]), 0 to 255.
        found: The like, what was recalled for each.
        wrong: bool (images,), whether it is of another class.
        columns: Images in a row.

    Returns:
        A matplotlib figure.

    Raises:
        ValueError: Where there are not as many of each.

    Example:

    >>> figure = recalled(np.zeros((2, 8, 8)), np.zeros((2, 8, 8)), np.array([False, True]))
    >>> [axis.get_xlabel() for axis in figure.axes]
    ['asked', 'asked', 'recalled', 'mistaken']
    """
    asked, found, wrong = np.asarray(asked), np.asarray(found), np.asarray(wrong, bool)
    if asked.shape != found.shape or wrong.shape != asked.shape[:1]:
        raise ValueError(f"expected as many of each; got {asked.shape}, {found.shape} and {wrong.shape}.")
    columns = max(1, min(columns, len(asked)))
    tiles, titles, marks = [], [], []
    for start in range(0, len(asked), columns):
        row = slice(start, start + columns)
        here = wrong[row].tolist()
        tiles += [asked[row], found[row]]
        titles += ["asked"] * len(here) + ["mistaken" if each else "recalled" for each in here]
        marks += [False] * len(here) + here
    return images.grid(np.concatenate(tiles), titles, columns=columns, wrong=marks)
