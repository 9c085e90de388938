"""How many inducing inputs are enough: what was measured, what theory asks for, and the line as the rows double."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from toolkit.methods import sparse_gp_rates
from toolkit.methods.gp_covariance import GPParameters, kernel
from toolkit.methods.inducing_inputs import WAYS
from toolkit.methods.sparse_gp_convergence import measured

_TAILS, _SAMPLED = 1000, 2000  # eigenvalues that are computed, and rows whose eigenvalues stand for the kernel's


def divergences(
    x: Any,
    y: Any,
    parameters: GPParameters,
    name: str,
    *,
    sizes: Iterable[int],
    counts: Iterable[int],
    seed: int = 0,
    keep: Callable[..., Mapping[str, Any]] = lambda function, stage: function(),
) -> list[dict[str, Any]]:
    """Measures how near sparse processes come, at each N, for each way of choosing, at each M.

    Args:
        x: Rows, float64 (N, D), of which the first are taken.
        y: Targets, (N,).
        parameters: See `GPParameters`; the inducing inputs are not looked at.
        name: The kernel's, one of `KERNELS`.
        sizes: Numbers of rows.
        counts: Numbers of inducing inputs.
        seed: Of the choices.
        keep: Calls a function unless its result is kept already, under a name, as `run.compute` does.

    Returns:
        A row for each: "rows", "way", what `measured` returns, and "divergence", that from the exact process, or where
        it is not computed its bound.
    """
    found = []
    for size, way, count in itertools.product(sizes, WAYS, counts):

        def one(size=size, way=way, count=count):
            return measured(x[:size], y[:size], parameters, name, way=way, num_inducing=count, seed=seed)

        kept = {key: float(value) for key, value in keep(one, stage=f"rates/{way}_{count}_of_{size}").items()}
        left = kept["kl"] if np.isfinite(kept["kl"]) else kept["kl_bound"]
        found.append({"rows": size, "way": way, **kept, "divergence": left})
    return found


def enough_of(rows: Sequence[Mapping[str, Any]], asked: float) -> dict[str, list[tuple[int, int]]]:
    """Finds for each way of choosing and each N how many inducing inputs were enough.

    Args:
        rows: What `divergences` returned.
        asked: What the divergence is to be at most, in nats.

    Returns:
        By way, pairs (N, M), without those N at which no M was enough.
    """
    found: dict[str, list] = {}
    for size in dict.fromkeys(row["rows"] for row in rows):
        for way, pairs in by_way(rows, size).items():
            count = enough(*zip(*pairs, strict=True), asked)
            if count is not None:
                found.setdefault(way, []).append((size, count))
    return found


def enough(counts: Sequence[int], divergences: Sequence[float], asked: float) -> int | None:
    """Finds the least number of inducing inputs from which on the divergence is what is asked for.

    Args:
        counts: Numbers of inducing inputs, ascending.
        divergences: In nats, of each; by chance one may be larger than that of fewer inputs.
        asked: What it is to be at most.

    Returns:
        One of the counts; None where the last one is not enough.

    Example:

    >>> enough([10, 15, 20, 25], [3.0, 0.05, 0.2, 0.01], 0.1)
    25
    """
    found = None
    for count, divergence in zip(reversed(counts), reversed(divergences), strict=True):
        if not divergence <= asked:
            break
        found = count
    return found


def by_way(rows: Sequence[Mapping[str, Any]], size: int) -> dict[str, list[tuple[int, float]]]:
    """Takes the divergences of some rows out of a table, as curves over the number of inducing inputs.

    Args:
        rows: What `divergences` returned.
        size: N.

    Returns:
        By way, points (M, divergence).
    """
    found: dict[str, list] = {}
    for row in rows:
        if row["rows"] == size:
            found.setdefault(row["way"], []).append((int(row["num_inducing"]), row["divergence"]))
    return found


def log_laws(points: Mapping[str, Sequence[tuple[int, int]]]) -> dict[str, tuple[float, float]]:
    """Fits `log_law` to what was enough, where it was at two N or more.

    Args:
        points: By way, pairs (N, M), as `enough_of` returns them.

    Returns:
        By way, (a, b).
    """
    return {way: log_law(*zip(*pairs, strict=True)) for way, pairs in points.items() if len(pairs) > 1}


def log_law(num_rows: Sequence[int], counts: Sequence[int]) -> tuple[float, float]:
    """Fits M = a + b log2 N by least squares.

    Args:
        num_rows: N, at least two different ones.
        counts: M of each.

    Returns:
        a, and b: how many inducing inputs more each doubling of the rows takes.

    Raises:
        ValueError: Where there are no two different numbers of rows.

    Example:

    >>> a, b = log_law([250, 500, 1000], [20, 23, 26])
    >>> round(b, 6), round(float(a + b * np.log2(2000)), 6)
    (3.0, 29.0)

    Reference: Burt et al. 2019, arXiv 1903.03571, corollary 1: O(log N) in one dimension.
    """
    if len(set(num_rows)) < 2 or len(num_rows) != len(counts):
        raise ValueError(f"expected two numbers of rows or more, and a count for each; got {num_rows}, {counts}.")
    b, a = np.polyfit(np.log2(num_rows), counts, 1)
    return float(a), float(b)


def asked_for(
    divergence: float, x: Any, parameters: GPParameters, name: str = "squared_exponential"
) -> Callable[[int], int]:
    """Makes a function from N to the number of inducing inputs that the theorem asks for, before a target is seen.

    Of one column and the squared exponential the eigenvalues are those under a Gaussian of the rows' deviation; of all
    else they are estimated on rows.

    Args:
        divergence: What the divergence is to be at most, in nats, with probability 0.9.
        x: Rows, float64 (N, D).
        parameters: See `GPParameters`; the inducing inputs are not looked at.
        name: The kernel's, one of `KERNELS`.

    Returns:
        From N to M; at most N, and at most as many as eigenvalues can be estimated.

    Example:

    >>> x = np.random.default_rng(0).normal(size=(500, 1))
    >>> count = asked_for(0.1, x, GPParameters(1.0, np.array([0.5]), 0.1, None))
    >>> count(1000) < count(2000) < count(1000) + 5
    True

    Reference: Burt et al. 2019, arXiv 1903.03571, theorem 4.
    """
    x = np.asarray(x, np.float64)
    if name == "squared_exponential" and x.shape[1] == 1:
        found = sparse_gp_rates.tails(_TAILS, float(parameters.variance), parameters.length_scales, x.std(axis=0))
    else:
        covariance = kernel(name, parameters.variance, parameters.length_scales)
        found = sparse_gp_rates.sampled_tails(x[:_SAMPLED], covariance)

    def count(num_rows):
        return sparse_gp_rates.num_inducing_for(divergence, found, num_rows, float(parameters.noise))

    return count
