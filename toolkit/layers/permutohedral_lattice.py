"""A Gaussian filter over features of several dimensions, in time that grows with the pixels, not with their square."""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

_PRIMES = (1_103_515_245, 747_796_405, 1_540_483_477, 1_566_083_941, 668_265_263, 374_761_393, 1_274_126_177)


class Lattice(NamedTuple):
    """Pixels among the points of a permutohedral lattice, as `lattice` finds them.

    Args:
        vertices: int32 (pixels, dimensions + 1), the points round each pixel.
        shares: float32 of that shape, how much of the pixel is each one's; they add up to 1.
        order: int32 (pairs,), the pairs of pixel and vertex, sorted by point.
        points: int32 (pairs,), the point of each of them.
        neighbors: int32 (dimensions + 1, 2, points), what lies before and after each point along each axis; the number
            of points where there is nothing.
        num_points: How many points there are.

    Reference: Adams, Baek, Davis 2010, section 3.
    """

    vertices: Any
    shares: Any
    order: Any
    points: Any
    neighbors: Any
    num_points: Any


def lattice(features: Any, capacity: int | None = None) -> Lattice:
    """Finds the lattice points round each pixel.

    Args:
        features: float32 (images, pixels, dimensions), in standard deviations of the kernel; at most 6 dimensions.
        capacity: The most points that are kept, for XLA and JAX, which must know it; None: as many as there are.

    Returns:
        `Lattice`, of all images together, whose points are apart.

    Raises:
        ValueError: Where there are too many dimensions.

    Reference: Adams, Baek, Davis 2010, "Fast high-dimensional filtering using the permutohedral lattice".
    """
    dimensions = features.shape[-1]
    if dimensions >= len(_PRIMES):
        raise ValueError(f"features: at most {len(_PRIMES) - 1} dimensions; got {dimensions}.")
    corners = dimensions + 1
    features = ops.stop_gradient(ops.cast(features, "float32"))
    elevated = ops.reshape(features @ _elevation(dimensions), (-1, corners))
    # The nearest point of remainder 0, and how far each coordinate is from it, the farthest first.
    nearest = ops.round(elevated / corners)
    above = ops.cast(ops.sum(nearest, axis=1, keepdims=True), "int32")
    difference = elevated - nearest * corners
    larger = difference[:, None, :] > difference[:, :, None]
    earlier = (difference[:, None, :] == difference[:, :, None]) & np.tri(corners, k=-1, dtype=bool)
    rank = ops.sum(ops.cast(larger | earlier, "int32"), axis=2) + above
    wrapped = ops.cast(rank < 0, "int32") - ops.cast(rank > dimensions, "int32")
    rank = rank + corners * wrapped
    base = ops.cast(nearest, "int32") * corners + corners * wrapped
    difference = (elevated - ops.cast(base, "float32")) / corners
    ranked = ops.sum(difference[:, :, None] * ops.cast(rank[:, :, None] == np.arange(corners), "float32"), axis=1)
    backward = ranked[:, ::-1]
    shares = ops.concatenate([1.0 - ranked[:, :1] + ranked[:, -1:], backward[:, 1:] - backward[:, :-1]], axis=1)
    # Vertex r: coordinate i is r, or r - corners where its rank is beyond. A sum of products tells points apart.
    primes = np.array(_PRIMES[:dimensions], "int64")
    turn = _wrap(corners * primes)
    hashed = ops.sum(base[:, :dimensions] * _wrap(primes), axis=1, keepdims=True)
    remainder = np.arange(corners)
    beyond = ops.cast(rank[:, None, :dimensions] > dimensions - remainder[:, None], "int32")
    hashed = hashed + _wrap(remainder * primes.sum()) - ops.sum(beyond * turn, axis=2)
    image = ops.repeat(ops.arange(ops.shape(features)[0], dtype="int32"), ops.shape(features)[1])
    hashed = ops.reshape(hashed + (image * int(_wrap(np.array(_PRIMES[-1]))))[:, None], (-1,))
    order = ops.argsort(hashed)
    ranked_hashes = ops.take(hashed, order)
    begins = ops.cast(ranked_hashes[1:] != ranked_hashes[:-1], "int32")
    points = ops.concatenate([ops.zeros((1,), "int32"), ops.cumsum(begins)])
    if capacity is None and keras.backend.backend() != "tensorflow":
        capacity = hashed.shape[0]
    found = _first_of_each(ranked_hashes, points, capacity)
    vertices = ops.scatter(order[:, None], points, ops.shape(order))
    return Lattice(
        ops.reshape(vertices, (-1, corners)),
        shares,
        order,
        points,
        _neighbors(found, primes, corners),
        ops.shape(found)[0],
    )


def filtered(values: Any, where: Lattice) -> Any:
    """Adds up what is near in the features: about the sum over pixels j of exp(-|f_i - f_j|^2 / 2) values_j, scaled.

    Args:
        values: float32 (pixels, channels), those of all images one after another.
        where: The lattice of their features.

    Returns:
        float32 (pixels, channels); a linear function of the values.
    """
    corners = where.shares.shape[1]
    spread = ops.take(ops.reshape(where.shares, (-1,)), where.order)[:, None]
    parts = spread * ops.take(values, where.order // corners, axis=0)
    held = _summed(parts, where.points, where.num_points)
    nothing = ops.zeros_like(held[:1])
    for axis in range(corners):
        beside = ops.concatenate([held, nothing], axis=0)
        before, after = (ops.take(beside, where.neighbors[axis, side], axis=0) for side in (0, 1))
        held = 0.5 * held + 0.25 * (before + after)
    return sum(
        where.shares[:, corner, None] * ops.take(held, where.vertices[:, corner], axis=0) for corner in range(corners)
    )


def _elevation(dimensions):
    """From features to coordinates whose sum is 0, so that the blur's standard deviation is 1."""
    matrix = np.zeros((dimensions, dimensions + 1))
    for i in range(dimensions):
        matrix[i, : i + 1] = 1.0
        matrix[i, i + 1] = -(i + 1.0)
        matrix[i] *= np.sqrt(2.0 / 3.0) * (dimensions + 1) / np.sqrt((i + 1.0) * (i + 2.0))
    return matrix.astype("float32")


def _wrap(numbers):
    """As 32-bit integers count: round and round."""
    return np.asarray(numbers, "int64").astype("uint32").view("int32")


def _first_of_each(values, points, capacity):
    """The value of each point, all of a point's being the same."""
    if capacity is None:
        return ops.segment_max(values, points, sorted=True)
    found = ops.segment_max(values, points, num_segments=capacity)
    return ops.where(ops.arange(capacity) <= points[-1], found, np.iinfo("int32").max)


def _summed(parts, points, num_points):
    if isinstance(num_points, int):
        return ops.segment_sum(parts, points, num_segments=num_points)
    return ops.segment_sum(parts, points, sorted=True)


def _neighbors(found, primes, corners):
    """Where the points before and after each one along each axis are."""
    number = ops.shape(found)[0]
    rows = []
    for axis in range(corners):
        step = primes.sum() - (corners * primes[axis] if axis < len(primes) else 0)
        sides = []
        for sign in (-1, 1):
            wanted = found + int(_wrap(sign * step))
            place = ops.cast(ops.searchsorted(found, wanted), "int32")
            there = ops.take(found, ops.minimum(place, number - 1)) == wanted
            sides.append(ops.where(there, place, number))
        rows.append(ops.stack(sides))
    return ops.stack(rows)
