import numpy as np
import pytest

from toolkit.models.embedding_cnn import embedding_cnn


def test_the_papers_sizes():
    layers = {layer.name: layer.output.shape[1:] for layer in embedding_cnn(28).layers}
    assert layers["conv1b"] == (28, 28, 64) and layers["conv2b"] == (14, 14, 128) and layers["flat"] == (7 * 7 * 128,)
    assert layers["key"] == (128,)


def test_it_sees_ink_and_not_paper():
    model = embedding_cnn(9, key_size=5, filters=2)
    white = np.full((2, 9, 9, 1), 255, "float32")
    np.testing.assert_array_equal(model(white), np.zeros((2, 5)))  # biases begin at 0
    white[1, 4, 4] = 0
    keys = np.asarray(model(white))
    assert keys.shape == (2, 5) and (keys[0] == 0).all() and (keys[1] != 0).any()


def test_an_image_too_small():
    with pytest.raises(ValueError, match="image_size=3: expected 4 or more"):
        embedding_cnn(3)
