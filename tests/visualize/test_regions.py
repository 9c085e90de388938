import numpy as np
import pytest

from toolkit.visualize.regions import grid, regions

POINTS = np.random.default_rng(0).normal(size=(30, 2))
LABELS = (POINTS[:, 0] > 0).astype(int)


def test_places_cover_the_points_with_room():
    places = grid(POINTS, steps=11)
    assert places.shape == (11, 11, 2) and places.dtype == np.float32
    low, high = POINTS.min(0), POINTS.max(0)
    np.testing.assert_allclose(places[0, 0], low - 0.1 * (high - low), atol=1e-5)
    np.testing.assert_allclose(places[-1, -1], high + 0.1 * (high - low), atol=1e-5)
    assert (np.diff(places[:, 0, 1]) > 0).all() and np.ptp(places[0, :, 1]) == 0


def test_a_panel_for_each_with_its_points_and_border():
    places = grid(POINTS, steps=50)
    steep = 1 / (1 + np.exp(-3 * places[..., 0]))
    figure = regions({"plain": steep, "sure of one": np.full((50, 50), 0.9)}, POINTS, LABELS)
    assert [axis.get_title() for axis in figure.axes] == ["plain", "sure of one"]
    assert [sum(len(line.get_xdata()) for line in axis.lines) for axis in figure.axes] == [30, 30]
    first = figure.axes[0]
    border = np.concatenate([path.vertices for path in first.collections[0].get_paths()])
    np.testing.assert_allclose(border[:, 0], 0, atol=0.05)
    assert not figure.axes[1].collections, "without a border"
    np.testing.assert_allclose(first.images[0].get_extent(), [*places[0, [0, -1], 0], *places[[0, -1], 0, 1]])


def test_what_does_not_fit_is_refused():
    for shown, labels in (({}, LABELS), ({"a": np.zeros((5, 5))}, LABELS[:4])):
        with pytest.raises(ValueError, match="expected classifiers, and"):
            regions(shown, POINTS, labels)
