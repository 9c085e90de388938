import numpy as np
import pytest
from scipy.spatial import distance

from toolkit.methods import k_center
from toolkit.methods.k_center import distances_to_nearest, k_center_greedy

RANDOM = np.random.default_rng(0)
POINTS, CENTERS = RANDOM.normal(size=(90, 5)), RANDOM.normal(size=(7, 5))


def by_brute_force(points, centers, count):
    """The whole matrix of distances, and its least entries anew for each choice."""
    all_points = np.concatenate([centers, points])
    matrix, taken, rows, far = distance.cdist(points, all_points), list(range(len(centers))), [], []
    for _ in range(count):
        nearest = matrix[:, taken].min(axis=1)
        rows.append(int(nearest.argmax()))
        far.append(nearest.max())
        taken.append(len(centers) + rows[-1])
    return rows, far, matrix[:, taken].min(axis=1).max()


@pytest.mark.parametrize("together", [1, 40, 1 << 22])
def test_is_the_brute_force_choice_whatever_the_blocks(monkeypatch, together):
    monkeypatch.setattr(k_center, "_TOGETHER", together)
    for count in (1, 20, 90):
        found = k_center_greedy(POINTS, CENTERS, count)
        rows, far, radius = by_brute_force(POINTS, CENTERS, count)
        assert found.rows.tolist() == rows
        np.testing.assert_allclose(found.distances, far, rtol=1e-10)
        assert found.radius == pytest.approx(radius, abs=1e-7)
    np.testing.assert_allclose(distances_to_nearest(POINTS, CENTERS), distance.cdist(POINTS, CENTERS).min(axis=1))


def test_float32_far_from_zero_loses_nothing():
    """Squared lengths of 1e8 would leave nothing of distances of 1 in float32."""
    shifted = (POINTS + 1e4).astype("float32")
    found = k_center_greedy(shifted, (CENTERS + 1e4).astype("float32"), 20)
    assert found.rows.tolist() == by_brute_force(shifted, (CENTERS + 1e4).astype("float32"), 20)[0]


def test_without_centers_begins_furthest_from_the_mean():
    found = k_center_greedy(POINTS, np.empty((0, 5)), 4)
    first = int(np.linalg.norm(POINTS - POINTS.mean(axis=0), axis=1).argmax())
    others = np.delete(np.arange(90), first)
    rest, far, radius = by_brute_force(POINTS[others], POINTS[[first]], 3)
    assert found.rows.tolist() == [first, *others[rest]]
    assert found.distances[0] == np.inf and found.radius == pytest.approx(radius)
    np.testing.assert_allclose(found.distances[1:], far)


def test_copies_come_last_and_each_point_once():
    points = np.repeat(POINTS[:10], 5, axis=0).astype("float32")
    found = k_center_greedy(points, [], 50)
    assert len(set(found.rows[:10] // 5)) == 10
    assert sorted(found.rows) == list(range(50)) and found.radius == 0
    assert found.distances[10:].max() < 0.01


def test_at_most_twice_the_least_radius():
    import itertools

    points = POINTS[:14]
    matrix = distance.cdist(points, points)
    best = min(matrix[:, list(rows)].min(axis=1).max() for rows in itertools.combinations(range(14), 3))
    assert best <= k_center_greedy(points, [], 3).radius <= 2 * best


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="count: expected 0 to 90, the points there are; got 91"):
        k_center_greedy(POINTS, CENTERS, 91)
    spoilt = POINTS.copy()
    spoilt[3, 1] = np.nan
    with pytest.raises(ValueError, match="points: expected finite features; row 3"):
        k_center_greedy(spoilt, CENTERS, 2)
    with pytest.raises(ValueError, match="centers: expected finite features; row 0"):
        k_center_greedy(POINTS, CENTERS * np.inf, 2)
    with pytest.raises(ValueError, match=r"of as many features; got \(90, 5\) and \(7, 4\)"):
        k_center_greedy(POINTS, CENTERS[:, :4], 2)
