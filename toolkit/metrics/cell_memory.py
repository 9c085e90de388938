"""Which of a recurrent network's cells hold what they read for long."""

from collections.abc import Iterable, Mapping

import numpy as np


def cell_values(states: Iterable[Mapping[str, np.ndarray]]) -> np.ndarray:
    """Stacks tanh of the cell states of a network while it reads.

    Args:
        states: At each place the network's states (1, units) by name, as `generation.text.Generator.along` yields them;
            those whose name has "cell" count.

    Returns:
        (time, cells), between -1 and 1, layer by layer.

    Example:

    >>> cell_values([{"hidden_1": np.ones((1, 2)), "cell_1": np.array([[0.0, 9.0]])}]).round(2)
    array([[0., 1.]])
    """
    return np.array([np.concatenate([np.tanh(state[name][0]) for name in state if "cell" in name]) for state in states])


def slowest_cells(values: np.ndarray, num_cells: int = 16, lag: int = 5) -> np.ndarray:
    """Finds the cells whose values change most slowly, of those that change at all.

    They are ranked by c(lag) / c(0) sqrt(c(0)), where c is a cell's autocovariance.

    Args:
        values: (time, cells), as `cell_values` makes them.
        num_cells: How many are wanted.
        lag: The lag of the autocovariance, in steps.

    Returns:
        The numbers of at most `num_cells` cells, the slowest first.

    Example:

    >>> t = np.arange(60.0)
    >>> slowest_cells(np.stack([np.sin(2 * t), np.sin(t / 10), 0 * t], axis=1), num_cells=2)
    array([1, 2])
    """
    centred = values - values.mean(axis=0)
    power = (centred**2).mean(axis=0) + 1e-3  # a constant cell should not rank first
    memory = (centred[lag:] * centred[:-lag]).mean(axis=0) / power
    return np.argsort(-memory * np.sqrt(power))[:num_cells]
