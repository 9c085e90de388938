"""Codes as a prior reads them: of images as they are, of films each frame with those before it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from toolkit import models
from toolkit.data.pipelines import Batches
from toolkit.methods import code_likelihood

RANDOM = np.random.default_rng(0)


def network(**how):
    keras.utils.set_random_seed(0)
    return models.pixelcnn.pixelcnn(3, 4, 8, filters=4, num_blocks=1, head_filters=4, **how)


def test_maps_with_labels():
    codes, labels = RANDOM.integers(0, 8, (5, 3, 4)), np.arange(5)
    inputs, targets = code_likelihood.pairs(network(num_classes=5))({"codes": codes, "label": labels})
    np.testing.assert_array_equal(targets, codes)
    np.testing.assert_array_equal(inputs["label"], labels)
    inputs, _ = code_likelihood.pairs(network())({"codes": codes, "label": labels})
    assert set(inputs) == {"codes"}


def test_maps_of_several_codebooks_lie_beside_one_another():
    codes = RANDOM.integers(0, 8, (5, 3, 2, 2))
    _, targets = code_likelihood.pairs(network())({"codes": codes, "label": np.zeros(5)})
    np.testing.assert_array_equal(targets, codes.reshape(5, 3, 4))


def test_each_frame_with_those_before_it():
    films, labels = RANDOM.integers(0, 8, (2, 6, 3, 4)), np.array([1, 0])
    inputs, targets = code_likelihood.pairs(network(num_maps=4, num_classes=2))({"codes": films, "label": labels})
    assert targets.shape == (4, 3, 4)
    for row, (film, frame) in enumerate([(0, 4), (0, 5), (1, 4), (1, 5)]):
        np.testing.assert_array_equal(targets[row], films[film, frame])
        np.testing.assert_array_equal(inputs["context"][row], films[film, frame - 4 : frame])
        assert int(inputs["label"][row]) == labels[film]


def test_a_level_is_told_those_above():
    shapes = (1, 2), (3, 2, 2), (6, 8)
    levels = [RANDOM.integers(0, 8, (5, *shape)) for shape in shapes]
    rows = np.concatenate([each.reshape(5, -1) for each in levels], axis=1)
    batch = {"codes": rows, "label": np.arange(5)}
    middle = network(num_maps=1, context_size=(1, 2), num_classes=5)
    inputs, targets = code_likelihood.pairs(middle, shapes)(batch)
    np.testing.assert_array_equal(targets, levels[1].reshape(5, 3, 4))
    np.testing.assert_array_equal(inputs["codes"], targets)
    np.testing.assert_array_equal(inputs["context"], levels[0][:, None])
    np.testing.assert_array_equal(inputs["label"], np.arange(5))
    sizes = {"filters": 4, "num_blocks": 1, "head_filters": 4}
    bottom = models.pixelcnn.pixelcnn(6, 8, 8, num_maps=2, context_size=(3, 4), **sizes)
    inputs, targets = code_likelihood.pairs(bottom, shapes)(batch)
    np.testing.assert_array_equal(targets, levels[2])
    np.testing.assert_array_equal(inputs["context"][:, 1], levels[1].reshape(5, 3, 4))
    np.testing.assert_array_equal(inputs["context"][:, 0], np.kron(levels[0], np.ones((1, 3, 2), int)))
    inputs, targets = code_likelihood.pairs(network(), shapes[1:2])({"codes": levels[1], "label": np.arange(5)})
    np.testing.assert_array_equal(targets, levels[1].reshape(5, 3, 4))
    assert set(inputs) == {"codes"}


def test_bits_a_code():
    model = code_likelihood.compiled(network())
    codes = RANDOM.integers(0, 8, (5, 3, 4))
    inputs, targets = code_likelihood.pairs(model)({"codes": codes, "label": np.zeros(5)})
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    log_probs = np.asarray(keras.ops.log_softmax(model(inputs)))
    expected = -np.take_along_axis(log_probs, codes[..., None], axis=-1).mean() / np.log(2)
    assert found["bits_per_code"] == pytest.approx(expected, rel=1e-5)


def test_bits_a_code_of_batches():
    model, levels = network(num_maps=1, context_size=(1, 2)), ((1, 2), (3, 4))
    batch = {"codes": RANDOM.integers(0, 8, (6, 14)), "label": np.zeros(6)}
    batches = Batches(
        lambda rows: {name: each[rows] for name, each in batch.items()},
        lambda epoch: list(np.arange(6).reshape(3, 2)),
        {"codes": tf.TensorSpec((None, 14), tf.int64), "label": tf.TensorSpec((None,), tf.float64)},
        num_examples=6,
    )
    for num_batches, number in ((None, 6), (2, 4)):
        inputs, codes = code_likelihood.pairs(model, levels)({name: each[:number] for name, each in batch.items()})
        log_probs = np.asarray(keras.ops.log_softmax(model(inputs)))
        expected = -np.take_along_axis(log_probs, np.asarray(codes)[..., None], axis=-1).mean() / np.log(2)
        assert code_likelihood.measured(model, batches, levels, num_batches) == pytest.approx(expected, rel=1e-5)
