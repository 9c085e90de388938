"""Codes of several levels as one row, and as what a prior of a finer level is told of the coarser ones."""

import math
from collections.abc import Sequence
from typing import Any

from keras import ops


def joined(codes: Sequence[Any]) -> Any:
    """Lays the codes of all levels beside one another.

    Args:
        codes: For each level, from the top, integers (batch, ...).

    Returns:
        (batch, places), those of the top first, each level's row by row.
    """
    return ops.concatenate([ops.reshape(each, (-1, math.prod(each.shape[1:]))) for each in codes], axis=1)


def parted(rows: Any, shapes: Sequence[Sequence[int]]) -> tuple[Any, ...]:
    """Gives each level its codes again.

    Args:
        rows: (batch, places), as `joined` returns them; of one level any shape (batch, ...) of as many places.
        shapes: Of an image's codes at each level, from the top.

    Returns:
        For each level (batch, *shape).

    Example:

    >>> [each.shape for each in parted(ops.zeros((5, 20), "int32"), [(2, 2), (4, 4)])]
    [TensorShape([5, 2, 2]), TensorShape([5, 4, 4])]
    """
    sizes = [math.prod(shape) for shape in shapes]
    rows = ops.reshape(rows, (-1, sum(sizes)))
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    return tuple(
        ops.reshape(rows[:, end - size : end], (-1, *shape))
        for shape, size, end in zip(shapes, sizes, ends, strict=True)
    )


def map_shapes(shapes: Sequence[Sequence[int]]) -> tuple[tuple[int, int], ...]:
    """The shapes in which a prior reads codes: those of a place, one of each codebook, lie beside one another.

    Args:
        shapes: Of an image's codes at each level.

    Returns:
        (height, width * num_codebooks) of each.

    Example:

    >>> map_shapes([(2, 3), (4, 6, 5)])
    ((2, 3), (4, 30))
    """
    return tuple((height, math.prod(width)) for height, *width in shapes)


def context(above: Sequence[Any]) -> Any:
    """Brings the levels above to the size of the finest of them, as `models.pixelcnn.pixelcnn` is told them.

    Args:
        above: Maps of codes (batch, height, width), from the top, one at least, each side a multiple of the one before.

    Returns:
        (batch, levels, height, width), of the last one's height and width; coarser codes are repeated.

    Example:

    >>> context([ops.array([[[1, 2]]]), ops.array([[[3, 4, 5, 6]]])]).numpy().tolist()
    [[[[1, 1, 2, 2]], [[3, 4, 5, 6]]]]
    """
    *_, height, width = above[-1].shape
    maps = [
        ops.repeat(ops.repeat(each, height // each.shape[1], axis=1), width // each.shape[2], axis=2) for each in above
    ]
    return ops.stack(maps, axis=1)
