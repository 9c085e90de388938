import hashlib
import math
import time

import numpy as np
import pytest

from toolkit.data.factors.sprites import SHAPE_NAMES, sprites

DSPRITES = (3, 6, 40, 32, 32)


def inside(shape, x, y, size, angle):
    """By how much a place lies inside a shape round the origin, in pixels, negative outside: by corners and foci."""
    turned = lambda a, b: (  # noqa: E731
        size * (a * math.cos(angle) - b * math.sin(angle)),
        size * (a * math.sin(angle) + b * math.cos(angle)),
    )

    def in_corners(*corners):
        corners = [turned(*corner) for corner in corners]
        depths = []
        for (ax, ay), (bx, by) in zip(corners, corners[1:] + corners[:1], strict=True):
            depths.append(((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / math.hypot(bx - ax, by - ay))
        return min(depths)

    if shape == "square":
        return in_corners((-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7))
    if shape == "ellipse":
        focus = math.sqrt(0.97**2 - 0.52**2)
        sums = sum(math.dist((x, y), turned(sign * focus, 0)) for sign in (-1, 1))
        return size * 0.97 - sums / 2
    discs = [size * 0.77 / math.sqrt(2) - math.dist((x, y), turned(sign * 0.385, 0.2 - 0.385)) for sign in (-1, 1)]
    return max(in_corners((0, 0.2 - 0.77), (0.77, 0.2), (0, 0.97), (-0.77, 0.2)), *discs)


@pytest.mark.parametrize("shape", SHAPE_NAMES)
def test_pixels_are_those_whose_centres_lie_inside(shape):
    data = sprites(DSPRITES)
    rows = data.subset({"shape": [SHAPE_NAMES.index(shape)]}).sample(3, seed=2)
    images = data.images(np.insert(rows, 0, SHAPE_NAMES.index(shape), axis=1))
    assert set(np.unique(images)) == {0.0, 1.0}
    for image, (scale, orientation, column, row) in zip(images[..., 0], rows.tolist(), strict=True):
        size, angle = 16 * (0.5 + 0.1 * scale), 2 * math.pi * orientation / 39
        for y in range(64):
            for x in range(64):
                depth = inside(shape, x + 0.5 - (16 + column), y + 0.5 - (16 + row), size, angle)
                if abs(depth) > 1e-4:  # else the rounding of a sine decides
                    assert image[y, x] == (depth > 0), (shape, scale, orientation, x, y)


def test_positions_move_the_same_sprite_by_whole_pixels():
    data = sprites()
    rows = np.array([[2, 3, 1, x, y] for x in range(12) for y in range(12)])
    images = data.images(rows).reshape(12, 12, 64, 64)
    for x in range(12):
        for y in range(12):
            np.testing.assert_array_equal(images[x, y], np.roll(images[0, 0], (2 * y, 2 * x), axis=(0, 1)))
    edges = images.any(axis=(0, 1))
    assert not edges[[0, -1]].any() and not edges[:, [0, -1]].any()


def test_the_first_and_last_orientation_are_the_same_and_no_others_of_a_heart():
    data = sprites((3, 1, 40, 1, 2))
    images = data.images(data.factors(np.arange(len(data)))).reshape(3, 40, 2, -1)
    assert [len(np.unique(images[shape, :, 0], axis=0)) for shape in range(3)] == [39, 39, 39]
    np.testing.assert_array_equal(images[:, 0], images[:, -1])


def test_areas_grow_with_the_square_of_the_scale():
    data = sprites(DSPRITES)
    rows = data.subset({"orientation": range(1, 39)}).sample(600, seed=0) + [0, 0, 1, 0, 0]  # none upright
    areas = data.images(rows).sum(axis=(1, 2, 3))
    whole = np.array([1.4**2, math.pi * 0.97 * 0.52, 0.77**2 * (2 + math.pi / 2)]) * 256
    np.testing.assert_allclose(areas, whole[rows[:, 0]] * (0.5 + 0.1 * rows[:, 1]) ** 2, rtol=0.1)


def test_any_numbers_of_values():
    assert len(sprites(DSPRITES)) == 737_280 and sprites().factor_sizes == (3, 4, 8, 12, 12)
    data = sprites((2, 1, 1, 33, 1))
    assert data.factor_names == ("shape", "x") and data.factor_sizes == (2, 33)
    columns = [np.flatnonzero(image.any(axis=0))[0] for image in data.images(data.factors(np.arange(33)))[..., 0]]
    assert np.diff(columns).tolist() == [1] * 32
    still = data.images(np.array([[0, 16]]))[0, :, :, 0]
    np.testing.assert_array_equal(still, still[::-1, ::-1])


def test_they_are_the_same_on_every_machine():
    data = sprites((3, 6, 40, 2, 2))
    pixels = data.pixels(data.places[::4, 0])
    assert hashlib.sha256(np.packbits(pixels > 0).tobytes()).hexdigest()[:16] == "ecdc18e1d8d5e624"


@pytest.mark.parametrize("sizes", [(4, 4, 8, 12, 12), (3, 4, 8, 12), (3, 4, 8, 34, 12), (3, 0, 8, 12, 12)])
def test_sizes_that_cannot_be(sizes):
    with pytest.raises(ValueError, match="factor_sizes=.*expected numbers of values of 1 to.*shape.*33"):
        sprites(sizes)
    with pytest.raises(ValueError, match="2 factors or more"):
        sprites((1, 1, 1, 1, 5))


def test_a_thousand_take_little_time():
    data, started = sprites(DSPRITES), time.process_time()
    assert data.images(data.sample(1000)).shape == (1000, 64, 64, 1)
    assert time.process_time() - started < 2  # a twentieth of a second; far more would be a loop over pixels
