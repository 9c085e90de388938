import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_probability as tfp
from scipy import integrate, stats

from toolkit.distributions import GaussianMixture

FAMILIES = [
    GaussianMixture(3, 2, "correlated", bernoulli=True),
    GaussianMixture(4, 3, "full"),
    GaussianMixture(2, 1, "diagonal", bernoulli=True),
    GaussianMixture(2, 4, "diagonal"),
]


def arrays(family, seed=0, scale=1.0, leading=(4, 5)):
    random = np.random.default_rng(seed)
    params = scale * random.standard_normal((*leading, family.num_params)).astype("float32")
    values = random.standard_normal((*leading, family.num_channels)).astype("float32")
    if family.bernoulli:
        values[..., -1] = random.random(leading) < 0.5
    return params, values


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_log_prob_is_tfps(family):
    params, values = arrays(family)
    np.testing.assert_allclose(
        family.log_prob(params, values), family.to_tfp(params, tfp.distributions).log_prob(values), rtol=2e-4, atol=2e-4
    )


def test_correlated_is_the_papers_equation_24():
    params, values = arrays(FAMILIES[0], seed=1, leading=(6,))
    result = np.asarray(FAMILIES[0].log_prob(params, values))
    for row in range(6):
        raw, (x1, x2, e) = params[row].astype("float64"), values[row].astype("float64")
        weights = np.exp(raw[:3]) / np.exp(raw[:3]).sum()
        means, scales, correlations = raw[3:9].reshape(3, 2), np.exp(raw[9:15].reshape(3, 2)), np.tanh(raw[15:18])
        density = 0.0
        for w, (m1, m2), (s1, s2), r in zip(weights, means, scales, correlations, strict=True):
            z = ((x1 - m1) / s1) ** 2 + ((x2 - m2) / s2) ** 2 - 2 * r * (x1 - m1) * (x2 - m2) / (s1 * s2)
            density += w * np.exp(-z / (2 * (1 - r**2))) / (2 * np.pi * s1 * s2 * np.sqrt(1 - r**2))
        on = 1 / (1 + np.exp(-raw[18]))
        np.testing.assert_allclose(result[row], np.log(density) + np.log(on if e else 1 - on), rtol=1e-4)


def test_density_integrates_to_one():
    family = GaussianMixture(2, 2, "correlated")
    params = arrays(family, seed=3, scale=0.5, leading=())[0]
    grid = np.linspace(-15, 15, 401, dtype="float32")
    points = np.stack(np.meshgrid(grid, grid), axis=-1)
    density = np.exp(np.asarray(family.log_prob(np.broadcast_to(params, (401, 401, family.num_params)), points)))
    total = integrate.trapezoid(integrate.trapezoid(density, grid), grid)
    np.testing.assert_allclose(total, 1.0, atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
@pytest.mark.parametrize("scale", [1e1, 1e3, 1e6])
def test_finite_with_finite_gradients_for_any_input(family, scale):
    params, values = arrays(family, scale=scale)
    values[..., : family.event_size] *= 1e3
    tensor = tf.constant(params)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        result = family.log_prob(tensor, values)
    assert np.isfinite(result).all()
    assert np.isfinite(tape.gradient(result, tensor)).all()


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_samples_have_the_densitys_moments(family):
    params = 0.5 * arrays(family, seed=5, leading=())[0]
    many = np.broadcast_to(params, (40_000, family.num_params))
    drawn = np.asarray(family.sample(many, seed=1))
    oracle = family.to_tfp(params, tfp.distributions)
    mixture = oracle.distributions[0] if family.bernoulli else oracle
    size = family.event_size
    deviation = np.sqrt(np.asarray(mixture.variance()))
    np.testing.assert_array_less(np.abs(drawn[:, :size].mean(0) - mixture.mean()), 5 * deviation / 200)
    np.testing.assert_allclose(np.cov(drawn[:, :size].T), mixture.covariance(), atol=0.06 * deviation.max() ** 2)
    np.testing.assert_allclose(family.mean(params)[:size], mixture.mean(), rtol=1e-4, atol=1e-5)
    if family.bernoulli:
        rate = 1 / (1 + np.exp(-params[-1]))
        assert stats.binomtest(int(drawn[:, -1].sum()), 40_000, rate).pvalue > 1e-4
        np.testing.assert_allclose(family.mean(params)[-1], rate, rtol=1e-5)


def test_bias_of_the_paper():
    """Section 5.4: standard deviations shrink by exp(-b), exactly, and weights sharpen by the power 1 + b."""
    family = GaussianMixture(1, 2, "correlated")
    params = np.zeros((3, family.num_params), "float32")
    noise = np.concatenate([np.full((3, 1), 0.5), np.ones((3, 2))], axis=1).astype("float32")
    drawn = np.asarray(family.sample(params, bias=np.array([0.0, 1.0, 3.0], "float32"), noise=noise))
    np.testing.assert_allclose(drawn, np.exp([[0.0], [-1.0], [-3.0]]) * np.ones((1, 2)), rtol=1e-6)
    family = GaussianMixture(2, 1)
    log_weights = family.components(np.array([1.0, 0.0, 0, 0, 0, 0], "float32"), bias=2.0).log_weights
    np.testing.assert_allclose(log_weights[0] - log_weights[1], 3.0, rtol=1e-6)


def test_sample_is_a_function_of_its_noise():
    family = GaussianMixture(3, 2, "correlated", bernoulli=True)
    params, _ = arrays(family)
    noise = family.noise((4, 5), seed=3)
    assert noise.shape == (4, 5, family.num_noise)
    np.testing.assert_array_equal(family.sample(params, noise=noise), family.sample(params, noise=noise))
    edges = np.array(noise)
    edges[..., 0] = 1.0  # the very end of the range still picks the last component
    assert np.isfinite(family.sample(params, noise=edges)).all()


@pytest.mark.parametrize("family", FAMILIES, ids=repr)
def test_config_round_trip(family):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(family))
    assert again == family and hash(again) == hash(family)


def test_papers_output_size():
    assert GaussianMixture(20, 2, "correlated", bernoulli=True).num_params == 121


def test_bad_arguments():
    with pytest.raises(ValueError, match="at least 1"):
        GaussianMixture(0)
    with pytest.raises(ValueError, match="one of diagonal, correlated, full"):
        GaussianMixture(2, covariance="spherical")
    with pytest.raises(ValueError, match="event_size=2"):
        GaussianMixture(2, 3, "correlated")
    family = GaussianMixture(2)
    with pytest.raises(ValueError, match=r"last axis 10 .* got shape \(4, 9\)"):
        family.log_prob(np.zeros((4, 9)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match=r"events with last axis 2; got shape \(4, 3\)"):
        family.log_prob(np.zeros((4, 10)), np.zeros((4, 3)))
