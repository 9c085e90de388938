"""A Gaussian filter over features of several dimensions, in time that grows with the pixels, not with their square."""

import itertools
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
        neighbors: int32 (dimensions + 1, 2, points), what lies before and after each point along each axis; the number
            of points where there is nothing.
        num_points: How many points there are.
        pairs: int64 (pixels x (dimensions + 1), 2), each pixel with each of its vertices, and the same the other way
            round: where a sparse matrix of the shares has its entries. None where they are not used.

    Reference: Adams, Baek, Davis 2010, section 3.
    """

    vertices: Any
    shares: Any
    neighbors: Any
    num_points: Any
    pairs: Any = None


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
    features = ops.stop_gradient(ops.cast(features, "float32"))
    images, pixels = ops.shape(features)[:2]
    base, rank, shares = _simplices(ops.reshape(features, (-1, dimensions)))
    image = ops.repeat(ops.arange(images, dtype="int32"), pixels)
    if capacity is None and keras.backend.backend() == "tensorflow":
        # Of each simplex one pixel stands for the others: its vertices are looked up once.
        large = [prime**2 for prime in _PRIMES] + list(_PRIMES)
        simplices = sum(ops.cast(row, "int64") * p for row, p in zip([image, *base[:-1], *rank[:-1]], large))  # noqa: B905
        _, first, simplex = ops.unique(simplices, sorted=False, return_index=True, return_inverse=True)
        base, rank, image = ([ops.take(row, first) for row in rows] for rows in (base, rank, [image]))
        found, vertices = ops.unique(_hashes(base, rank, image[0]), return_inverse=True)
        vertices = ops.take(ops.cast(vertices, "int32"), simplex, axis=0)
        return Lattice(vertices, shares, _neighbors(found, dimensions), ops.shape(found)[0], _pairs(vertices))
    hashed = _hashes(base, rank, image)
    flat = ops.reshape(hashed, (-1,))
    order = ops.argsort(flat)
    in_order = ops.take(flat, order)
    begins = ops.cast(in_order[1:] != in_order[:-1], "int32")
    points = ops.concatenate([ops.zeros((1,), "int32"), ops.cumsum(begins)])
    capacity = capacity or flat.shape[0]
    found = ops.segment_max(in_order, points, num_segments=capacity)
    found = ops.where(ops.arange(capacity) <= points[-1], found, np.iinfo("int32").max)
    vertices = ops.reshape(ops.scatter(order[:, None], points, ops.shape(order)), ops.shape(hashed))
    return Lattice(vertices, shares, _neighbors(found, dimensions), capacity)


def filtered(values: Any, where: Lattice) -> Any:
    """Adds up what is near in the features: about the sum over pixels j of exp(-|f_i - f_j|^2 / 2) values_j, scaled.

    Args:
        values: float32 (channels, pixels), those of all images one after another.
        where: The lattice of their features.

    Returns:
        float32 (channels, pixels); a linear function of the values.
    """
    corners = where.shares.shape[1]
    if where.pairs is None:
        parts = where.shares[:, :, None] * ops.transpose(values)[:, None, :]
        parts = ops.reshape(parts, (-1, parts.shape[-1]))
        held = ops.segment_sum(parts, ops.reshape(where.vertices, (-1,)), num_segments=where.num_points)
    else:
        held = ops.transpose(ops.matmul(values, _matrix(where, 0)))
    nothing = ops.zeros_like(held[:1])
    for axis in range(corners):
        beside = ops.concatenate([held, nothing], axis=0)
        before, after = (ops.take(beside, where.neighbors[axis, side], axis=0) for side in (0, 1))
        held = 0.5 * held + 0.25 * (before + after)
    if where.pairs is None:
        parts = [where.shares[:, i, None] * ops.take(held, where.vertices[:, i], axis=0) for i in range(corners)]
        return ops.transpose(sum(parts))
    return ops.matmul(ops.transpose(held), _matrix(where, 1))


def normalized(where: Lattice) -> Lattice:
    """Makes the filter symmetrically normalized: D^-1/2 K D^-1/2, D being what `filtered` makes of ones.

    Args:
        where: The lattice.

    Returns:
        The same with other shares.
    """
    total = filtered(ops.ones_like(where.shares[None, :, 0]), where)
    return where._replace(shares=ops.stop_gradient(where.shares * ops.rsqrt(ops.maximum(total[0], 1e-12))[:, None]))


def _simplices(features):
    """Of each pixel the nearest point of remainder 0, the rank of each coordinate behind it, and the shares."""
    corners = features.shape[1] + 1
    elevated = [row[0] for row in ops.split(ops.matmul(_elevation(corners - 1).T, ops.transpose(features)), corners)]
    nearest = [ops.round(row / corners) for row in elevated]
    above = ops.cast(sum(nearest), "int32")
    behind = [row - corners * near for row, near in zip(elevated, nearest, strict=True)]
    rank = [above] * corners
    for i, j in itertools.combinations(range(corners), 2):
        less = ops.cast(behind[i] < behind[j], "int32")
        rank[i], rank[j] = rank[i] + less, rank[j] + (1 - less)
    wraps = [ops.cast(row < 0, "int32") - ops.cast(row >= corners, "int32") for row in rank]
    rank = [row + corners * wrap for row, wrap in zip(rank, wraps, strict=True)]
    base = [corners * (ops.cast(near, "int32") + wrap) for near, wrap in zip(nearest, wraps, strict=True)]
    behind = [(row - ops.cast(start, "float32")) / corners for row, start in zip(elevated, base, strict=True)]
    for turn in range(corners):  # the farthest first, by a sort of few numbers in many columns
        for i in range(turn % 2, corners - 1, 2):
            behind[i], behind[i + 1] = ops.maximum(*behind[i : i + 2]), ops.minimum(*behind[i : i + 2])
    shares = [1.0 - behind[0] + behind[-1]] + [behind[i - 1] - behind[i] for i in range(corners - 1, 0, -1)]
    return base, rank, ops.stack(shares, axis=1)


def _hashes(base, rank, image):
    """int32 (pixels, vertices): the point of each vertex, hashed as a sum of its coordinates times primes, modulo 2^32.

    Points whose hashes collide are taken for one. Coordinate i of vertex r is r more than the base, less the number of
    corners where its rank is beyond.
    """
    corners = len(base)
    primes = np.array(_PRIMES[: corners - 1], "int64")
    hashed = image * int(_wrap(_PRIMES[-1]))
    for row, prime in zip(base[:-1], primes, strict=True):
        hashed = hashed + row * int(_wrap(prime))
    vertices = [hashed]
    for r in range(1, corners):
        hashed = hashed + int(_wrap(primes.sum()))
        for row, prime in zip(rank[:-1], primes, strict=True):
            hashed = hashed - ops.cast(row == corners - r, "int32") * int(_wrap(corners * prime))
        vertices.append(hashed)
    return ops.stack(vertices, axis=1)


def _elevation(dimensions):
    """From features to coordinates whose sum is 0, so that the blur's standard deviation is 1."""
    matrix = np.zeros((dimensions, dimensions + 1))
    for i in range(dimensions):
        matrix[i, : i + 1] = 1.0
        matrix[i, i + 1] = -(i + 1.0)
        matrix[i] *= np.sqrt(2.0 / 3.0) * (dimensions + 1) / np.sqrt((i + 1.0) * (i + 2.0))
    return matrix.astype("float32")


