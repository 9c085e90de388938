"""Two metrics of disentanglement as the study's released code goes about them, example by example, in NumPy."""

import numpy as np
from sklearn.metrics import mutual_info_score


def mutual_information_gap(codes, factors, num_bins=20):
    """Equal bins of each code, scikit-learn's mutual information of each pair, the gap of the first two."""
    bins = np.stack([np.digitize(code, np.histogram(code, num_bins)[1][:-1]) for code in codes.T], axis=1)
    table = np.array([[mutual_info_score(factor, code) for factor in factors.T] for code in bins.T])
    entropies = np.array([mutual_info_score(factor, factor) for factor in factors.T])
    ordered = np.sort(table, axis=0)[::-1]
    return float(np.mean((ordered[0] - ordered[1]) / entropies))


def factor_vae_score(represent, sizes, num_train, batch_size=64, num_variance=10_000):
    """A batch at a time: a factor is held, and the code of least relative variance votes for it."""
    random = np.random.default_rng(5)
    variances = np.var(represent(random.integers(sizes, size=(num_variance, len(sizes)))), axis=0, ddof=1)
    active = np.sqrt(variances) >= 0.05

    def vote():
        factor = random.integers(len(sizes))
        batch = random.integers(sizes, size=(batch_size, len(sizes)))
        batch[:, factor] = batch[0, factor]
        relative = np.var(represent(batch), axis=0, ddof=1)[active] / variances[active]
        return np.argmin(relative), factor

    votes = np.zeros((int(active.sum()), len(sizes)), int)
    for _ in range(num_train):
        votes[vote()] += 1
    chosen = votes.argmax(axis=1)
    return float(np.mean([chosen[code] == factor for code, factor in (vote() for _ in range(num_train // 2))]))
