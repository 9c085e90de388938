"""Against the sum over all pairs, which is what the filter stands for."""

import numpy as np
import pytest
import tensorflow as tf

from toolkit.layers.permutohedral_lattice import filtered, lattice, normalized

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.uniform(0, 4, (1, 400, 3)).astype("float32")
VALUES = RANDOM.random((5, 400)).astype("float32")


def normalized_sum_over_all_pairs(features):
    """As a dense CRF uses it: D^-1/2 K D^-1/2 values."""
    kernel = np.exp(-0.5 * ((features[:, None] - features) ** 2).sum(-1))
    root = np.sqrt(kernel.sum(0))
    return VALUES / root @ kernel / root


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_is_about_the_sum_over_all_pairs(dimensions):
    features = RANDOM.uniform(0, 6 / dimensions, (1, 400, dimensions)).astype("float32")
    exact = normalized_sum_over_all_pairs(features[0])
    found = np.asarray(filtered(tf.constant(VALUES), normalized(lattice(features))))
    assert np.abs(found - exact).mean() < 0.03 * np.abs(exact).mean()


def test_shares_are_a_point_between_its_neighbors():
    where = lattice(FEATURES)
    np.testing.assert_allclose(np.sum(where.shares, axis=1), 1.0, atol=1e-5)
    assert np.min(where.shares) > -1e-5
    assert int(where.num_points) == np.max(where.vertices) + 1 == len(np.unique(where.vertices))


def test_same_features_are_the_same_point_and_far_ones_do_not_meet():
    features = np.array([[[0.0, 0.0], [0.0, 0.0], [50.0, -20.0]]], "float32")
    (found,) = np.asarray(filtered(tf.constant([[1.0, 0.0, 0.0]]), lattice(features)))
    assert found[0] == found[1] > 0 and found[2] == 0


def test_images_are_apart():
    """Two images with the same features: each is filtered by itself."""
    both = np.concatenate([FEATURES[:, :200], FEATURES[:, :200]])
    values = np.concatenate([VALUES[:, :200], np.zeros_like(VALUES[:, :200])], axis=1)
    found = np.asarray(filtered(tf.constant(values), lattice(both)))
    alone = np.asarray(filtered(tf.constant(VALUES[:, :200]), lattice(FEATURES[:, :200])))
    np.testing.assert_allclose(found[:, :200], alone, rtol=1e-5)
    assert not found[:, 200:].any()


def test_gradient_is_the_transposed_filter():
    where, values = lattice(FEATURES), tf.Variable(VALUES[:1])
    weights = RANDOM.random((1, 400)).astype("float32")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(filtered(values, where) * weights)
    gradient = tf.convert_to_tensor(tape.gradient(total, values)).numpy()
    step = RANDOM.normal(size=(1, 400)).astype("float32")
    moved = tf.reduce_sum(filtered(values + step, where) * weights)
    assert float(moved - total) == pytest.approx(float((gradient * step).sum()), rel=1e-3)


def test_a_capacity_changes_nothing_and_compiles():
    where = lattice(FEATURES)
    capacity = int(where.num_points) + 7
    compiled = tf.function(lambda f, v: filtered(v, lattice(f, capacity)), jit_compile=True)
    np.testing.assert_allclose(compiled(FEATURES, VALUES), filtered(tf.constant(VALUES), where), rtol=1e-4, atol=1e-5)


def test_too_many_dimensions():
    with pytest.raises(ValueError, match="at most 6 dimensions; got 7"):
        lattice(np.zeros((1, 3, 7), "float32"))
