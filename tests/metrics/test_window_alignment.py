import numpy as np
import pytest

from toolkit.metrics.window_alignment import text_read


def test_windows_whose_way_is_known():
    places = np.array([[0, 1, 2, 3, 3], [0, 0, 0, 0, 0], [0, 2, 0, 0, 0], [2, 1, 0, 0, 0]])
    weights = np.eye(6)[places] * 0.5
    read = text_read(weights, num_points=np.array([4, 5, 2, 3]), num_characters=np.array([4, 5, 3, 5]))
    np.testing.assert_allclose(read, [1.0, 0.0, 1.0, -0.5])
    assert text_read(weights[:1], np.array([5]), np.array([1])) == 1.0


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"expected weights \(batch, points, characters\)"):
        text_read(np.zeros((2, 3)), np.array([1]), np.array([1]))
