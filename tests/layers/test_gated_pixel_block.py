import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import GatedPixelBlock
from toolkit.layers.gated_pixel_block import gate


def arrays(seed=0, filters=3):
    random = np.random.default_rng(seed)
    shapes = ((2, 5, 6, 4), (2, 5, 6, filters), (2, 5, 6, 2))
    return [random.standard_normal(shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("mask_type, inputs", [pytest.param("A", 2, marks=pytest.mark.slow), ("B", 3)])
def test_gate(mask_type, inputs):
    checks.check_layer(lambda: GatedPixelBlock(3, 3, mask_type, name="block"), *arrays()[:inputs])


def test_a_condition_is_always_there_or_never():
    v, h, c = arrays()
    with_one, without = GatedPixelBlock(3, 3, name="block"), GatedPixelBlock(3, 3, name="block")
    with_one(v, h, c), without(v, h)
    with pytest.raises(ValueError, match="block, condition: the block was built with one, and is given none"):
        with_one(v, h)
    with pytest.raises(ValueError, match="block, condition: the block was built without one, and is given one"):
        without(v, h, c)


def test_one_condition_for_all_places():
    v, h, c = arrays()
    block = filled(GatedPixelBlock(3, 5), (v, h, c[:, :1, :1]))
    everywhere = np.broadcast_to(c[:, :1, :1], c.shape)
    np.testing.assert_allclose(block(v, h, c[:, :1, :1])[1], block(v, h, everywhere)[1], atol=1e-6)


def filled(block, inputs, seed=2):
    block(*inputs)
    random = np.random.default_rng(seed)
    block.set_weights([random.standard_normal(w.shape) for w in block.get_weights()])
    return block


def masked(x, kernel, bias, mask):
    """A full K x K convolution under a mask, pixel by pixel, in float64."""
    reach = len(mask) // 2
    padded = np.pad(x.astype("float64"), ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    out = np.zeros((*x.shape[:3], kernel.shape[-1])) + bias
    for row in range(x.shape[1]):
        for column in range(x.shape[2]):
            window = padded[:, row : row + len(mask), column : column + len(mask)]
            out[:, row, column] += np.einsum("bijc,ij,ijcf->bf", window, mask, kernel)
    return out


def gated(x):
    half = x.shape[-1] // 2
    return np.tanh(x[..., :half]) / (1 + np.exp(-x[..., half:]))


@pytest.mark.parametrize("kernel_size", [3, 5])
@pytest.mark.parametrize("mask_type", ["A", "B"])
def test_is_masked_convolutions(kernel_size, mask_type):
    """The masks of the papers, over kernels of full size."""
    v, h, c = arrays(1)
    block = filled(GatedPixelBlock(3, kernel_size, mask_type), (v, h, c))
    reach = kernel_size // 2
    above, left = np.zeros((kernel_size, kernel_size)), np.zeros((kernel_size, kernel_size))
    above[: reach + (mask_type == "B")] = 1
    left[reach, : reach + (mask_type == "B")] = 1
    full = []
    for layer, mask in ((block.vertical_convolution, above), (block.horizontal_convolution, left)):
        taps = np.asarray(layer.kernel)
        kernel = np.random.default_rng(3).standard_normal((kernel_size, kernel_size, *taps.shape[2:]))
        kernel[mask == 1] = taps.reshape(-1, *taps.shape[2:])
        full.append((kernel, np.asarray(layer.bias), mask))
    v_share, h_share = np.split(c @ np.asarray(block.condition_projection.kernel), 2, axis=-1)
    a = masked(v, *full[0]) + v_share
    gates = masked(h, *full[1]) + a @ np.asarray(block.vertical_to_horizontal.kernel) + h_share
    outward = gated(gates) @ np.asarray(block.outward.kernel) + np.asarray(block.outward.bias)
    found = block(v, h, c)
    np.testing.assert_allclose(found[0], gated(a), atol=1e-5)
    np.testing.assert_allclose(found[1], outward + (h if mask_type == "B" else 0), atol=1e-4)


def influence(blocks, height, width):
    """Which pixels (last axes) the horizontal stack sees at each place (first axis), told by gradients."""
    places = np.arange(height * width)
    pixels = np.random.default_rng(4).standard_normal((1, height, width, 2))
    pixels = tf.constant(np.repeat(pixels, len(places), axis=0), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        v = h = pixels
        for block in blocks:
            v, h = block(v, h)
        own = tf.reshape(h, (len(places), len(places), -1)) * np.eye(len(places))[..., None]
        seen = tf.reduce_sum(own * [1.0, 2.0, 3.0])
    return np.abs(tape.gradient(seen, pixels)).max(axis=-1) > 0


@pytest.mark.parametrize("kernel_size, num_blocks", [(3, 1), (3, 3), (5, 2)])
def test_sees_all_that_is_before_and_nothing_else(kernel_size, num_blocks):
    """No blind spot: in a row above, as far to the right as it reaches; farther to the left, by both stacks."""
    height, width, reach = 6, 7, num_blocks * (kernel_size // 2)
    blocks = [GatedPixelBlock(3, kernel_size, "AB"[number > 0]) for number in range(num_blocks)]
    influence(blocks, height, width)
    for number, block in enumerate(blocks):
        random = np.random.default_rng(number)
        block.set_weights([random.standard_normal(w.shape) / 2 for w in block.get_weights()])
    found = influence(blocks, height, width).reshape(height, width, height, width)
    row, column, its_row, its_column = np.ogrid[:height, :width, :height, :width]
    before = (its_row < row) | ((its_row == row) & (its_column < column))
    assert not found[~np.broadcast_to(before, found.shape)].any(), "the pixel itself, or a later one"
    near = (row - its_row <= reach) & (np.abs(its_column - column) <= reach)
    assert found[before & near].all(), "a blind spot"
    far = (row - its_row > reach) | (its_column - column > reach)
    assert not found[np.broadcast_to(far, found.shape)].any(), "farther than kernels go"


def test_dropout_is_of_training_only():
    v, h, _ = arrays(5)
    block = filled(GatedPixelBlock(3, dropout=0.5), (v, h))
    kept, dropped = block(v, h), block(v, h, training=True)
    np.testing.assert_array_equal(block(v, h, training=False)[1], kept[1])
    left = np.asarray(dropped[0]) != 0
    assert 0.3 < left.mean() < 0.7
    np.testing.assert_allclose(np.asarray(dropped[0])[left], 2 * np.asarray(kept[0])[left], rtol=1e-5)


def test_gate_opens_and_closes():
    np.testing.assert_allclose(gate(np.array([[0.5, -2.0, 99.0, 0.0]])), [[np.tanh(0.5), np.tanh(-2.0) / 2]])


def test_errors():
    with pytest.raises(ValueError, match="kernel_size must be odd and at least 3; got 4"):
        GatedPixelBlock(3, 4)
    with pytest.raises(ValueError, match="mask_type must be one of A, B; got 'C'"):
        GatedPixelBlock(3, mask_type="C")
    with pytest.raises(ValueError, match="filters must be at least 1"):
        GatedPixelBlock(0)
    with pytest.raises(ValueError, match="dropout must be at least 0 and below 1; got 1"):
        GatedPixelBlock(3, dropout=1)
    with pytest.raises(ValueError, match=r"expected vertical \(batch, height, width, channels\)"):
        GatedPixelBlock(3).build((None, 9, 4), (None, 9, 9, 3))
    with pytest.raises(ValueError, match="expected horizontal of 3 channels, the filters; got shape"):
        GatedPixelBlock(3).build((None, 9, 9, 4), (None, 9, 9, 4))
