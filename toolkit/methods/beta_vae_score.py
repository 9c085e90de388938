"""Whether a linear classifier tells which factor of variation two examples share: BetaVAE's score."""

from collections.abc import Callable, Sequence

import numpy as np

from toolkit.metrics.factor_codes import FactorCodes


def beta_vae_score(
    represent: Callable[[np.ndarray], np.ndarray],
    factor_sizes: Sequence[int],
    *,
    seed: int = 0,
    batch_size: int = 64,
    num_train: int = 10000,
    num_eval: int = 5000,
) -> float:
    """Trains logistic regression to tell the factor k that pairs share from mean |c - c'|, and tries it on other pairs.

    Each point that is classified is the mean, over batch_size pairs, of the absolute differences of their codes; both
    of a pair have the same value of k, and all else of each is drawn anew. The regression is multinomial, of the
    differences as they are, with the weight decay of scikit-learn's default (C = 1), which is weak beside 10,000
    points. By chance the accuracy is 1 / factors.

    It is easily near 1: a random rotation of the factors has 0.9, because a linear classifier may use every code.

    Args:
        represent: As in `FactorCodes`: from factors, int64 (n, factors), to codes (n, codes).
        factor_sizes: How many values each factor has, 2 or more; 2 factors or more.
        seed: Of the factors that are drawn.
        batch_size: Pairs of a point.
        num_train: Points that the classifier learns from.
        num_eval: Points that it is tried on.

    Returns:
        Its accuracy, from 0 to 1.

    Raises:
        ValueError: As `FactorCodes`, or where a count is below 1, or so small that a factor is not drawn.

    Example:

    >>> beta_vae_score(lambda factors: factors * 1.0, (3, 4), num_train=100, num_eval=50)
    1.0

    Reference: Higgins et al. 2017, beta-VAE, section 3; Locatello et al. 2019, arXiv 1811.12359, appendix on metrics.
    """
    from sklearn.linear_model import LogisticRegression

    if min(batch_size, num_train, num_eval) < 1:
        raise ValueError(
            f"expected batch_size, num_train and num_eval of 1 or more; got {batch_size}, {num_train} and {num_eval}."
        )
    source = FactorCodes(represent, factor_sizes, seed)

    def points(num_points):
        shared, (first, second) = source.which(num_points), source.sample(2, num_points, batch_size)
        each = np.arange(num_points)
        second[each, :, shared] = first[each, :, shared]
        return np.mean(np.abs(source.codes(first) - source.codes(second)), axis=1), shared

    differences, shared = points(num_train)
    missing = np.setdiff1d(np.arange(len(source.factor_sizes)), shared)
    if len(missing):
        raise ValueError(f"num_train: {num_train} points are too few: factor {missing[0]} was not drawn.")
    classifier = LogisticRegression(max_iter=1000).fit(differences, shared)
    return float(classifier.score(*points(num_eval)))
