"""Levels of codes as a row and back, and as what the next level is told, against NumPy."""

import numpy as np

from toolkit.models import code_levels

SHAPES = (1, 2), (2, 4, 3), (8, 8)
LEVELS = [np.random.default_rng(0).integers(0, 9, (5, *shape)) for shape in SHAPES]


def test_a_row_has_the_levels_one_after_the_other():
    rows = np.asarray(code_levels.joined(LEVELS))
    np.testing.assert_array_equal(rows, np.concatenate([each.reshape(5, -1) for each in LEVELS], axis=1))
    for found, expected in zip(code_levels.parted(rows, SHAPES), LEVELS, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_one_level_needs_no_row():
    (found,) = code_levels.parted(LEVELS[1], SHAPES[1:2])
    np.testing.assert_array_equal(found, LEVELS[1])


def test_codes_of_a_place_lie_beside_one_another():
    assert code_levels.map_shapes(SHAPES) == ((1, 2), (2, 12), (8, 8))


def test_coarser_codes_are_repeated():
    above = [LEVELS[0], LEVELS[1][..., 0]]
    found = np.asarray(code_levels.context(above))
    np.testing.assert_array_equal(found[:, 0], np.kron(LEVELS[0], np.ones((1, 2, 2), int)))
    np.testing.assert_array_equal(found[:, 1], above[1])
    np.testing.assert_array_equal(code_levels.context(above[:1]), above[0][:, None])
