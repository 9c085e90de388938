import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit.losses import SimilarityMatching
from toolkit.losses.similarity_matching import random_projection, similarity_matrix

RANDOM = np.random.default_rng(0)
FEATURES = RANDOM.standard_normal((6, 4)).astype("float32")
LABELS = np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 1]]


def cosines(x):
    """By the formula, one pair after another; np.corrcoef is the same thing."""
    x = np.asarray(x, "float64").reshape(len(x), -1)
    x = x - x.mean(axis=1, keepdims=True)
    return np.array([[a @ b / np.sqrt((a @ a) * (b @ b)) for b in x] for a in x])


def test_similarities_are_the_formulas():
    found = np.asarray(similarity_matrix(FEATURES))
    np.testing.assert_allclose(found, cosines(FEATURES), atol=1e-6)
    np.testing.assert_allclose(found, np.corrcoef(FEATURES), atol=1e-6)
    np.testing.assert_allclose(np.diagonal(found), 1.0, atol=1e-6)
    maps = RANDOM.standard_normal((3, 2, 2, 5))
    np.testing.assert_allclose(similarity_matrix(maps), np.corrcoef(maps.reshape(3, -1)), atol=1e-6)


@pytest.mark.parametrize("num_classes", [2, 3, 10])
def test_of_labels(num_classes):
    """1 for the same class, -1 / (K - 1) for two."""
    classes = RANDOM.integers(0, num_classes, 20)
    same = classes[:, None] == classes[None]
    expected = np.where(same, 1.0, -1 / (num_classes - 1))
    np.testing.assert_allclose(similarity_matrix(np.eye(num_classes)[classes]), expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e18])
def test_any_scale_and_no_gradient_where_all_numbers_are_equal(scale):
    values = scale * FEATURES
    values[2] = values[2, 0]
    values = tf.constant(values)
    with tf.GradientTape() as tape:
        tape.watch(values)
        found = similarity_matrix(values)
        loss = tf.reduce_sum(found * tf.constant(RANDOM.standard_normal((6, 6)).astype("float32")))
    rest = [0, 1, 3, 4, 5]
    np.testing.assert_allclose(found.numpy()[np.ix_(rest, rest)], np.corrcoef(FEATURES[rest]), atol=1e-5)
    assert not found[2].numpy().any()
    gradient = tape.gradient(loss, values).numpy()
    assert np.isfinite(gradient).all() and not gradient[2].any() and gradient[0].any()


def test_the_loss_is_the_formulas():
    expected = np.mean((cosines(FEATURES) - cosines(LABELS)) ** 2)
    assert float(SimilarityMatching()(LABELS, FEATURES)) == pytest.approx(expected, rel=1e-5)
    projection = random_projection(3, 16, seed=5)
    expected = np.mean((cosines(FEATURES) - cosines(LABELS @ projection)) ** 2)
    assert float(SimilarityMatching(16, seed=5)(LABELS, FEATURES)) == pytest.approx(expected, rel=1e-5)
    assert float(SimilarityMatching(16, seed=6)(LABELS, FEATURES)) != pytest.approx(expected, rel=1e-3)
    by_example = SimilarityMatching(reduction=None)(LABELS, FEATURES)
    np.testing.assert_allclose(by_example, np.mean((cosines(FEATURES) - cosines(LABELS)) ** 2, axis=1), rtol=1e-5)


def test_its_gradient_is_that_of_differences():
    def at(values):
        return np.mean((cosines(values) - cosines(LABELS)) ** 2)

    values = tf.constant(FEATURES)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = SimilarityMatching()(LABELS, values)
    found = tape.gradient(loss, values).numpy()
    for place in ((0, 0), (3, 2), (5, 3)):
        step = np.zeros((6, 4))
        step[place] = 1e-5
        expected = (at(FEATURES + step) - at(FEATURES - step)) / 2e-5
        assert found[place] == pytest.approx(expected, abs=1e-5)


def test_a_batch_of_one_class_or_one_example_teaches_what_it_can():
    one_class = np.eye(3, dtype="float32")[[1, 1, 1, 1, 1, 1]]
    expected = np.mean((cosines(FEATURES) - 1.0) ** 2)
    assert float(SimilarityMatching()(one_class, FEATURES)) == pytest.approx(expected, rel=1e-5)
    assert float(SimilarityMatching()(LABELS[:1], FEATURES[:1])) == pytest.approx(0.0, abs=1e-9)


def test_config_and_projection():
    loss = SimilarityMatching(16, seed=5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(LABELS, FEATURES)) == float(loss(LABELS, FEATURES))
    drawn = random_projection(4, 5000, seed=1)
    np.testing.assert_array_equal(drawn, random_projection(4, 5000, seed=1))
    # Uniform: variance is a third of the square of the limit.
    assert np.abs(drawn).max() <= 0.5 and drawn.var() == pytest.approx(0.25 / 3, rel=0.03)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="two features or more"):
        similarity_matrix(FEATURES[:, :1])
    with pytest.raises(ValueError, match="must be at least 1; got 0 and 3"):
        random_projection(0, 3)
