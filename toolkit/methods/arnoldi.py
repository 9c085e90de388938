"""Eigenvalues of a symmetric matrix that is only known by its products with vectors."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class RitzPairs(NamedTuple):
    """Approximate eigenvalues and eigenvectors of a symmetric matrix.

    Args:
        values: (pairs,), the largest absolute value first.
        vectors: Orthonormal rows, (pairs, size).
    """

    values: np.ndarray
    vectors: np.ndarray


def arnoldi(
    product: Callable[[np.ndarray], np.ndarray], size: int, num_steps: int = 100, rank: int | None = None, seed: int = 0
) -> RitzPairs:
    """Finds the eigenvalues of largest absolute value, and their eigenvectors.

    The products A b, A^2 b, ... of a random b are made orthonormal, each against all before; the eigenvalues of A
    within their span are those of a small matrix. It is exact where there are as many steps as A has rows.

    Args:
        product: Multiplies A with rows, (1, size) -> (1, size).
        size: Rows of A.
        num_steps: Products, at most `size` of them.
        rank: Pairs that are kept; None: all.
        seed: Seed of b.

    Returns:
        Ritz pairs, float64.

    Raises:
        ValueError: Where num_steps or rank is below 1, or a product is not finite.

    Example:

    >>> matrix = np.diag([1.0, 5.0, -3.0])
    >>> arnoldi(lambda rows: rows @ matrix, 3).values.round(6)
    array([ 5., -3.,  1.])

    Reference: Schioppa et al. 2022, arXiv 2112.03052, section 3; Arnoldi 1951.
    """
    if num_steps < 1 or (rank is not None and rank < 1):
        raise ValueError(f"num_steps and rank must be 1 or more; got {num_steps} and {rank}.")
    num_steps = min(num_steps, size)
    basis, projected = np.zeros((num_steps, size)), np.zeros((num_steps, num_steps))
    vector = np.random.default_rng(seed).standard_normal(size)
    for step in range(num_steps):
        basis[step] = vector / np.linalg.norm(vector)
        vector = np.asarray(product(basis[step : step + 1]), "float64")[0]
        if not np.isfinite(vector).all():
            raise ValueError("A product with the matrix is not finite.")
        length = np.linalg.norm(vector)
        for _ in range(2):  # once more, against what rounding left
            overlap = basis[: step + 1] @ vector
            projected[: step + 1, step] += overlap
            vector = vector - overlap @ basis[: step + 1]
        if np.linalg.norm(vector) <= 1e-7 * length:  # the span holds all that comes
            num_steps = step + 1
            break
    projected = projected[:num_steps, :num_steps]
    # Above the diagonal are all overlaps; below it, where they are the lengths, A's symmetry gives the same.
    values, vectors = np.linalg.eigh(projected, UPLO="U")
    order = np.argsort(-np.abs(values), kind="stable")[:rank]
    return RitzPairs(values[order], vectors[:, order].T @ basis[:num_steps])
