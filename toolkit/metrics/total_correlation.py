"""How far codes are from independent of one another, by their covariance; no factor of variation need be known."""

import math

import numpy as np


def gaussian_total_correlation(means: np.ndarray, variances: np.ndarray | None = None) -> float:
    """Computes KL(N(m, C) || Π_i N(m_i, C_ii)) = ½ (Σ_i log C_ii - log det C), as if the codes were one Gaussian.

    A VAE has two: that of its means, C = Cov(μ), and that of codes drawn from its posteriors, C = Cov(μ) + diag E[σ²],
    which is what the total correlation in its objective presses on. Both may go opposite ways. The second is computed
    without drawing: the covariance of N(μ(x), σ²(x)) over x is known.

    A code that does not vary is independent of the others and adds nothing.

    Args:
        means: (examples, codes), finite, more examples than codes: μ of each example, or any codes, drawn ones too.
        variances: (examples, codes), 0 or more: σ² of each. None: of the means alone.

    Returns:
        Nats, 0 or more; infinity where a code is a linear function of others.

    Raises:
        ValueError: Where shapes do not fit, a number is not finite or a variance negative, or there are too few
            examples.

    Example:

    >>> means = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]) @ [[1.0, 0.6], [0.0, 0.8]]
    >>> round(gaussian_total_correlation(means), 4)  # -½ log(1 - 0.6²)
    0.2231
    >>> gaussian_total_correlation(means, np.full_like(means, 9.0)) < 0.01
    True

    Reference: Watanabe 1960; Locatello et al. 2019, arXiv 1811.12359, section 5.
    """
    means = np.asarray(means, "float64")
    if means.ndim != 2 or not means.size or not np.isfinite(means).all():
        raise ValueError(f"means: expected finite numbers (examples, codes); got shape {means.shape} or NaN.")
    num_examples, num_codes = means.shape
    if num_examples <= num_codes:
        raise ValueError(f"a covariance of {num_codes} codes takes more examples; got {num_examples}.")
    centred = means - means.mean(axis=0)
    covariance = centred.T @ centred / (num_examples - 1)
    # What is below rounding does not vary.
    rounding = (np.abs(means).max(axis=0) * np.finfo("float64").eps) ** 2 * num_examples
    if variances is not None:
        variances = np.asarray(variances, "float64")
        if variances.shape != means.shape or not np.isfinite(variances).all() or variances.min() < 0:
            raise ValueError(
                f"variances: expected finite numbers of 0 or more, of shape {means.shape}; got shape "
                f"{variances.shape}, or NaN or less."
            )
        covariance += np.diag(variances.mean(axis=0))
    varies = np.diag(covariance) > rounding
    deviations = np.sqrt(np.diag(covariance)[varies])
    # Of correlations, whose scale is 1: codes of very different scales lose no digits.
    values = np.linalg.eigvalsh(covariance[np.ix_(varies, varies)] / np.outer(deviations, deviations))
    if len(values) and values[0] <= 4 * len(values) * np.finfo("float64").eps:
        return math.inf
    return max(0.0, -0.5 * float(np.sum(np.log(values))))
