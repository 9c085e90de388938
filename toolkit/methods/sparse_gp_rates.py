"""How many inducing inputs a sparse Gaussian process needs as its rows grow, told before any row is seen."""

import heapq
from typing import Any

import numpy as np


def eigenvalues(num: int, variance: float, length_scales: Any, input_scales: Any) -> np.ndarray:
    """Computes the largest eigenvalues of the squared exponential kernel under Gaussian inputs.

    The operator f → ∫ k(x, x') f(x') N(x'; 0, diag s²) dx' has, for each multi-index m, the eigenvalue

        v prod_d (1 - r_d) r_d^m_d,   r = b / (a + b + c), a = 1 / (4 s²), b = 1 / (2 l²), c = sqrt(a² + 2 a b).

    Args:
        num: How many.
        variance: v = k(x, x).
        length_scales: l, (D,).
        input_scales: Standard deviations s of the inputs, (D,) or one.

    Returns:
        From the largest on, float64 (num,); all of them together sum to v.

    Raises:
        ValueError: Where a scale is not over 0.

    Example:

    >>> eigenvalues(3, 1.0, [0.5], 1.0).round(4).tolist()
    [0.3904, 0.238, 0.1451]

    Reference: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, section 4.3.1; Burt, Rasmussen and
    van der Wilk 2019, arXiv 1903.03571, section 5.1.
    """
    ratios = _ratios(variance, length_scales, input_scales)
    logs = np.log(ratios)
    # The largest that is left of the multi-indices reached; each is reached once, by raising its last places only.
    heap, found = [(0.0, (0,) * len(logs), 0)], []
    while len(found) < num:
        paid, index, last = heapq.heappop(heap)
        found.append(-paid)
        for place in range(last, len(logs)):
            raised = (*index[:place], index[place] + 1, *index[place + 1 :])
            heapq.heappush(heap, (paid - logs[place], raised, place))
    return variance * np.prod(1.0 - ratios) * np.exp(found)


def _ratios(variance, length_scales, input_scales):
    """r of each dimension."""
    lengths = np.atleast_1d(np.asarray(length_scales, np.float64))
    scales = np.broadcast_to(np.asarray(input_scales, np.float64), lengths.shape)
    if not (lengths > 0).all() or not (scales > 0).all() or not variance > 0:
        raise ValueError(
            f"variance and scales must be over 0; got {variance}, {lengths.tolist()} and {scales.tolist()}."
        )
    a, b = 1.0 / (4.0 * scales**2), 1.0 / (2.0 * lengths**2)
    return b / (a + b + np.sqrt(a**2 + 2.0 * a * b))


def tails(num: int, variance: float, length_scales: Any, input_scales: Any) -> np.ndarray:
    """Computes the sums of all those eigenvalues but the first M; in one dimension v r^M.

    Args:
        num: The largest M.
        variance: As in `eigenvalues`.
        length_scales: As there.
        input_scales: As there.

    Returns:
        For each M from 0 to num, float64 (num + 1,). In several dimensions rounded upwards, by 2e-16 num v.

    Raises:
        ValueError: As `eigenvalues`.

    Example:

    >>> tails(2, 1.0, [0.5], 1.0).round(4).tolist()
    [1.0, 0.6096, 0.3716]
    """
    ratios = _ratios(variance, length_scales, input_scales)
    if len(ratios) == 1:
        return variance * ratios[0] ** np.arange(num + 1)
    taken = np.cumsum(eigenvalues(num, variance, length_scales, input_scales))
    left = np.maximum(variance - np.concatenate([[0.0], taken]), 0.0)
    return left + num * variance * np.finfo(np.float64).eps


def sampled_tails(x: Any, kernel: Any) -> np.ndarray:
    """Estimates the like for any kernel and any inputs, by the eigenvalues of K / n on a sample.

    Args:
        x: n rows, drawn as the inputs are, float64 (n, D); some hundreds to thousands.
        kernel: A `tfp.math.psd_kernels` kernel.

    Returns:
        For each M from 0 to n, float64 (n + 1,); where M comes near n they are too small.

    Reference: Shawe-Taylor et al. 2005, On the Eigenspectrum of the Gram Matrix.
    """
    covariances = kernel.matrix(x, x).numpy()
    values = np.maximum(np.linalg.eigvalsh(covariances), 0.0) / len(covariances)
    return np.concatenate([[0.0], np.cumsum(values)])[::-1]


