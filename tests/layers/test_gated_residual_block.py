import numpy as np
import pytest

from tests import checks
from toolkit.layers import GatedResidualBlock


def arrays(seed=0):
    random = np.random.default_rng(seed)
    return [random.standard_normal(shape).astype("float32") for shape in ((2, 9, 4), (2, 3), (2, 9, 5))]


@pytest.mark.parametrize("inputs", [1, 3])
def test_gate(inputs):
    checks.check_layer(lambda: GatedResidualBlock(3, 6, dilation_rate=2, name="block"), *arrays()[:inputs])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("kernel_size, dilation_rate", [(2, 1), (2, 4), (3, 2)])
def test_is_the_formula(kernel_size, dilation_rate):
    """Written sample by sample, in float64."""
    x, h, y = arrays(1)
    block = GatedResidualBlock(3, 6, kernel_size, dilation_rate)
    found = block(x, h, y)
    random = np.random.default_rng(2)
    block.set_weights([random.standard_normal(w.shape) for w in block.get_weights()])
    found = block(x, h, y)
    kernel, bias = (np.asarray(w, "float64") for w in (block.convolution.kernel, block.convolution.bias))
    v, u = np.asarray(block.global_projection.kernel), np.asarray(block.local_projection.kernel)
    r, r_bias = np.asarray(block.outward.kernel), np.asarray(block.outward.bias)
    for t in range(9):
        total = bias + h @ v + y[:, t] @ u
        for tap in range(kernel_size):
            there = t - (kernel_size - 1 - tap) * dilation_rate
            if there >= 0:
                total = total + x[:, there] @ kernel[tap]
        outward = np.tanh(total[:, :3]) * sigmoid(total[:, 3:]) @ r + r_bias
        np.testing.assert_allclose(found[0][:, t], x[:, t] + outward[:, :4], atol=1e-5)
        np.testing.assert_allclose(found[1][:, t], outward[:, 4:], atol=1e-5)


@pytest.mark.parametrize("kernel_size, dilation_rate", [(1, 1), (2, 1), (2, 4), (3, 2)])
def test_step_by_step_is_all_at_once(kernel_size, dilation_rate):
    x, h, y = arrays(3)
    block = GatedResidualBlock(3, 6, kernel_size, dilation_rate)
    residual, skip = block(x, h, y)
    queue = np.zeros((2, (kernel_size - 1) * dilation_rate, 4), "float32")
    for t in range(9):
        now, aside, queue = block.step(x[:, t], queue, h, y[:, t])
        np.testing.assert_allclose(now, residual[:, t], atol=1e-5)
        np.testing.assert_allclose(aside, skip[:, t], atol=1e-5)


def test_a_condition_is_always_there_or_never():
    x, h, y = arrays()
    with_one, without = GatedResidualBlock(3, 6, name="block"), GatedResidualBlock(3, 6, name="block")
    with_one(x, h, y), without(x)
    with pytest.raises(ValueError, match="block, global_condition: the block was built with one, and is given none"):
        with_one(x, local_condition=y)
    with pytest.raises(ValueError, match="block, local_condition: the block was built with one, and is given none"):
        with_one.step(x[:, 0], np.zeros((2, 1, 4), "float32"), h)
    with pytest.raises(ValueError, match="block, local_condition: the block was built without one, and is given one"):
        without(x, local_condition=y)


def test_errors():
    with pytest.raises(ValueError, match="dilation_rate must be at least 1; got 0"):
        GatedResidualBlock(3, 6, dilation_rate=0)
    with pytest.raises(ValueError, match=r"expected inputs \(batch, time, channels\)"):
        GatedResidualBlock(3, 6).build((None, 4))
    with pytest.raises(ValueError, match=r"expected global_condition \(batch, channels\)"):
        GatedResidualBlock(3, 6).build((None, 9, 4), (None, 9, 4))
