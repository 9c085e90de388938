"""Whether the code that varies least tells which factor of variation is held: FactorVAE's score."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from toolkit.metrics.factor_codes import FactorCodes


class FactorVAEScore(NamedTuple):
    """The share, and what it comes from.

    Args:
        accuracy: From 0 to 1, of batches that were not used for the votes.
        votes: (factors, codes) int64: how often each code varied least while each factor was held.
        active: (codes,) bool: which codes vary at all; the others get no votes.
    """

    accuracy: float
    votes: np.ndarray
    active: np.ndarray


def factor_vae_score(
    represent: Callable[[np.ndarray], np.ndarray],
    factor_sizes: Sequence[int],
    *,
    seed: int = 0,
    batch_size: int = 64,
    num_train: int = 10000,
    num_eval: int = 5000,
    num_variance: int = 10000,
    min_deviation: float = 0.05,
) -> FactorVAEScore:
    """Scores how well the code that varies least in a batch tells which factor the batch holds.

    Of each batch all examples have one value of a factor k; its vote is argmin_i Var_batch(c_i) / Var(c_i). Each code
    stands for the factor of most of its votes in training, and the accuracy is the share of other batches in which
    the code of least variance stands for k. By chance it is 1 / factors. A code that stands for two factors, or two
    that stand for one, are not seen as such.

    Codes that hardly vary are left out, for their relative variance is noise's. The paper writes of a variance of 0.05,
    its released code, and so its figures, have a standard deviation of 0.05; so has this one. That code also reports
    the number of all codes for that of the active ones; `active` here is what it says. Where none is active the
    accuracy is 0, below chance, as there.

    Args:
        represent: As in `FactorCodes`: from factors, int64 (n, factors), to codes (n, codes).
        factor_sizes: How many values each factor has, 2 or more; 2 factors or more.
        seed: Of the factors that are drawn.
        batch_size: Examples that share a value, 2 or more.
        num_train: Batches that vote.
        num_eval: Batches that are scored.
        num_variance: Examples that Var(c_i) is taken of, 2 or more.
        min_deviation: The standard deviation that an active code has at least.

    Returns:
        Accuracy, votes, and which codes are active.

    Raises:
        ValueError: As `FactorCodes`, or where a count is too small.

    Example:

    >>> score = factor_vae_score(lambda factors: factors[:, ::-1] * 1.0, (3, 4), num_train=50, num_eval=50)
    >>> score.accuracy, score.votes.argmax(axis=1).tolist(), score.active.tolist()
    (1.0, [1, 0], [True, True])

    Reference: Kim and Mnih 2018, arXiv 1802.05983, section 4; Locatello et al. 2019, arXiv 1811.12359,
    appendix on metrics.
    """
    if min(batch_size, num_variance) < 2 or min(num_train, num_eval) < 1 or not min_deviation >= 0:
        raise ValueError(
            "expected batch_size and num_variance of 2 or more, num_train and num_eval of 1 or more, and min_deviation "
            f"of 0 or more; got {batch_size}, {num_variance}, {num_train}, {num_eval} and {min_deviation}."
        )
    source = FactorCodes(represent, factor_sizes, seed)
    variances = np.var(source.codes(source.sample(num_variance)), axis=0, ddof=1)
    active = (np.sqrt(variances) >= min_deviation) & (variances > 0)
    votes = np.zeros((len(source.factor_sizes), len(variances)), "int64")
    if not active.any():
        return FactorVAEScore(0.0, votes, active)

    def least(num_batches):
        """The factor that each batch holds, and the code that varies least in it."""
        held, factors = source.which(num_batches), source.sample(num_batches, batch_size)
        batches = np.arange(num_batches)
        factors[batches, :, held] = factors[batches, :1, held]
        relative = np.var(source.codes(factors), axis=1, ddof=1)[:, active] / variances[active]
        return held, np.flatnonzero(active)[relative.argmin(axis=1)]

    np.add.at(votes, least(num_train), 1)
    held, code = least(num_eval)
    return FactorVAEScore(float(np.mean(votes.argmax(axis=0)[code] == held)), votes, active)