def kl_bound(
    tail: float,
    num_inducing: int,
    num_rows: int,
    noise: float,
    *,
    targets_squared: float | None = None,
    failure: float = 0.1,
    eigenfunctions: bool = False,
    sampling_error: float = 0.0,
    variance: float = 1.0,
) -> float:
    """Bounds the divergence of the sparse posterior from the exact one before any row is seen.

    With probability 1 - failure over rows and inducing inputs, and C = (M + 1) N tail + 2 N v ε for rows drawn by a
    k-DPP (to within ε), or C = N tail for the kernel's eigenfunctions as inducing variables,

        KL <= C / (2 σ² failure) (1 + |y|² / σ²)   for given targets,
        KL <= C / (σ² failure)                     for targets that the process itself draws.

    Args:
        tail: The sum of all eigenvalues but the first M.
        num_inducing: M.
        num_rows: N.
        noise: σ².
        targets_squared: |y|², of all N; None: drawn by the process.
        failure: The probability that the bound does not hold.
        eigenfunctions: Whether inducing variables are the eigenfunctions' coefficients instead of values at rows.
        sampling_error: ε, the distance in total variation of the rows' distribution from the k-DPP's.
        variance: v = k(x, x), with ε.

    Returns:
        Nats.

    Example:

    >>> round(kl_bound(1e-6, num_inducing=19, num_rows=1000, noise=0.1), 6)
    2.0

    Reference: Burt, Rasmussen and van der Wilk 2019, arXiv 1903.03571, theorems 1 to 4.
    """
    unexplained = num_rows * tail * (1 if eigenfunctions else num_inducing + 1)
    unexplained += 0.0 if eigenfunctions else 2.0 * num_rows * variance * sampling_error
    factor = 1.0 if targets_squared is None else 0.5 * (1.0 + targets_squared / noise)
    return float(unexplained * factor / (noise * failure))


def kl_bound_of_trace(trace: float, noise: float, targets_squared: float, largest: float | None = None) -> float:
    """Bounds the divergence once the inducing inputs are chosen: U - L is less still.

    KL <= t / (2 σ²) + e / (2 σ²) |y|² / (e + σ²), e the largest eigenvalue of K_ff - Q_ff, or t, which is no less.

    Args:
        trace: t, as `GPSummary.trace`.
        noise: σ².
        targets_squared: |y|².
        largest: e; None: t.

    Returns:
        Nats. Over targets that the process itself draws the mean of the divergence lies between t / (2 σ²) and t / σ².

    Example:

    >>> kl_bound_of_trace(0.1, noise=0.1, targets_squared=2.0)
    5.5

    Reference: Burt, Rasmussen and van der Wilk 2019, arXiv 1903.03571, lemma 2.
    """
    largest = trace if largest is None else largest
    return float((trace + largest * targets_squared / (largest + noise)) / (2.0 * noise))


def num_inducing_for(kl: float, tails: Any, num_rows: int, noise: float, **how: Any) -> int:
    """Finds how many inducing inputs the bound asks for.

    For the squared exponential and Gaussian inputs it grows as log(N)^D, for Matérn kernels as a power of N.

    Args:
        kl: What `kl_bound` is to be at most, in nats.
        tails: What the function `tails`, or `sampled_tails`, returned.
        num_rows: N.
        noise: σ².
        **how: As in `kl_bound`.

    Returns:
        The least M of 1 or more, at most N: with as many inducing inputs as rows there is no divergence.

    Raises:
        ValueError: Where the tails end before.

    Example:

    >>> known = tails(60, 1.0, [0.5], 1.0)
    >>> [num_inducing_for(1.0, known, 10**power, 0.1) for power in (3, 4, 5, 6)]
    [31, 36, 41, 45]

    Reference: Burt, Rasmussen and van der Wilk 2019, arXiv 1903.03571, corollaries 1 and 2.
    """
    for number, tail in enumerate(tails[1:], start=1):
        if number >= num_rows or kl_bound(float(tail), number, num_rows, noise, **how) <= kl:
            return number
    raise ValueError(f"{len(tails) - 1} inducing inputs do not suffice for {num_rows} rows; give more tails.")
