"""A smoothed n-gram model, the baseline that a network has to beat."""

import numpy as np


def n_gram_bits(train: np.ndarray, test: np.ndarray, num_tokens: int, order: int = 2, strength: float = 5.0) -> float:
    """Scores an n-gram model, each order smoothed with the one below, in bits a token.

    p_0(x) = (count(x) + 1) / (N + num_tokens); p_n(x | c) = (count(c x) + strength p_(n-1)(x)) / (count(c) + strength),
    where c are the n tokens before x; before the first token are zeros.

    Args:
        train: Token numbers (tokens,) that are counted.
        test: Token numbers (tokens,) that are scored.
        num_tokens: Tokens of the vocabulary.
        order: Tokens of context, n - 1.
        strength: Weight of the order below, in counts.

    Returns:
        Bits a token.

    Example:

    >>> [round(n_gram_bits([0, 1] * 5000, [0, 1] * 5000, num_tokens=2, order=order), 2) for order in (0, 1)]
    [1.0, 0.0]

    Reference: MacKay and Peto 1995, "A hierarchical Dirichlet language model", section 3.
    """
    train, test = np.asarray(train, "int64"), np.asarray(test, "int64")
    probability = (np.bincount(train, minlength=num_tokens) + 1.0) / (len(train) + num_tokens)
    shares = probability[test]
    for lags in range(1, order + 1):
        context, context_test = (_context_codes(tokens, lags, num_tokens) for tokens in (train, test))
        totals = _counts_of(context, context_test)
        counts = _counts_of(context * num_tokens + train, context_test * num_tokens + test)
        shares = (counts + strength * shares) / (totals + strength)
    return float(-np.mean(np.log2(shares)))


def _context_codes(tokens, order, num_tokens):
    """One number for the tokens before each."""
    codes = np.zeros(len(tokens), "int64")
    for lag in range(1, order + 1):
        codes = codes * num_tokens + np.concatenate([np.zeros(lag, "int64"), tokens[: len(tokens) - lag]])
    return codes


def _counts_of(codes, wanted):
    """How often each wanted code is among the codes."""
    names, counts = np.unique(codes, return_counts=True)
    places = np.minimum(np.searchsorted(names, wanted), len(names) - 1)
    return np.where(names[places] == wanted, counts[places], 0)
