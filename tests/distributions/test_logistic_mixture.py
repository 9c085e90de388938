import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from toolkit.distributions import LogisticMixture


def raw(family, seed=0, leading=(5,), log_scale=-2.0):
    random = np.random.default_rng(seed)
    params = random.standard_normal((*leading, family.num_params)).astype("float32")
    params[..., family.num_mixtures : 2 * family.num_mixtures] *= 0.6
    params[..., 2 * family.num_mixtures :] += log_scale
    return params


@pytest.mark.parametrize("num_levels", [2, 64, 256, 65_536])
@pytest.mark.parametrize("log_scale", [-6.0, -2.0, 3.0])
def test_levels_sum_to_one(num_levels, log_scale):
    family = LogisticMixture(3, num_levels)
    params = raw(family, leading=(4, 1), log_scale=log_scale)
    log_prob = family.log_prob(np.repeat(params, num_levels, 1), np.tile(np.arange(num_levels), (4, 1)))
    np.testing.assert_allclose(np.exp(np.asarray(log_prob, "float64")).sum(axis=1), 1, atol=1e-5)


def test_log_prob_is_scipys():
    family = LogisticMixture(3, 64)
    params = raw(family, seed=1)
    found = np.asarray(family.log_prob(np.repeat(params[:, None], 64, 1), np.tile(np.arange(64), (5, 1))))
    for row in range(5):
        weights, means, log_scales = params[row].astype("float64").reshape(3, 3)
        edges = np.r_[-np.inf, 2 * (np.arange(63) + 0.5) / 63 - 1, np.inf]
        shares = stats.logistic.cdf(edges[:, None], means, np.exp(log_scales))
        share = (np.diff(shares, axis=0) * np.exp(weights) / np.exp(weights).sum()).sum(axis=1)
        likely = share > 1e-12  # what is less, SciPy's difference of two numbers near 1 has lost
        np.testing.assert_allclose(found[row][likely], np.log(share[likely]), atol=1e-3)


def test_whatever_a_network_emits_is_finite_and_so_are_gradients():
    family = LogisticMixture(2, 256)
    for size in (1e2, 1e6, 1e30):
        params = tf.constant(size * np.random.default_rng(2).standard_normal((50, 6)).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(params)
            result = family.log_prob(params, np.arange(50) * 5)
        assert np.isfinite(result).all() and np.isfinite(tape.gradient(result, params)).all(), size
        levels = np.asarray(family.sample(params, seed=0))
        assert levels.min() >= 0 and levels.max() <= 255


def test_samples_have_the_probabilities():
    family = LogisticMixture(2, 8)
    params = raw(family, seed=3, leading=(), log_scale=-1.0)
    levels = np.asarray(family.sample(np.tile(params, (40_000, 1)), seed=1))
    share = np.exp(np.asarray(family.log_prob(np.tile(params, (8, 1)), np.arange(8))))
    np.testing.assert_allclose(np.bincount(levels, minlength=8) / 40_000, share, atol=0.012)


def test_noise_temperature_and_mean():
    family = LogisticMixture(2, 201)
    params = np.array([[2.0, 0.0, 0.5, -0.5, -3.0, -3.0]], "float32")
    noise = np.array([[0.1, 0.5]], "float32")
    assert np.asarray(family.sample(params, noise=noise)).tolist() == [150]  # the first's mean, 0.5
    assert np.asarray(family.sample(params, noise=np.float32([[0.99, 0.5]]))).tolist() == [50]
    cold = np.asarray(family.sample(np.tile(params, (99, 1)), temperature=0.0, seed=0))
    assert (cold == 150).all()
    weights = np.exp([2.0, 0.0]) / np.exp([2.0, 0.0]).sum()
    np.testing.assert_allclose(family.mean(params), [weights @ [0.5, -0.5]], rtol=1e-5)
    np.testing.assert_array_equal(LogisticMixture(1).mean([[5.0, 0.25, 1.0]]), [0.25])


def test_half_precision_and_config():
    family = LogisticMixture(3, 256)
    params = raw(family, seed=4).astype("float16")
    expected = family.log_prob(params.astype("float32"), np.arange(5))
    np.testing.assert_array_equal(family.log_prob(params, np.arange(5)), expected)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(family))
    assert again == family and hash(again) == hash(family) and repr(family) == repr(again)
    with pytest.raises(ValueError, match="Expected parameters with last axis 9"):
        family.log_prob(np.zeros((5, 8)), np.zeros(5))
    with pytest.raises(ValueError, match="num_levels between 2"):
        LogisticMixture(3, 1)
