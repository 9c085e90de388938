import keras
import numpy as np
import pytest

from toolkit.methods.jacobian_norm import jacobian_norm


def test_is_the_norm_of_differences():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((2, 3))
    hidden = keras.layers.Dense(8, "tanh")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, keras.layers.Dense(4)(hidden))
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    norms, step = [], 1e-2
    for each in x:
        moved = np.stack([each + sign * step * basis.reshape(2, 3) for basis in np.eye(6) for sign in (1, -1)])
        found = np.asarray(model(moved.astype("float32")))
        norms.append(np.linalg.norm((found[::2] - found[1::2]) / (2 * step)))
    assert jacobian_norm(model, x, batch_size=2) == pytest.approx(np.mean(norms), rel=1e-3)


def test_what_has_no_jacobian_is_refused():
    model = keras.Sequential([keras.Input((2, 2)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match=r"expected examples, and outputs \(batch, n\); got 1 and \(None, 2, 3\)"):
        jacobian_norm(model, np.zeros((1, 2, 2)))
    flat = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError, match="expected examples, .* got 0"):
        jacobian_norm(flat, np.zeros((0, 2)))
