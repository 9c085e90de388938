import numpy as np
import pytest

from toolkit.visualize import codes


def test_a_map_has_one_colour_for_each_code():
    found = codes.maps(np.array([[[0, 1], [1, 5]]]), 512)
    assert found.shape == (1, 2, 2, 3)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found[0, 0, 1], found[0, 1, 0])
    assert len(np.unique(found.reshape(-1, 3), axis=0)) == 3


def test_a_codebook_lies_in_its_principal_plane():
    """Points on a line in ten dimensions: the first axis has all of the variance."""
    direction = np.random.default_rng(0).normal(size=10)
    vectors = np.outer([-2.0, -1.0, 0.5, 2.5], direction)
    figure = codes.codebook(vectors, np.array([5, 0, 1, 1]))
    axis = figure.axes[0]
    assert axis.get_title() == "3 of 4 codes used"
    assert "(100 % of the variance)" in axis.get_xlabel()
    places = np.concatenate([each.get_offsets() for each in axis.collections])
    assert np.ptp(places[:, 0]) == pytest.approx(4.5 * np.linalg.norm(direction))
    assert np.ptp(places[:, 1]) == pytest.approx(0.0, abs=1e-9)
