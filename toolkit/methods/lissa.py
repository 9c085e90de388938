"""Linear systems of a matrix that is a mean over examples, a few of which are drawn at each step."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class SampledSolution(NamedTuple):
    """Solutions x of (A + effective_damping I) x = b.

    Args:
        vectors: x, float64 (systems, size).
        scale: Scale that was used.
        effective_damping: damping * scale.
    """

    vectors: np.ndarray
    scale: float
    effective_damping: float


def lissa(
    sample: Callable[[np.random.Generator], Callable[[np.ndarray], np.ndarray]],
    vectors: Any,
    scale: float | None = None,
    damping: float = 0.0,
    depth: int = 1000,
    repeats: int = 4,
    seed: int = 0,
) -> SampledSolution:
    """Solves (A + damping scale I) x = b by the series of an inverse, with another sample A_j of A at each step.

    h_0 = b; h_j = b + (1 - damping) h_{j-1} - A_j h_{j-1} / scale; x = h_depth / scale, averaged over repeats. For A
    itself the fixed point is ((1/scale) A + damping I)^-1 b / scale: **damping counts scale times**.

    Args:
        sample: Draws examples with a generator, and gives their A_j's product with rows, (systems, size) -> the same.
        vectors: b, (systems, size).
        scale: Above the largest eigenvalue of the A_j; the smaller, the fewer steps. None: `suggested_scale(sample)`.
        damping: From 0 to 1.
        depth: Steps; about `scale` over the least eigenvalue of A + damping scale I, several times.
        repeats: Times that it is done anew.
        seed: Seed of the draws.

    Returns:
        Solutions, the scale and what the damping came to.

    Raises:
        ValueError: Where it diverges, with the scale that would do; where an argument is out of range.

    Example:

    >>> matrix = np.diag([1.0, 4.0])
    >>> found = lissa(lambda random: lambda rows: rows @ matrix, [[2.0, 5.0]], scale=5.0, damping=0.2)
    >>> found.vectors.round(6), found.effective_damping
    (array([[1., 1.]]), 1.0)

    Reference: Agarwal, Bullins, Hazan 2017, arXiv 1602.03943; Koh and Liang 2017, arXiv 1703.04730, section 3.
    """
    vectors = np.array(vectors, "float64", ndmin=2)
    if not 0 <= damping < 1 or depth < 1 or repeats < 1 or not (scale is None or scale > 0):
        raise ValueError(
            f"Expected scale > 0, damping from 0 to below 1, depth and repeats of 1 or more; got {scale}, {damping}, "
            f"{depth} and {repeats}."
        )
    if scale is None:
        scale = suggested_scale(sample, vectors.shape[1], seed)
    random, mean = np.random.default_rng(seed), np.zeros_like(vectors)
    # With eigenvalues of A_j from 0 to scale no step makes the last term longer than b.
    limit = np.linalg.norm(vectors, axis=1) + 1e-30
    for _ in range(repeats):
        estimate = vectors
        for step in range(1, depth + 1):
            estimate = vectors + (1 - damping) * estimate - np.asarray(sample(random)(estimate), "float64") / scale
            if not (np.linalg.norm(estimate, axis=1) <= 2 * (step + 1) * limit).all():  # so that NaN is found too
                suggested = suggested_scale(sample, vectors.shape[1], seed)
                advice = f"give scale={suggested:.3g}" if suggested > scale else "more damping, or larger samples"
                raise ValueError(f"LiSSA diverges after {step} steps with scale={scale:.3g}: {advice}.")
        mean += estimate / scale / repeats
    return SampledSolution(mean, float(scale), float(damping * scale))


def suggested_scale(
    sample: Callable[[np.random.Generator], Callable[[np.ndarray], np.ndarray]],
    size: int,
    seed: int = 0,
    num_samples: int = 8,
    num_steps: int = 20,
) -> float:
    """Finds a scale for `lissa`: a quarter above the largest eigenvalue of some samples, by power iteration.

    Args:
        sample: As in `lissa`.
        size: Length of the vectors.
        seed: Seed of the draws and of the first vector.
        num_samples: Samples that are looked at.
        num_steps: Products with each.

    Example:

    >>> matrix = np.diag([1.0, 4.0])
    >>> round(suggested_scale(lambda random: lambda rows: rows @ matrix, 2), 3)
    5.0
    """
    random, largest = np.random.default_rng(seed), 0.0
    for _ in range(num_samples):
        product, vector, length = sample(random), random.standard_normal((1, size)), 0.0
        for _ in range(num_steps):
            vector = np.asarray(product(vector / np.linalg.norm(vector)), "float64")
            length = np.linalg.norm(vector)
            if not 0 < length < np.inf:
                break
        largest = max(largest, length)
    return 1.25 * float(largest) or 1.0
