import numpy as np
import pytest
from scipy import special, stats

from tests import checks
from toolkit.layers import TotalCorrelationLatent
from toolkit.layers.total_correlation_latent import total_correlation


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def test_gate():
    checks.check_layer(lambda: TotalCorrelationLatent(4, beta=3.0, name="latent"), numbers(0, 3, 5))


def test_the_estimate_is_scipys_sums():
    draw, mean, log_variance = numbers(0, 5, 3), numbers(1, 5, 3), numbers(2, 5, 3)
    density = stats.norm.logpdf(draw[:, None], mean[None], np.exp(log_variance / 2)[None])
    expected = 0.0
    for j in range(5):
        expected += special.logsumexp([sum(density[j, i]) for i in range(5)]) / 5
        expected -= sum(special.logsumexp([density[j, i, unit] for i in range(5)]) for unit in range(3)) / 5
    assert float(total_correlation(draw, mean, log_variance)) == pytest.approx(expected, rel=1e-5)


def test_dependent_numbers_have_more_of_it_than_independent_ones():
    random = np.random.default_rng(0)
    one = random.normal(size=(512, 1))
    narrow = np.full((512, 2), -3.0)
    same = np.repeat(one, 2, axis=1)
    apart = np.concatenate([one, random.permutation(one)], axis=1)
    assert float(total_correlation(same, same, narrow)) > float(total_correlation(apart, apart, narrow)) + 0.5


@pytest.mark.parametrize("beta", [0.0, 1.0, 6.0])
def test_what_is_added(beta):
    layer, inputs = TotalCorrelationLatent(3, beta=beta, seed=0), numbers(2, 6, 5)
    draw = layer(inputs, training=True)
    mean, log_variance = layer.moments(inputs)
    expected = np.mean(layer.divergence(inputs)) + (beta - 1) * float(total_correlation(draw, mean, log_variance))
    np.testing.assert_allclose(layer.losses, [expected], rtol=1e-4)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="beta must be at least 0; got -1"):
        TotalCorrelationLatent(3, beta=-1.0)
