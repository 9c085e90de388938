"""How much more the best code says of a factor than the next one: the mutual information gap (MIG)."""

import numpy as np

from toolkit.metrics.factor_codes import codes_with_factors
from toolkit.metrics.mutual_information import entropies, mutual_information


def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, num_bins: int = 20) -> float:
    """Computes mean_k [I(c₁; v_k) - I(c₂; v_k)] / H(v_k), c₁ and c₂ the two codes that say most of the factor v_k.

    1: each factor is known from one code, and no other code says anything of it; 0: the factors are in no code, or each
    in two alike. A code may hold several factors: compare `modularity`. As in Locatello et al. it is of means in bins;
    Chen et al. integrate over the encoder's Gaussian instead, and other figures come out.

    Args:
        codes: (examples, codes), 2 codes or more, finite.
        factors: Integers (examples, factors), 2 values or more of each.
        num_bins: Equally wide bins of each code.

    Returns:
        From 0 to 1.

    Raises:
        ValueError: As `mutual_information`, or where there is one code only.

    Example:

    >>> factors = np.stack(np.mgrid[:4, :5], axis=-1).reshape(-1, 2)
    >>> round(mutual_information_gap(factors / 7.0, factors), 6)
    1.0
    >>> mutual_information_gap(np.concatenate([factors, factors], axis=1), factors)
    0.0

    Reference: Chen et al. 2018, arXiv 1802.04942, section 4.1; Locatello et al. 2019, arXiv 1811.12359,
    appendix on metrics.
    """
    codes, factors = codes_with_factors(codes, factors)
    if codes.shape[1] < 2:
        raise ValueError(f"codes: a gap takes at least 2 codes; got shape {codes.shape}.")
    information = np.sort(mutual_information(codes, factors, num_bins), axis=0)
    return float(np.mean((information[-1] - information[-2]) / entropies(factors)))
