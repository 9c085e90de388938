import numpy as np
import pytest
from scipy import special, stats

from toolkit.metrics.mixture_use import effective_components


def test_against_scipys_entropy():
    logits = np.random.default_rng(0).normal(0, 2, (3, 7, 5))
    log_weights, mask = special.log_softmax(logits, axis=-1), np.arange(21).reshape(3, 7) % 3 > 0
    expected = np.exp(stats.entropy(np.exp(log_weights)[mask].mean(axis=0)))
    assert effective_components(log_weights, mask) == pytest.approx(expected)
    assert 1.0 < expected < 5.0


def test_bracketed():
    one = special.log_softmax([[900.0, 0.0, 0.0]], axis=-1)
    assert effective_components(one) == pytest.approx(1.0)
    # Each point has one of its own: all three are in use.
    assert effective_components(special.log_softmax(900.0 * np.eye(3), axis=-1)) == pytest.approx(3.0)
    with pytest.raises(ValueError, match="at least one point"):
        effective_components(one, np.array([False]))
