import numpy as np

from toolkit.methods.solved import Solved

RANDOM = np.random.default_rng(0)
DIRECTIONS, MIX = RANDOM.standard_normal((3, 7)), RANDOM.standard_normal((5, 3))


def test_queries_are_mixtures_of_directions():
    found = Solved(DIRECTIONS, MIX, np.zeros(5))
    np.testing.assert_allclose(found.vectors, [sum(w * d for w, d in zip(row, DIRECTIONS, strict=True)) for row in MIX])
    values = RANDOM.standard_normal((3, 2, 4))
    np.testing.assert_allclose(found.mixed(values), np.einsum("qd,dij->qij", MIX, values))


def test_each_direction_is_a_query_where_nothing_is_mixed():
    found = Solved(DIRECTIONS, None, np.zeros(3))
    np.testing.assert_array_equal(found.vectors, DIRECTIONS)
    np.testing.assert_array_equal(found.mixed(DIRECTIONS), DIRECTIONS)
