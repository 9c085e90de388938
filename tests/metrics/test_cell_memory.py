import numpy as np

from toolkit.metrics.cell_memory import cell_values, slowest_cells


def test_values_are_of_cells_only_layer_by_layer():
    random = np.random.default_rng(0)
    states = [
        {f"{kind}_{n}": random.normal(size=(1, n + 1)) for n in (1, 2) for kind in ("hidden", "cell")} for _ in range(4)
    ]
    values = cell_values(iter(states))
    assert values.shape == (4, 5)
    np.testing.assert_allclose(values[2], np.tanh([*states[2]["cell_1"][0], *states[2]["cell_2"][0]]))


def test_slow_ones_before_fast_ones_before_resting_ones():
    """Autoregressive cells with known memory: x_t = a x_(t-1) + noise has an autocorrelation of a^lag."""
    random, memories = np.random.default_rng(1), np.array([0.2, 0.95, 0.0, 0.8, 0.5])
    values = np.zeros((4000, 6))
    for t in range(1, 4000):
        values[t, :5] = memories * values[t - 1, :5] + np.sqrt(1 - memories**2) * random.normal(size=5) / 3
    assert slowest_cells(values, 2).tolist() == [1, 3]
    assert slowest_cells(values).tolist()[:3] == [1, 3, 4] and len(slowest_cells(values)) == 6
    values[:, 5] = 0.9 + 1e-4 * np.sin(np.arange(4000) / 100)  # hardly moves: nothing is remembered
    assert 5 not in slowest_cells(values, 3)
