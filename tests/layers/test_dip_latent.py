import numpy as np
import pytest

from tests import checks
from toolkit.layers import DIPLatent


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("kind", ["i", "ii"])
def test_gate(kind):
    checks.check_layer(lambda: DIPLatent(4, kind, 0.1, name="latent"), numbers(0, 3, 5))


@pytest.mark.parametrize("kind, diagonal", [("i", None), ("ii", None), ("ii", 0.25)])
def test_the_covariance_is_numpys(kind, diagonal):
    layer, inputs = DIPLatent(3, kind, 2.0, diagonal, seed=0), numbers(2, 6, 5)
    layer(inputs, training=True)
    mean, log_variance = (np.asarray(each, "float64") for each in layer.moments(inputs))
    covariance = np.cov(mean.T, ddof=0) + (np.diag(np.exp(log_variance).mean(0)) if kind == "ii" else 0.0)
    weight = diagonal if diagonal is not None else {"i": 20.0, "ii": 2.0}[kind]
    paid = 2.0 * (np.sum(covariance**2) - np.sum(np.diag(covariance) ** 2))
    paid += weight * np.sum((np.diag(covariance) - 1) ** 2)
    np.testing.assert_allclose(layer.losses, [np.mean(layer.divergence(inputs)) + paid], rtol=1e-4)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="kind must be one of i, ii; got 'iii'"):
        DIPLatent(3, "iii")
    for how in ({"off_diagonal_weight": -1.0}, {"diagonal_weight": -0.5}):
        with pytest.raises(ValueError, match="the weights must be at least 0"):
            DIPLatent(3, **how)
