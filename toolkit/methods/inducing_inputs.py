"""Where a sparse Gaussian process looks: inducing inputs chosen among rows, or as their means."""

from typing import Any

import numpy as np

from toolkit.methods.gp_covariance import kernel

WAYS = ("uniform", "k_means", "k_dpp", "greedy_variance")
# K-means sees at most so many rows, and the greedy choice so many numbers of its N x M factor (512 MB).
MAX_K_MEANS_ROWS, MAX_FACTOR_SIZE = 20_000, 2**26
# Under this share of its prior variance a row is told by the others, but for rounding.
_TOLD = 1e-10
# Steps of the chain after which the inverse is computed anew.
_BLOCK_STEPS = 256


def choose(way: str, x: Any, num_inducing: int, kernel: Any, seed: int = 0) -> np.ndarray:
    """Chooses inducing inputs.

    - "uniform": rows, each set as likely;
    - "k_means": the means of k-means, which need not be rows;
    - "k_dpp": rows S with probability det K_SS, by `k_dpp`;
    - "greedy_variance": one row after the other, by `greedy_variance`.

    Args:
        way: One of `WAYS`.
        x: Rows, (N, D).
        num_inducing: M.
        kernel: A `tfp.math.psd_kernels` kernel, as `gp_covariance.kernel` makes it.
        seed: Of what is drawn.

    Returns:
        float64 (M, D), no row twice; fewer than M where x has not so many different rows, or where the kernel cannot
        tell more of them apart ("k_dpp" and "greedy_variance").

    Raises:
        ValueError: Where the way is unknown, a number is not finite, or M is not from 1 to N.

    Example:

    >>> from toolkit.methods import gp_covariance
    >>> x = np.linspace(0.0, 4.0, 5)[:, None]
    >>> choose("greedy_variance", x, 3, gp_covariance.kernel("squared_exponential", 1.0, [1.0])).ravel().tolist()
    [0.0, 4.0, 2.0]

    Reference: Burt, Rasmussen and van der Wilk 2019, arXiv 1903.03571, section 4.
    """
    x = np.asarray(x, np.float64)
    if way not in WAYS:
        raise ValueError(f"way must be one of {', '.join(WAYS)}; got {way!r}.")
    if x.ndim != 2 or not np.isfinite(x).all():
        raise ValueError(
            f"expected finite rows of shape (N, D); got shape {x.shape}, {np.sum(~np.isfinite(x))} not finite."
        )
    if not 1 <= num_inducing <= len(x):
        raise ValueError(f"num_inducing must be from 1 to the {len(x)} rows; got {num_inducing}.")
    random = np.random.default_rng(seed)
    if way == "uniform":
        return _uniform(x, num_inducing, random)
    if way == "k_means":
        return _k_means(x, num_inducing, random)
    most = max(MAX_FACTOR_SIZE // num_inducing, num_inducing)
    if len(x) > most:
        x = x[np.sort(random.choice(len(x), most, replace=False))]
    chosen = greedy_variance(x, num_inducing, kernel)
    return x[chosen if way == "greedy_variance" else k_dpp(x, chosen, kernel, seed=seed)]


def chosen(way: str, x: Any, num_inducing: int, parameters: Any, name: str, seed: int = 0) -> Any:
    """Gives parameters the inducing inputs that their kernel chooses.

    Args:
        way, x, seed: As in `choose`.
        num_inducing: M; more than N are N.
        parameters: `gp_covariance.GPParameters`; their inducing inputs are not looked at.
        name: The kernel's, one of `gp_covariance.KERNELS`.

    Returns:
        The new parameters.
    """
    covariance = kernel(name, parameters.variance, parameters.length_scales)
    found = choose(way, x, min(num_inducing, len(x)), covariance, seed)
    return parameters._replace(inducing_inputs=found)


def _uniform(x, number, random):
    found = np.unique(x[random.choice(len(x), number, replace=False)], axis=0)
    if len(found) < number:
        every = np.unique(x, axis=0)
        found = every[random.choice(len(every), min(number, len(every)), replace=False)]
    return found


def _k_means(x, number, random):
    from sklearn.cluster import KMeans

    if len(x) > MAX_K_MEANS_ROWS:
        x = x[random.choice(len(x), max(MAX_K_MEANS_ROWS, number), replace=False)]
    distinct = np.unique(x, axis=0)
    if len(distinct) <= number:  # each is its own mean
        return distinct
    clusters = KMeans(number, n_init=1, random_state=int(random.integers(2**31))).fit(x)
    return np.unique(clusters.cluster_centers_, axis=0)


def greedy_variance(x: Any, num_inducing: int, kernel: Any) -> np.ndarray:
    """Chooses the row whose variance given those chosen before it is the largest, again and again.

    It is the Cholesky factorization of K_ff with pivoting, stopped after M columns: O(N M²) time, N M numbers.

    Args:
        x: Rows, float64 (N, D).
        num_inducing: M.
        kernel: A `tfp.math.psd_kernels` kernel.

    Returns:
        Indices of rows, in the order of their choice, int64 (M,), or fewer where no variance is left.

    Reference: Burt, Rasmussen and van der Wilk 2020, arXiv 2008.00323, section 4.2.
    """
    variance = kernel.apply(x, x).numpy()
    least = _TOLD * variance.max()
    factor = np.empty((num_inducing, len(x)))
    chosen = []
    while len(chosen) < num_inducing and variance.max() > least:
        number, pivot = len(chosen), int(variance.argmax())
        column = kernel.matrix(x, x[pivot : pivot + 1]).numpy()[:, 0]
        column -= factor[:number, pivot] @ factor[:number]
        factor[number] = column / np.sqrt(variance[pivot])
        variance -= factor[number] ** 2
        variance[pivot] = 0.0
        chosen.append(pivot)
    return np.array(chosen, np.int64)


def k_dpp(x: Any, start: Any, kernel: Any, *, num_steps: int = 10_000, seed: int = 0) -> np.ndarray:
    """Draws rows S from a k-determinantal point process, P(S) = det K_SS / sum of the like, by a Markov chain.

    Half of the steps stay; the others offer to exchange a member s for another row t, which is accepted with
    probability min(1, r), r = det K_new / det K_old = (K_SS⁻¹)_ss (k_tt - k_tᵀ K_SS⁻¹ k_t) + (K_SS⁻¹ k_t)_s².

    Args:
        x: Rows, float64 (N, D).
        start: Indices of the rows with which the chain begins, (M,), such as `greedy_variance` gives.
        kernel: A `tfp.math.psd_kernels` kernel.
        num_steps: Steps of the chain.
        seed: Of the chain.

    Returns:
        Indices of rows, int64 (M,).

    Reference: Anari, Oveis Gharan and Rezaei 2016, arXiv 1602.05242; Burt, Rasmussen and van der Wilk 2019, arXiv
    1903.03571, section 4.2.
    """
    random, chosen = np.random.default_rng(seed), np.array(start, np.int64)
    size = len(chosen)
    num_moves = int(random.integers(2, size=num_steps).sum())
    for first in range(0, num_moves, _BLOCK_STEPS):
        number = min(_BLOCK_STEPS, num_moves - first)
        offered, leaving = random.integers(len(x), size=number), random.integers(size, size=number)
        pool = np.concatenate([chosen, offered])  # who may be a member during these steps
        covariances = kernel.matrix(x[pool], x[pool]).numpy()
        covariances[np.diag_indices(len(pool))] *= 1.0 + _TOLD
        members, taken = np.arange(size), set(chosen.tolist())
        inverse = np.linalg.inv(covariances[:size, :size])
        for step, (place, chance) in enumerate(zip(leaving, random.random(number), strict=True), start=size):
            if int(pool[step]) in taken:
                continue
            exchange = inverse, place, covariances[members, step], covariances[step, step]
            if chance < _ratio(*exchange):
                taken ^= {int(pool[members[place]]), int(pool[step])}
                members[place] = step
                _exchange(*exchange)
        chosen = pool[members]
    return chosen


def _ratio(inverse, place, towards, variance):
    """det K_new / det K_old, where a row of this variance and covariances towards the members comes to one place."""
    solved = inverse @ towards
    return inverse[place, place] * max(variance - towards @ solved, 0.0) + solved[place] ** 2


def _exchange(inverse, place, towards, variance):
    """Makes the inverse of K_SS that of K_SS with another row at one place."""
    inverse -= np.outer(inverse[:, place], inverse[place]) / inverse[place, place]
    inverse[place], inverse[:, place] = 0.0, 0.0
    solved = inverse @ towards
    left = variance - towards @ solved
    solved[place] = -1.0
    inverse += np.outer(solved, solved) / left
