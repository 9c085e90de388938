import math

import numpy as np

from toolkit.metrics.n_gram import n_gram_bits


def test_counts_of_two_tokens_by_hand():
    """Each order's estimate is (count + 5 x the order below) / (total + 5), written out with dictionaries."""
    random = np.random.default_rng(0)
    train, test = random.integers(0, 4, 300), random.integers(0, 4, 50)

    def share(history, token):
        p = (np.sum(train == token) + 1) / (len(train) + 4)
        before = [0, 0, *train]
        for order in (1, 2):
            same = [t for t in range(len(train)) if before[t + 2 - order : t + 2] == history[-order:]]
            p = (sum(train[t] == token for t in same) + 5 * p) / (len(same) + 5)
        return p

    padded = [0, 0, *test]
    expected = -np.mean([math.log2(share(padded[t : t + 2], test[t])) for t in range(len(test))])
    np.testing.assert_allclose(n_gram_bits(train, test, 4), expected, rtol=1e-9)


def test_what_is_certain_takes_nothing_and_what_is_random_takes_all():
    random = np.random.default_rng(1).integers(0, 8, 40_000)
    cycle = np.arange(40_000) % 8
    assert n_gram_bits(cycle, cycle[:1000], 8) < 0.05 and abs(n_gram_bits(cycle, cycle[:1000], 8, order=0) - 3) < 1e-3
    assert abs(n_gram_bits(random[:30_000], random[30_000:], 8, order=1) - 3) < 0.01
    # Scoring what was counted would say too little: the more so the longer the context.
    cheats = [n_gram_bits(random[:3000], random[:3000], 8, order=order) for order in (1, 2, 4)]
    assert 3 > cheats[0] > cheats[1] > cheats[2] + 0.5
