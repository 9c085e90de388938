import keras
import numpy as np
import pytest

from toolkit.training import step_sizes


@pytest.mark.parametrize("num_steps", [1, 7, 1000])
def test_falls_over_the_last_third(num_steps):
    schedule = step_sizes.falling(0.3, num_steps)
    for step in range(num_steps):
        limits = [int(part * num_steps) for part in (0.7, 0.85, 0.95)]
        part = [1, 3, 10, 30][sum(step > limit for limit in limits)]
        np.testing.assert_allclose(schedule(step), 0.3 / part, rtol=1e-6)


def test_rmsprop_is_the_papers():
    """Against equations 38 to 45, written out: n = 0.95 n + 0.05 g^2; m = 0.95 m + 0.05 g;
    d = 0.9 d - 1e-4 g / sqrt(n - m^2 + 1e-4); w = w + d."""
    optimizer = step_sizes.graves_optimizer("rmsprop", num_steps=1000)
    random = np.random.default_rng(0)
    weights = random.standard_normal(5)
    variable = keras.Variable(weights)
    n, m, d = np.zeros(5), np.zeros(5), np.zeros(5)
    for step in range(30):
        g = random.standard_normal(5) * 10.0 ** random.uniform(-3, 2, 5) * (step != 7)
        optimizer.apply([keras.ops.convert_to_tensor(g, "float32")], [variable])
        n, m = 0.95 * n + 0.05 * g**2, 0.95 * m + 0.05 * g
        d = 0.9 * d - 1e-4 * g / np.sqrt(n - m**2 + 1e-4)
        weights = weights + d
        np.testing.assert_allclose(variable, weights, rtol=1e-4)
    assert np.abs(d).max() > 1e-5


@pytest.mark.parametrize(
    "name, first, expected", [("adam", None, 3e-3), ("rmsprop", None, 1e-4), ("sgd", None, 1e-4), ("rmsprop", 0.5, 0.5)]
)
def test_first_step_size(name, first, expected):
    np.testing.assert_allclose(step_sizes.graves_optimizer(name, 1000, first).learning_rate, expected, rtol=1e-6)


def test_an_optimizer_that_there_is_not():
    with pytest.raises(ValueError, match="expected adam, rmsprop or sgd"):
        step_sizes.graves_optimizer("lion", 10)
