import keras
import numpy as np
import pytest

from toolkit.layers import PeepholeLSTMCell


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def excited(**how):
    cell = PeepholeLSTMCell(4, **how)
    cell.build((2, 3))
    cell.set_weights([numbers(i, *w.shape) for i, w in enumerate(cell.get_weights())])
    return cell


def test_equations_of_the_paper():
    """One step against NumPy, from equations 7 to 11."""
    cell = excited()
    x, h, c = numbers(10, 2, 3), numbers(11, 2, 4), numbers(12, 2, 4)
    output, state = cell(x, [h, c])
    kernel, recurrent, bias, (w_ci, w_cf, w_co) = cell.get_weights()

    def sigmoid(value):
        return 1 / (1 + np.exp(-value))

    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c_new = sigmoid(f + w_cf * c) * c + sigmoid(i + w_ci * c) * np.tanh(g)
    h_new = sigmoid(o + w_co * c_new) * np.tanh(c_new)
    np.testing.assert_allclose(output, h_new, atol=1e-6)
    np.testing.assert_allclose(state[0], h_new, atol=1e-6)
    np.testing.assert_allclose(state[1], c_new, atol=1e-6)


def test_starts_as_an_lstm_without_peepholes():
    cell, plain = PeepholeLSTMCell(4), keras.layers.LSTMCell(4)
    inputs, state = numbers(0, 2, 3), [numbers(1, 2, 4), numbers(2, 2, 4)]
    cell(inputs, state), plain(inputs, state)
    *weights, peepholes = cell.get_weights()
    assert [w.shape for w in weights] == [w.shape for w in plain.get_weights()] and not peepholes.any()
    plain.set_weights(weights)
    np.testing.assert_array_equal(weights[2], np.repeat([0, 1, 0, 0], 4))
    np.testing.assert_allclose(cell(inputs, state)[0], plain(inputs, state)[0], atol=1e-6)


def test_runs_in_keras_rnn_and_loads(tmp_path):
    cell = excited()
    inputs, state = numbers(3, 2, 5, 3), [np.zeros((2, 4), "float32")] * 2
    tensor = keras.Input((None, 3))
    model = keras.Model(tensor, keras.layers.RNN(cell)(tensor))
    for t in range(5):
        expected, state = cell(inputs[:, t], state)
    np.testing.assert_allclose(model(inputs), expected, atol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_allclose(keras.saving.load_model(tmp_path / "model.keras")(inputs), expected, atol=1e-6)


@pytest.mark.parametrize("precision, tolerance", [("mixed_float16", 1e-2), ("mixed_bfloat16", 5e-2)])
def test_states_stay_in_float32(precision, tolerance):
    cell = excited(dtype=precision)
    inputs, state = numbers(4, 2, 3), [numbers(5, 2, 4), 1000.5 + np.zeros((2, 4), "float32")]
    output, (hidden, after) = cell(inputs, state)
    assert (output.dtype, hidden.dtype, after.dtype) == (cell.compute_dtype, "float32", "float32")
    np.testing.assert_allclose(hidden, excited()(inputs, state)[0], atol=tolerance)


def test_unknown_size():
    with pytest.raises(ValueError, match="last axis of the input must be known"):
        PeepholeLSTMCell(4).build((None, None))
