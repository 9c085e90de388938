import numpy as np
import pytest

from toolkit.layers import GaussianWindow, GaussianWindowCell


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("peepholes", [False, True])
def test_equations_of_the_paper(peepholes):
    """One step against NumPy, from equations 7 to 11 and 46 to 51."""
    cell = GaussianWindowCell(4, num_gaussians=2, initial_advance=0.3, peepholes=peepholes)
    inputs, text = numbers(1, 1, 3), np.eye(5, dtype="float32")[None, [2, 0, 4]]
    h, c, w, k = (np.abs(numbers(5 + size, 1, size)) for size in (4, 3, 5, 2))
    c = np.abs(numbers(11, 1, 4))
    (output, window, weights), state = cell(inputs, [h, c, w, k], text)
    w_ci, w_cf, w_co = numbers(20, 3, 4) if peepholes else np.zeros((3, 4))
    if peepholes:
        cell.peephole_kernel.assign([w_ci, w_cf, w_co])
        (output, window, weights), state = cell(inputs, [h, c, w, k], text)
    kernel, window_kernel, recurrent, bias, *_, position_kernel, position_bias = cell.get_weights()
    np.testing.assert_allclose(bias, np.repeat([0, 1, 0, 0], 4))
    np.testing.assert_allclose(position_bias[-2:], np.log(0.3), rtol=1e-6)

    i, f, g, o = np.split(inputs @ kernel + w @ window_kernel + h @ recurrent + bias, 4, axis=1)

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    c_new = sigmoid(f + w_cf * c) * c + sigmoid(i + w_ci * c) * np.tanh(g)
    h_new = sigmoid(o + w_co * c_new) * np.tanh(c_new)
    alpha, beta, kappa = np.split(np.exp(h_new @ position_kernel + position_bias), 3, axis=1)
    kappa = k + kappa
    phi = [sum(alpha[0, j] * np.exp(-beta[0, j] * (kappa[0, j] - u) ** 2) for j in range(2)) for u in (1, 2, 3)]
    np.testing.assert_allclose(output, h_new, rtol=1e-5)
    np.testing.assert_allclose(weights[0], phi, rtol=1e-5)
    np.testing.assert_allclose(window[0], phi @ text[0], rtol=1e-5)
    for mine, its in zip(state, (h_new, c_new, (phi @ text[0])[None], kappa), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-5)


def test_config_round_trip():
    cell = GaussianWindowCell(4, num_gaussians=2, initial_advance=0.3, peepholes=True)
    assert GaussianWindowCell.from_config(cell.get_config()).get_config() == cell.get_config()


def test_positions_stay_in_float32_under_float16():
    """Fifty characters on, float16 could no longer tell a step of a fiftieth of a character."""
    cell = GaussianWindowCell(4, num_gaussians=1, initial_advance=0.02, dtype="mixed_float16")
    text = np.ones((1, 60, 3), "float32")
    state = cell.initial_state(text)
    state[3] = state[3] + 50.0
    inputs = np.zeros((1, 3), "float32")
    _, after = cell(inputs, state, text)
    np.testing.assert_allclose(after[3], 50.02, atol=1e-3)
    layer = GaussianWindow(4, num_gaussians=1, initial_advance=0.02, return_state=True, dtype="mixed_float16")
    *_, position = layer(inputs[:, None], text, initial_state=state)
    np.testing.assert_allclose(position, 50.02, atol=1e-3)


def test_unknown_sizes():
    with pytest.raises(ValueError, match="last axes must be known"):
        GaussianWindowCell(4).build((None, None), (None, 5, 4))
