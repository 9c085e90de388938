import keras
import numpy as np
import pytest
import scipy.integrate
import scipy.special

from toolkit.methods import mixup
from toolkit.metrics import calibration

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(7, 3)), RANDOM.normal(size=(7, 2))


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 3.0])
def test_moments_are_the_integrals(alpha):
    found = mixup.moments(alpha)
    # By symmetry over 1/2 to 1, twice the density; SciPy's integration takes the pole at 1 as a weight.
    density = 2 / scipy.special.beta(alpha, alpha)

    def expectation(value):
        return (
            density
            * scipy.integrate.quad(lambda x: value(x) * x ** (alpha - 1), 0.5, 1, weight="alg", wvar=(0, alpha - 1))[0]
        )

    mean = expectation(lambda x: x)
    assert found.mean == pytest.approx(mean, rel=1e-6)
    assert found.variance == pytest.approx(expectation(lambda x: (x - mean) ** 2), rel=1e-5)
    assert found.partner == pytest.approx(expectation(lambda x: (1 - x) ** 2), rel=1e-6)


def test_published_factors():
    found = [mixup.moments(alpha).mean for alpha in (0.1, 0.2, 0.4, 1.0)]
    np.testing.assert_allclose(found, [0.9417, 0.8987, 0.8395, 0.75], atol=3e-4)


@pytest.mark.parametrize("alpha", [0, -1, float("nan"), float("inf")])
def test_alpha_must_be_over_0(alpha):
    with pytest.raises(ValueError, match="alpha must be more than 0"):
        mixup.moments(alpha)


def every_mixture(alpha):
    """Of each example i: θ, j and their weights, by quadrature over θ: exact for what is quadratic in θ."""
    found = mixup.moments(alpha)
    # Two points that have θ's mean and variance.
    shares = found.mean + np.array([-1, 1]) * np.sqrt(found.variance)
    return [(share, j) for share in shares for j in range(len(X))]


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_shrunk_data_and_noise_are_the_mixtures_and_the_noise_has_these_moments(alpha):
    covariances = mixup.noise_covariances(X, Y, alpha)
    small = mixup.shrunk(X, mixup.moments(alpha).mean)
    collected = []
    for share, j in every_mixture(alpha):
        partners, shares = np.full(7, j), np.full(7, share)
        noises = [mixup.noise(shares, values, partners, alpha) for values in (X, Y)]
        np.testing.assert_allclose(small + noises[0], share * X + (1 - share) * X[j], atol=1e-12)
        collected.append(noises)
    for place, name in enumerate(("inputs", "targets")):
        drawn = np.array([each[place] for each in collected])
        np.testing.assert_allclose(drawn.mean(0), 0, atol=1e-12)
        expected = np.einsum("dni,dnj->nij", drawn, drawn) / len(drawn)
        np.testing.assert_allclose(getattr(covariances, name), expected, atol=1e-12)
    delta, epsilon = (np.array([each[place] for each in collected]) for place in (0, 1))
    np.testing.assert_allclose(covariances.cross, np.einsum("dni,dnj->nij", epsilon, delta) / len(delta), atol=1e-12)


@pytest.mark.parametrize("alpha", [0.2, 1.0])
def test_linear_regression_is_the_least_squares_of_all_mixtures(alpha):
    rows = [(share * X + (1 - share) * X[j], share * Y + (1 - share) * Y[j]) for share, j in every_mixture(alpha)]
    inputs, targets = (np.concatenate(each) for each in zip(*rows, strict=True))
    design = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)
    solution = np.linalg.lstsq(design, targets, rcond=None)[0]
    weights, offset = mixup.linear_minimizer(X, Y, alpha)
    np.testing.assert_allclose(weights, solution[:-1].T, atol=1e-9)
    np.testing.assert_allclose(offset, solution[-1], atol=1e-9)
    plain = np.linalg.lstsq(np.concatenate([X, np.ones((7, 1))], axis=1), Y, rcond=None)[0]
    np.testing.assert_allclose(weights, plain[:-1].T, atol=1e-9)


def test_shapes_must_fit():
    with pytest.raises(ValueError, match=r"expected \(examples, features\) and .*; got \(7, 3\) and \(6, 2\)"):
        mixup.noise_covariances(X, Y[:6], 1.0)


def classifier():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((3,), name="image")
    return keras.Model(inputs, keras.layers.Dense(4, kernel_initializer="normal")(inputs))


def softmax(x):
    x = np.exp(np.asarray(x, "float64"))
    return x / x.sum(axis=1, keepdims=True)


def test_rescaled_is_the_formula():
    network, mean = classifier(), np.array([1.0, 2.0, 3.0])
    shares, x = np.array([0.1, 0.2, 0.3, 0.4]), RANDOM.normal(size=(5, 3)).astype("float32")
    factor = mixup.moments(0.4).mean
    inner = softmax(network((mean + factor * (x - mean)).astype("float32")))
    found = mixup.rescaled(network, 0.4, mean, shares, outputs=False)
    np.testing.assert_allclose(softmax(found(x)), inner, atol=1e-5)
    expected = np.maximum(shares + (inner - shares) / factor, 1e-3)
    expected /= expected.sum(axis=1, keepdims=True)
    found = mixup.rescaled(network, 0.4, mean, shares)
    np.testing.assert_allclose(softmax(found(x)), expected, atol=1e-5)
    assert [each.name for each in found.inputs] == ["image"]
    again = keras.models.model_from_json(found.to_json())
    again.set_weights(found.get_weights())
    np.testing.assert_allclose(again(x), found(x), atol=1e-6)


def test_what_does_not_come_from_a_mixture_is_held_above_the_least():
    network = classifier()
    network.layers[-1].set_weights([np.zeros((3, 4)), np.array([9.0, 0.0, 0.0, 0.0])])
    found = softmax(mixup.rescaled(network, 1.0, np.zeros(3), np.ones(4) / 4, least=0.01)(np.zeros((2, 3))))
    assert found.min() == pytest.approx(0.01 / found[0].sum(), rel=0.3) and np.allclose(found.sum(1), 1)
    assert np.isfinite(calibration.negative_log_likelihood(np.array([1, 2]), found))


def test_shares_must_fit():
    with pytest.raises(ValueError, match=r"class_shares: expected \(4,\) shares with sum 1; got \(3,\)"):
        mixup.rescaled(classifier(), 1.0, np.zeros(3), np.ones(3) / 3)
    with pytest.raises(ValueError, match="least: expected more than 0 and less than 1 of 4"):
        mixup.rescaled(classifier(), 1.0, np.zeros(3), np.ones(4) / 4, least=0.3)
