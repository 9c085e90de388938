import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import GaussianWindow


def numbers(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("more", [pytest.param(False, marks=pytest.mark.slow), True])
def test_gate(more):
    def make():
        return GaussianWindow(
            4,
            num_gaussians=3,
            initial_advance=0.5,
            gradient_clip=5.0,
            return_weights=more,
            return_state=more,
            peepholes=more,
            name="w",
        )

    checks.check_layer(make, numbers(0, 2, 6, 3), np.abs(numbers(1, 2, 5, 4)), masked=4)


def excited(**how):
    """A layer with large random weights, its inputs, and states that are not zero."""
    layer = GaussianWindow(6, num_gaussians=3, initial_advance=0.5, return_weights=True, return_state=True, **how)
    inputs, text = numbers(2, 2, 7, 3), np.abs(numbers(3, 2, 5, 4))
    layer(inputs, text)
    layer.set_weights([w + 0.4 * numbers(4 + i, *w.shape) for i, w in enumerate(layer.get_weights())])
    state = [np.abs(numbers(20 + size, 2, size)) for size in (6, 6, 4, 3)]
    return layer, inputs, text, state


@pytest.mark.parametrize("peepholes", [False, True])
def test_whole_sequence_is_the_cell_step_by_step(peepholes):
    """Outputs and all gradients of the fused layer equal automatic differentiation through its single step."""
    layer, *arrays = excited(peepholes=peepholes)

    def stepwise(inputs, text, state):
        columns = []
        for t in range(inputs.shape[1]):
            output, state = layer.cell(inputs[:, t], state, text)
            columns.append(output)
        return (*(tf.stack(column, axis=1) for column in zip(*columns, strict=True)), *state)

    def fused(inputs, text, state):
        return layer(inputs, text, initial_state=state)

    results = []
    for function in (fused, stepwise):
        inputs, text = tf.constant(arrays[0]), tf.constant(arrays[1])
        state = [tf.constant(x) for x in arrays[2]]
        watched = [inputs, text, *state]
        with tf.GradientTape() as tape:
            tape.watch(watched)
            outputs = function(inputs, text, state)
            loss = tf.add_n([tf.reduce_sum(tf.sin(y * (1.3 + i))) for i, y in enumerate(outputs)])
        results.append([*outputs, *tape.gradient(loss, watched + [v.value for v in layer.trainable_variables])])
    for mine, its in zip(*results, strict=True):
        scale = max(1.0, float(np.abs(its).max()))
        np.testing.assert_allclose(mine, its, atol=2e-5 * scale)


def test_the_untrained_window_advances_as_asked_and_only_forward():
    layer = GaussianWindow(8, num_gaussians=2, initial_advance=0.25, return_state=True)
    *_, position = layer(np.zeros((1, 40, 3), "float32"), np.zeros((1, 5, 4), "float32"))
    np.testing.assert_allclose(position, 10.0, rtol=0.05)
    layer, inputs, text, _ = excited()
    positions = [np.asarray(layer(inputs[:, :t], text)[-1]) for t in range(1, 8)]
    assert (np.diff(positions, axis=0) > 0).all()


def test_clipping_bounds_the_derivatives_of_a_step():
    layer = GaussianWindow(4, num_gaussians=2, gradient_clip=1e-3)
    inputs, text = tf.constant(numbers(0, 2, 6, 3)), np.abs(numbers(1, 2, 5, 4))
    with tf.GradientTape() as tape:
        loss = 1e3 * tf.add_n([tf.reduce_sum(y) for y in layer(inputs, text)])
    bias = tape.gradient(loss, layer.cell.bias.value)
    # A bias sums the derivatives of 2 examples and 6 steps, each at most 1e-3.
    np.testing.assert_allclose(np.abs(bias).max(), 12e-3, rtol=0.2)
    assert np.abs(bias).max() <= 12e-3 + 1e-8


def test_text_mask_is_zero_text():
    layer = GaussianWindow(4, num_gaussians=2, initial_advance=0.5)
    inputs, text = numbers(0, 2, 6, 3), np.abs(numbers(1, 2, 5, 4))
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    expected = layer(inputs, np.where(mask[..., None], text, 0.0))
    for mine, its in zip(layer(inputs, text, text_mask=mask), expected, strict=True):
        np.testing.assert_allclose(mine, its)


def test_bad_arguments():
    with pytest.raises(ValueError, match="initial_advance must be positive"):
        GaussianWindow(4, initial_advance=0.0)
    with pytest.raises(ValueError, match="gradient_clip must be positive"):
        GaussianWindow(4, gradient_clip=0.0)
    with pytest.raises(ValueError, match=r"text \(batch, characters, channels\)"):
        GaussianWindow(4).build((None, 5, 3), (None, 4))
