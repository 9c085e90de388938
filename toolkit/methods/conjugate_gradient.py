"""Linear systems of a matrix that is only known by its products with vectors."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Solution(NamedTuple):
    """Solutions x of A x = b.

    Args:
        vectors: x, float64 (systems, size).
        residuals: ||A x - b|| / ||b||, (systems,).
        num_iterations: Products with A that it took.
        least_ritz_value: The least eigenvalue of A that showed meanwhile: A's own least is at most this.
    """

    vectors: np.ndarray
    residuals: np.ndarray
    num_iterations: int
    least_ritz_value: float


def conjugate_gradient(
    product: Callable[[np.ndarray], np.ndarray],
    vectors: Any,
    tolerance: float = 1e-6,
    max_iterations: int = 200,
) -> Solution:
    """Solves A x = b for several b at once, A symmetric and positive definite.

    Args:
        product: Multiplies A with rows, (systems, size) -> (systems, size).
        vectors: b, (systems, size).
        tolerance: Relative residual at which a system is solved.
        max_iterations: Products at most; the residuals say how far it came.

    Returns:
        Solutions, with the residual of one more product.

    Raises:
        NotPositiveDefinite: Where x' A x is below 0 for a direction x that was met.
        ValueError: Where a product or a vector is not finite.

    Example:

    >>> matrix = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> conjugate_gradient(lambda rows: rows @ matrix, [[3.0, 4.0]]).vectors.round(6)
    array([[1., 1.]])

    Reference: Hestenes and Stiefel 1952, Methods of conjugate gradients for solving linear systems.
    """
    vectors = np.array(vectors, "float64", ndmin=2)
    _check_finite(vectors, "A vector")
    norms = np.linalg.norm(vectors, axis=1)
    solutions, residuals, directions = np.zeros_like(vectors), vectors.copy(), vectors.copy()
    squares, active = norms**2, np.flatnonzero(norms)
    diagonals, sides = [[] for _ in norms], [[] for _ in norms]  # of the Lanczos matrix that the steps make
    previous, num_iterations = {}, 0
    while len(active) and num_iterations < max_iterations:
        curved = np.asarray(product(directions[active]), "float64")
        _check_finite(curved, "A product with the matrix")
        num_iterations += 1
        curvatures = np.sum(directions[active] * curved, axis=1)
        for row, curvature in zip(active, curvatures, strict=True):
            if curvature <= 0:
                along = curvature / np.sum(directions[row] ** 2)
                raise NotPositiveDefinite(min(along, *_ritz_values(diagonals[row], sides[row]), along))
        steps = squares[active] / curvatures
        solutions[active] += steps[:, None] * directions[active]
        residuals[active] -= steps[:, None] * curved
        new = np.sum(residuals[active] ** 2, axis=1)
        ratios = new / squares[active]
        for row, step, ratio in zip(active, steps, ratios, strict=True):
            diagonals[row].append(1 / step + previous.get(row, 0.0))
            sides[row].append(np.sqrt(ratio) / step)
            previous[row] = ratio / step
        directions[active] = residuals[active] + ratios[:, None] * directions[active]
        squares[active] = new
        active = active[np.sqrt(new) > tolerance * norms[active]]
    least = min((_ritz_values(*each)[0] for each in zip(diagonals, sides, strict=True) if each[0]), default=np.inf)
    left = np.linalg.norm(np.asarray(product(solutions), "float64") - vectors, axis=1)
    return Solution(solutions, left / np.where(norms > 0, norms, 1.0), num_iterations, least)


class NotPositiveDefinite(ValueError):
    """A matrix has an eigenvalue that is not above 0.

    Args:
        eigenvalue: That or one above it.
    """

    def __init__(self, eigenvalue: float) -> None:
        super().__init__(f"The matrix is not positive definite: it has an eigenvalue of {eigenvalue:.3g} or less.")
        self.eigenvalue = float(eigenvalue)


def _ritz_values(diagonal, side):
    matrix = np.diag(diagonal) + np.diag(side[: len(diagonal) - 1], 1) + np.diag(side[: len(diagonal) - 1], -1)
    return np.linalg.eigvalsh(matrix) if len(diagonal) else np.array([np.inf])


def _check_finite(array, name):
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not finite.")
