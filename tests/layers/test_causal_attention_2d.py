import keras
import numpy as np
import pytest
import tensorflow as tf

from tests import checks
from toolkit.layers import CausalAttention2D
from toolkit.layers.causal_attention_2d import attend_before


def maps(height=3, width=4, seed=0):
    random = np.random.default_rng(seed)
    return [random.standard_normal((2, height, width, channels)).astype("float32") for channels in (5, 3)]


@pytest.mark.parametrize("block_size", [5, pytest.param(None, marks=pytest.mark.slow)])
def test_gate(block_size):
    """12 places in blocks of 5, the last one filled up."""
    checks.check_layer(lambda: CausalAttention2D(2, 4, 3, block_size, name="attention"), *maps())


def filled(layer, inputs):
    layer(*inputs)
    random = np.random.default_rng(1)
    layer.set_weights([random.standard_normal(w.shape) for w in layer.get_weights()])
    return layer


@pytest.mark.parametrize("block_size", [1, 4, 12, None])
def test_is_the_formula(block_size):
    """Place by place, in float64."""
    x, y = maps()
    layer = filled(CausalAttention2D(2, 4, 3, block_size), (x, y))
    (query, query_bias), (both, bias) = (
        [np.asarray(w, "float64") for w in (dense.kernel, dense.bias)]
        for dense in (layer.query_projection, layer.value_projection)
    )
    q = (x @ query + query_bias).reshape(2, 12, 2, 4)
    k, v = np.split(y @ both + bias, [8], axis=-1)
    k, v = k.reshape(2, 12, 2, 4), v.reshape(2, 12, 2, 3)
    expected = np.zeros((2, 12, 2, 3))
    for place in range(1, 12):
        weights = np.exp(np.einsum("bhd,bkhd->bhk", q[:, place], k[:, :place]) / 2)
        expected[:, place] = np.einsum("bhk,bkhd->bhd", weights / weights.sum(-1, keepdims=True), v[:, :place])
    found = np.asarray(layer(x, y))
    np.testing.assert_allclose(found, expected.reshape(2, 3, 4, 6), atol=1e-5)
    assert not found[:, 0, 0].any(), "the first place sees none"


def kerass(layer, x, y):
    """The same by `keras.layers.MultiHeadAttention` under a mask, its output projection the identity."""
    its = keras.layers.MultiHeadAttention(2, 4, 3, output_shape=6)
    its.build((2, 12, 5), (2, 12, 3))
    (query, query_bias), (both, bias) = (
        (np.asarray(dense.kernel), np.asarray(dense.bias)) for dense in (layer.query_projection, layer.value_projection)
    )
    its.set_weights([
        *(query.reshape(5, 2, 4), query_bias.reshape(2, 4)),
        *(both[:, :8].reshape(3, 2, 4), bias[:8].reshape(2, 4)),
        *(both[:, 8:].reshape(3, 2, 3), bias[8:].reshape(2, 3)),
        *(np.eye(6).reshape(2, 3, 6), np.zeros(6)),
    ])  # fmt: skip
    x, y = (tf.reshape(each, (2, 12, -1)) for each in (x, y))
    # The first place, which by this mask alone would see all.
    return its(x, y, attention_mask=np.tril(np.ones((1, 12, 12), bool), -1))[:, 1:]


@pytest.mark.parametrize("block_size", [5, 99])
def test_is_kerass_with_its_gradient(block_size):
    x, y = (tf.constant(each) for each in maps())
    layer = filled(CausalAttention2D(2, 4, 3, block_size), (x, y))
    direction, results = np.random.default_rng(2).standard_normal((2, 11, 6)), []
    for emit in (lambda: tf.reshape(layer(x, y), (2, 12, 6))[:, 1:], lambda: kerass(layer, x, y)):
        with tf.GradientTape() as tape:
            tape.watch([x, y])
            found = emit()
            loss = tf.reduce_sum(found * direction)
        results.append([found, *tape.gradient(loss, [x, y])])
    for ours, its in zip(*results, strict=True):
        np.testing.assert_allclose(ours, its, atol=2e-5)


@pytest.mark.parametrize("block_size", [5, 99])
def test_sees_what_is_before_and_nothing_else(block_size):
    """Of the values, told by gradients; of the queries its own."""
    x, y = (tf.constant(np.repeat(each[:1], 12, axis=0)) for each in maps())
    layer = filled(CausalAttention2D(2, 4, 3, block_size), (x, y))
    with tf.GradientTape() as tape:
        tape.watch([x, y])
        own = tf.reshape(layer(x, y), (12, 12, 6)) * np.eye(12)[..., None]
        loss = tf.reduce_sum(own * np.arange(1.0, 7))
    of_query, of_value = (np.abs(each).max(axis=-1).reshape(12, 12) for each in tape.gradient(loss, [x, y]))
    np.testing.assert_array_equal(of_value > 0, np.tri(12, k=-1) > 0)
    # With one place to see, the query does not matter.
    np.testing.assert_array_equal(of_query > 1e-6, np.diag(np.arange(12) > 1))


def test_scores_of_any_size():
    """Neither overflows nor divides by zero, in value and gradient."""
    q, k, v = (tf.constant(300 * np.random.default_rng(3).standard_normal((1, 1, 7, 2)), tf.float32) for _ in range(3))
    with tf.GradientTape() as tape:
        tape.watch([q, k, v])
        found = attend_before(q, -k, v, 3)
    assert all(np.isfinite(each).all() for each in (found, *tape.gradient(found, [q, k, v])))


def test_memory_is_linear():
    """No array of places by places: none in the graph of the gradient is larger than a block's weights."""
    layer, side = CausalAttention2D(1, 2, block_size=16), 32
    x = tf.constant(np.random.default_rng(4).standard_normal((1, side, side, 2)), tf.float32)
    layer(x)

    @tf.function(autograph=False)
    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.square(layer(x)))
        return tape.gradient(loss, x)

    graph = gradient.get_concrete_function(x).graph
    graphs = [graph, *(function.graph for function in graph._functions.values() if hasattr(function, "graph"))]
    sizes = [each.shape.num_elements() or 0 for one in graphs for op in one.get_operations() for each in op.outputs]
    assert 16 * side**2 <= max(sizes) < side**4 / 4


def test_errors():
    with pytest.raises(ValueError, match="num_heads must be at least 1; got 0"):
        CausalAttention2D(0, 4)
    with pytest.raises(ValueError, match=r"expected value \(batch, height, width, channels\)"):
        CausalAttention2D(1, 4).build((None, 3, 3, 4), (None, 9, 4))