def _wrap(numbers):
    """Modulo 2^32, as 32-bit integers overflow."""
    return np.asarray(numbers, "int64").astype("uint32").view("int32")


def _pairs(vertices):
    corners = vertices.shape[1]
    pixel = ops.repeat(ops.arange(ops.shape(vertices)[0], dtype="int64"), corners)
    vertex = ops.cast(ops.reshape(vertices, (-1,)), "int64")
    return ops.stack([pixel, vertex], axis=1), ops.stack([vertex, pixel], axis=1)


def _matrix(where, side):
    """The shares as a sparse matrix of Keras' backend: its products hold no row for each pair of pixel and vertex."""
    sparse = type(ops.one_hot(ops.zeros((1,), "int32"), 1, sparse=True))
    sizes = [ops.cast(size, "int64") for size in (ops.shape(where.shares)[0], where.num_points)]
    return sparse(where.pairs[side], ops.reshape(where.shares, (-1,)), ops.stack(sizes[::-1] if side else sizes))


def _neighbors(found, dimensions):
    """Where the points before and after each one along each axis are."""
    number = ops.shape(found)[0]
    primes = np.array(_PRIMES[:dimensions], "int64")
    rows = []
    for turn in [*(dimensions + 1) * primes, 0]:
        sides = []
        for sign in (-1, 1):
            wanted = found + int(_wrap(sign * (primes.sum() - turn)))
            place = ops.cast(ops.searchsorted(found, wanted), "int32")
            there = ops.take(found, ops.minimum(place, number - 1)) == wanted
            sides.append(ops.where(there, place, number))
        rows.append(ops.stack(sides))
    return ops.stack(rows)
