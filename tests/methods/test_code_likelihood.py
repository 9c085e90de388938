"""Codes as a prior reads them: of images as they are, of films each frame with those before it."""

import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.methods import code_likelihood

RANDOM = np.random.default_rng(0)


def network(**how):
    keras.utils.set_random_seed(0)
    return models.pixelcnn.pixelcnn(3, 4, 8, filters=4, num_blocks=1, head_filters=4, **how)


def test_maps_with_labels():
    codes, labels = RANDOM.integers(0, 8, (5, 3, 4)), np.arange(5)
    inputs, targets = code_likelihood.Pairs(network(num_classes=5))({"codes": codes, "label": labels})
    np.testing.assert_array_equal(targets, codes)
    np.testing.assert_array_equal(inputs["label"], labels)
    inputs, _ = code_likelihood.Pairs(network())({"codes": codes, "label": labels})
    assert set(inputs) == {"codes"}


def test_maps_of_several_codebooks_lie_beside_one_another():
    codes = RANDOM.integers(0, 8, (5, 3, 2, 2))
    _, targets = code_likelihood.Pairs(network())({"codes": codes, "label": np.zeros(5)})
    np.testing.assert_array_equal(targets, codes.reshape(5, 3, 4))


def test_each_frame_with_those_before_it():
    films, labels = RANDOM.integers(0, 8, (2, 6, 3, 4)), np.array([1, 0])
    inputs, targets = code_likelihood.Pairs(network(num_maps=4, num_classes=2))({"codes": films, "label": labels})
    assert targets.shape == (4, 3, 4)
    for row, (film, frame) in enumerate([(0, 4), (0, 5), (1, 4), (1, 5)]):
        np.testing.assert_array_equal(targets[row], films[film, frame])
        np.testing.assert_array_equal(inputs["context"][row], films[film, frame - 4 : frame])
        assert int(inputs["label"][row]) == labels[film]


def test_bits_a_code():
    model = code_likelihood.compiled(network())
    codes = RANDOM.integers(0, 8, (5, 3, 4))
    inputs, targets = code_likelihood.Pairs(model)({"codes": codes, "label": np.zeros(5)})
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)
    log_probs = np.asarray(keras.ops.log_softmax(model(inputs)))
    expected = -np.take_along_axis(log_probs, codes[..., None], axis=-1).mean() / np.log(2)
    assert found["bits_per_code"] == pytest.approx(expected, rel=1e-5)
