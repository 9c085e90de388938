import numpy as np
import pytest

from toolkit.data.scenes.shapes import SHAPES

AXIS = np.linspace(-1.5, 1.5, 601)
X, Y = np.meshgrid(AXIS, AXIS)
PIXEL = (AXIS[1] - AXIS[0]) ** 2
TENTH = np.pi / 5
# Of unit circle, squares, ...: from geometry.
AREAS = {
    "circle": np.pi,
    "square": 1.5**2,
    "bar": 2.0 * 0.56,
    "ring": np.pi * (1.0 - 0.48**2),
    "triangle": 1.5 * 2 * (0.75 / 0.866) / 2,
    "star": 10 * 0.5 * 0.42 * np.sin(TENTH),  # ten triangles with sides 1 and 0.42
}


@pytest.mark.parametrize("name", AREAS)
def test_area(name):
    area = np.count_nonzero(SHAPES[name](X, Y) < 0) * PIXEL
    assert area == pytest.approx(AREAS[name], rel=0.015)


@pytest.mark.parametrize("name", SHAPES)
def test_stays_within_its_size_and_is_of_one_piece(name):
    from scipy import ndimage

    inside = SHAPES[name](X, Y) < 0
    rows, columns = np.nonzero(inside)
    corner = np.sqrt(2.0) if name == "square" else 1.08
    assert np.hypot(X[rows, columns], Y[rows, columns]).max() < corner + 0.2
    assert np.abs(X[inside]).max() <= 1.02 and np.abs(Y[inside]).max() <= 1.05
    assert ndimage.label(inside, np.ones((3, 3)))[1] == 1
    assert 0.15 < np.count_nonzero(inside) * PIXEL / 4 < 0.8


@pytest.mark.parametrize("name", SHAPES)
def test_distance_is_never_more_than_a_fifth_too_large(name):
    """So that an outline is sharp: along any way the distance changes by no more than the way is long."""
    found = SHAPES[name](X, Y)
    steps = np.hypot(*np.gradient(found, AXIS, AXIS))
    assert np.quantile(steps, 0.99) < 1.2
