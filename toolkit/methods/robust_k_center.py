"""Points that cover all others but a few outliers: the k-centre as a sequence of integer programs."""

from typing import Any

import numpy as np

from toolkit.methods.k_center import Centers, blocks, checked, k_center_greedy, squared_to_nearest

PAIRS = 200_000  # of a point and a candidate near it: of more, no integer program is solved
_NODES = 1000


def robust_k_center(
    points: Any, centers: Any, count: int, *, outlier_share: float = 1e-4, tolerance: float = 0.01
) -> Centers:
    """Chooses points so that all others but a share of outliers are as near to a centre as can be.

    Bisection of the radius, from the greedy choice's down: for each one, it is asked whether `count` points and the
    centres there were leave at most the outliers further away than that. This is the integer program

        sum_j u_j <= count,   o_i + sum_{j: |x_i - x_j| <= radius} u_j >= 1,   sum_i o_i <= outliers,   u_j in {0, 1}

    over the points i that no given centre covers, which is the paper's without its assignment of each point to one
    centre, that no bound looks at. A greedy covering answers first, then SciPy's HiGHS, which proves where there is no
    answer. Where more than `PAIRS` pairs of points are within a radius, as in pools of many thousands, the covering's
    answer alone counts, and the radius found in the end is an upper bound. Memory grows with the points and `PAIRS`.

    Args:
        points: What is to be covered and chosen from, (points, features).
        centers: What is a centre already, (centers, features), perhaps none.
        count: How many to choose, 1 to the points.
        outlier_share: Of the points and centres, those that may stay uncovered, rounded down; the paper has 1e-4.
        tolerance: By which share of itself the radius may miss the least one.

    Returns:
        `Centers`, whose radius is that of the points which are no outliers, never greater than the greedy choice's.

    Raises:
        ValueError: As `k_center_greedy`; and where a share is out of range.

    Example:

    >>> line = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0], [99.0]]
    >>> found = robust_k_center(line, [], 2, outlier_share=0.15)  # but one of the seven
    >>> sorted(found.rows.tolist()), found.radius
    ([1, 4], 1.0)

    Reference: Sener and Savarese 2018, arXiv 1708.00489, section 4.2 and algorithm 2.
    """
    if not 0 <= outlier_share < 1 or not 0 < tolerance < 1:
        raise ValueError(
            f"expected outlier_share from 0 to under 1 and tolerance between 0 and 1; got {outlier_share} and "
            f"{tolerance}."
        )
    rows = k_center_greedy(points, centers, count).rows
    points, centers = checked(points, centers, count)
    outliers = int(outlier_share * (len(points) + len(centers)))
    given = _nearest(points, centers)
    low, radius = 0.0, _radius(points, given, rows, outliers)
    while count and radius - low > tolerance * radius:
        middle = 0.5 * (low + radius)
        found = _cover(points, given, middle, count, outliers)
        if found is None:
            low = middle
            continue
        rows, radius = found, min(middle, _radius(points, given, found, outliers))
    distances, before = np.empty(len(rows)), given
    for place, row in enumerate(rows):
        distances[place] = before[row]
        before = np.minimum(before, _nearest(points, points[[row]]))
    return Centers(rows, distances, radius)


def _nearest(points, centers):
    return np.sqrt(squared_to_nearest(points, centers))


def _radius(points, given, rows, outliers):
    """How far the furthest point is that is no outlier."""
    nearest = np.minimum(given, _nearest(points, points[rows]))
    return float(np.sort(nearest)[len(nearest) - 1 - outliers]) if outliers < len(nearest) else 0.0


def _cover(points, given, radius, count, outliers):
    """The rows of `count` points that leave at most the outliers uncovered, None where none were found."""

    left = points[given > radius]
    if len(left) <= outliers:
        return _filled(points, given, np.empty(0, np.int64), count)
    found, num_uncovered, num_pairs = _greedy_cover(points, left, radius**2, count)
    if num_uncovered > outliers:
        found = _program(points, left, radius**2, count, outliers) if num_pairs <= PAIRS else None
    return None if found is None else _filled(points, given, found, count)


def _greedy_cover(points, left, limit, count):
    """Chooses again and again the point that covers most of what is uncovered, without keeping who is near whom.

    Returns the rows, how many are left uncovered, and how many pairs are within the limit.
    """
    gains = sum((squared <= limit).sum(axis=0) for _, squared in blocks(left, points))
    num_pairs, uncovered, found = int(gains.sum()), np.ones(len(left), bool), []
    while len(found) < count and gains.max() > 0:
        best = int(gains.argmax())
        found.append(best)
        new = uncovered & (squared_to_nearest(left, points[[best]]) <= limit)
        uncovered &= ~new
        for _, squared in blocks(left[new], points):
            gains -= (squared <= limit).sum(axis=0)
        gains[best] = 0  # once, whatever rounding says
    return np.array(found, np.int64), int(uncovered.sum()), num_pairs


def _program(points, left, limit, count, outliers):
    """What the integer program answers, None where there is no answer or none within `_NODES` nodes."""
    from scipy import optimize, sparse

    near = sparse.vstack([sparse.csr_array(squared <= limit) for _, squared in blocks(left, points)], format="csr")
    num_points, num_candidates = near.shape
    cover = sparse.hstack([near.astype(float), sparse.eye_array(num_points)], format="csr")
    chosen = np.repeat([1.0, 0.0], [num_candidates, num_points])
    answer = optimize.milp(
        np.zeros(num_candidates + num_points),
        integrality=chosen,  # with whole u, an o between 0 and 1 is no use
        bounds=optimize.Bounds(0, 1),
        constraints=[
            optimize.LinearConstraint(cover, lb=1),
            optimize.LinearConstraint(chosen[None], ub=count),
            optimize.LinearConstraint(1 - chosen[None], ub=outliers),
        ],
        options={"node_limit": _NODES},
    )
    return None if answer.x is None else np.flatnonzero(answer.x[:num_candidates] > 0.5)


def _filled(points, given, rows, count):
    """Adds points that are furthest from all centres, where fewer cover everything."""
    nearest = np.minimum(given, _nearest(points, points[rows]))
    for _ in range(count - len(rows)):
        nearest[rows] = -1.0
        rows = np.append(rows, nearest.argmax())
        nearest = np.minimum(nearest, _nearest(points, points[rows[-1:]]))
    return rows
