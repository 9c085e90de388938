"""Whether each code says something of one factor of variation only."""

import numpy as np

from toolkit.metrics.factor_codes import codes_with_factors
from toolkit.metrics.mutual_information import mutual_information


def modularity(codes: np.ndarray, factors: np.ndarray, num_bins: int = 20) -> float:
    """Computes mean_i [1 - Σ_{k≠k*} I(c_i; v_k)² / ((K - 1) I(c_i; v_k*)²)], v_k* the factor that c_i says most of.

    1: no code mixes factors, whether or not all factors are there, and however many codes share one. A code that says
    nothing at all counts 0, as in the released code of Locatello et al., so that dead codes lower it. It is not 0 of
    noise: of few examples noise says a little of each factor, of one by chance more than of the others.

    Args:
        codes: (examples, codes), finite.
        factors: Integers (examples, factors), K of them, 2 or more, 2 values or more of each.
        num_bins: Equally wide bins of each code.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: As `mutual_information`, or where there is one factor only.

    Example:

    >>> factors = np.stack(np.mgrid[:4, :5], axis=-1).reshape(-1, 2)
    >>> modularity(factors / 7.0, factors)
    1.0
    >>> modularity(np.stack([factors[:, 0], np.zeros(20)], axis=1), factors)
    0.5

    Reference: Ridgeway and Mozer 2018, arXiv 1802.05312, section 3; Locatello et al. 2019, arXiv 1811.12359,
    appendix on metrics.
    """
    codes, factors = codes_with_factors(codes, factors)
    if factors.shape[1] < 2:
        raise ValueError(f"factors: modularity takes at least 2; got shape {factors.shape}.")
    information = mutual_information(codes, factors, num_bins)
    most = information.max(axis=1)
    # What is below rounding is nothing: 0 / 0 of a code that does not vary, or that is exactly independent.
    said = most > 1e-12
    shares = information[said] / most[said, None]
    mixed = (np.sum(shares**2, axis=1) - 1.0) / (factors.shape[1] - 1)
    return float(np.sum(1.0 - mixed) / len(most))
