"""Solutions of linear systems with the Hessian, kept as what several of them share."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Solved:
    """H^-1 grad of the loss of each query, as `mix @ directions`.

    Args:
        directions: (directions, num_weights).
        mix: (queries, directions); None: each direction is a query's.
        residuals: ||H x - grad|| / ||grad|| of each query, (queries,).
    """

    directions: np.ndarray
    mix: np.ndarray | None
    residuals: np.ndarray

    @property
    def vectors(self) -> np.ndarray:
        """H^-1 grad of each query, (queries, num_weights)."""
        return self.directions if self.mix is None else self.mix @ self.directions

    def mixed(self, values: np.ndarray) -> np.ndarray:
        """Turns values (directions, ...), linear in each direction, into those of the queries, (queries, ...)."""
        return values if self.mix is None else np.tensordot(self.mix, values, 1)
