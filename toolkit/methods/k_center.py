"""Points that cover all others: the greedy k-centre, in memory that grows with the points and not with their pairs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

_TOGETHER = 1 << 22  # distances that are held at once


class Centers(NamedTuple):
    """Points that were chosen as centres, in the order in which they were.

    Args:
        rows: Their numbers, int64 (count,).
        distances: How far each was from the nearest centre before it, float64 (count,); infinite for a first one.
        radius: How far the furthest point is from the nearest centre now.
    """

    rows: np.ndarray
    distances: np.ndarray
    radius: float


def k_center_greedy(points: Any, centers: Any, count: int) -> Centers:
    """Chooses again and again the point that is furthest from all centres, those there were and those chosen.

    The radius is at most twice the least that as many points can reach. It takes a product of matrices for the centres
    there were, and one with a vector for each point chosen.

    Args:
        points: What is to be covered and chosen from, (points, features).
        centers: What is a centre already, (centers, features), perhaps none: then the point that is furthest from the
            points' mean is the first.
        count: How many to choose, 1 to the points.

    Returns:
        `Centers`; of points that are equally far the first.

    Raises:
        ValueError: Where the shapes do not fit, a feature is not finite, or there are fewer points than `count`.

    Example:

    >>> found = k_center_greedy([[0.0], [1.0], [5.0], [9.0]], [[0.0]], 2)
    >>> found.rows.tolist(), found.distances.tolist(), found.radius
    ([3, 2], [9.0, 4.0], 1.0)

    Reference: Gonzalez 1985, "Clustering to minimize the maximum intercluster distance"; Sener and Savarese 2018, arXiv
    1708.00489, algorithm 1.
    """
    points, centers = checked(points, centers, count)
    lengths = np.einsum("ij,ij->i", points, points)
    nearest = squared_to_nearest(points, centers)
    rows, distances = np.empty(count, np.int64), np.empty(count)
    for place in range(count):
        furthest = int(np.argmax(nearest if place or len(centers) else lengths))
        rows[place], distances[place] = furthest, nearest[furthest]
        np.minimum(nearest, _squared(points, lengths, points[furthest]), out=nearest)
        nearest[furthest] = -1.0  # below a copy of it, whose distance is 0
    return Centers(rows, np.sqrt(distances), float(np.sqrt(max(0.0, nearest.max()))))


def distances_to_nearest(points: Any, centers: Any) -> np.ndarray:
    """Computes how far each point is from the centre that is nearest to it.

    Args:
        points: (points, features).
        centers: (centers, features).

    Returns:
        float64 (points,), infinite where there is no centre.

    Raises:
        ValueError: Where the shapes do not fit or a feature is not finite.

    Example:

    >>> distances_to_nearest([[0.0], [4.0]], [[1.0], [9.0]]).tolist()
    [1.0, 3.0]
    """
    return np.sqrt(squared_to_nearest(*checked(points, centers, 0))).astype("float64")


def checked(points: Any, centers: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Brings points and centres to floating point round the points' mean, where their products lose least.

    Args:
        points: (points, features).
        centers: (centers, features).
        count: How many points are to be chosen.

    Returns:
        Both, of the points' precision, at least float32.

    Raises:
        ValueError: Where the shapes do not fit, a feature is not finite, or there are fewer points than `count`.
    """
    points, centers = np.asarray(points), np.asarray(centers)
    precision = np.result_type(points, np.float32)
    if centers.size == 0 and points.ndim == 2:
        centers = np.empty((0, points.shape[1]), precision)
    if points.ndim != 2 or centers.ndim != 2 or points.shape[1] != centers.shape[1]:
        raise ValueError(
            "expected points (points, features) and centers (centers, features) of as many features; got "
            f"{points.shape} and {centers.shape}."
        )
    if not 0 <= count <= len(points):
        raise ValueError(f"count: expected 0 to {len(points)}, the points there are; got {count}.")
    for name, given in (("points", points), ("centers", centers)):
        with np.errstate(invalid="ignore", over="ignore"):
            odd = ~np.isfinite(np.einsum("ij->i", given))  # without an array of their size
        if odd.any():
            raise ValueError(f"{name}: expected finite features; row {odd.argmax()} has one that is not.")
    mean = (points.mean(axis=0, dtype="float64") if len(points) else np.zeros(points.shape[1])).astype(precision)
    return points.astype(precision, copy=False) - mean, centers.astype(precision, copy=False) - mean


def blocks(points: np.ndarray, others: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Computes the squared distances of all points to all others, some points at a time.

    Args:
        points: (points, features).
        others: (others, features), one or more.

    Yields:
        (which, squared): a slice of the points, and (points of it, others), 0 or more.
    """
    lengths = np.einsum("ij,ij->i", others, others)
    size = max(1, _TOGETHER // len(others))
    for start in range(0, len(points), size):
        which = slice(start, start + size)
        some = points[which]
        squared = some @ others.T
        squared *= -2.0
        squared += lengths
        squared += np.einsum("ij,ij->i", some, some)[:, None]
        yield which, np.maximum(squared, 0.0, out=squared)


def squared_to_nearest(points: np.ndarray, centers: np.ndarray) -> np.ndarray:
    """Computes the square of what `distances_to_nearest` does, without a look at what it is given.

    Args:
        points: Floating point, (points, features).
        centers: The like, (centers, features).

    Returns:
        (points,), of the points' precision, infinite where there is no centre.
    """
    nearest = np.full(len(points), np.inf, points.dtype)
    if len(centers):
        for which, squared in blocks(points, centers):
            nearest[which] = squared.min(axis=1)
    return nearest


def _squared(points, lengths, center):
    squared = points @ center
    squared *= -2.0
    squared += lengths
    squared += center @ center
    return np.maximum(squared, 0.0, out=squared)
