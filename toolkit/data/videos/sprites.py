"""Sprites that move at constant speed and bounce off the walls: what comes next follows from two frames."""

import dataclasses

import numpy as np

from toolkit.data.scenes.generator import COLORS
from toolkit.data.scenes.shapes import SHAPES

SHAPE_NAMES = ("circle", "square", "triangle", "ring", "bar")
COLOR_NAMES = ("red", "yellow", "green", "blue", "pink", "white")
LEVELS = (130, 190, 255)  # of grey sprites
MOST_SPRITES = 2
LEAST_SIDE, MOST_SIDE = 16, 256
_SHARE = 0.28  # of the side that a sprite is wide
_FASTEST = 0.1  # of the side, in a frame


@dataclasses.dataclass(frozen=True)
class Sprites:
    """Clips of moving sprites, and all that is true of them.

    Args:
        frames: uint8 (clips, frames, side, side, channels), black where no sprite is; where two are, the brighter.
        shapes: int32 (clips, 2), numbers in `SHAPE_NAMES`; -1: there is no second sprite.
        colors: int32 (clips, 2), numbers in `LEVELS`, or of three channels in `COLOR_NAMES`.
        positions: int32 (clips, frames, 2, 2), row and column of each sprite's upper left corner.
        velocities: int32 (clips, 2, 2), rows and columns that it moves in a frame, until it first bounces.
        size: Height and width of a sprite, in pixels.
    """

    frames: np.ndarray
    shapes: np.ndarray
    colors: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    size: int


def sprites(
    indices: np.ndarray, *, num_frames: int = 20, image_size: int = 32, channels: int = 1, seed: int = 0
) -> Sprites:
    """Makes clips of one or two sprites, each clip a pure function of the seed and its number.

    A sprite moves by whole pixels, at most a tenth of the side along each axis, and a wall mirrors its way: of any two
    frames the next ones are known. A clip of more frames begins as one of fewer.

    Args:
        indices: (clips,), the clips' numbers, from 0.
        num_frames: Frames of each.
        image_size: Pixels of height and width, 16 to 256.
        channels: 1: of three levels of grey; 3: of six colours.
        seed: Of all clips.

    Returns:
        The clips.

    Raises:
        ValueError: Where one of them is out of range.

    Example:

    >>> made = sprites(np.array([4, 17]), num_frames=3, seed=0)
    >>> made.frames.shape, made.positions[0, :, 0].tolist(), made.velocities[0, 0].tolist()
    ((2, 3, 32, 32, 1), [[10, 18], [11, 21], [12, 22]], [1, 3])

    Reference: after Srivastava et al. 2015 (Moving MNIST), section 3, with sprites instead of digits.
    """
    if not LEAST_SIDE <= image_size <= MOST_SIDE:
        raise ValueError(f"image_size={image_size}: expected {LEAST_SIDE} to {MOST_SIDE} pixels for sprites.")
    if num_frames < 1 or channels not in (1, 3):
        raise ValueError(f"num_frames={num_frames}, channels={channels}: expected 1 or more frames, 1 or 3 channels.")
    size = round(_SHARE * image_size)
    room, fastest = image_size - size, max(1, round(_FASTEST * image_size))
    # Of each clip: whether there are two; of each sprite its shape, its colour, and by axis place, speed, direction.
    drawn = np.array([np.random.default_rng([seed, int(index)]).random(1 + 8 * MOST_SPRITES) for index in indices])
    drawn = drawn.reshape(-1, 1 + 8 * MOST_SPRITES)
    of_sprites = drawn[:, 1:].reshape(-1, MOST_SPRITES, 8)
    shapes = (of_sprites[..., 0] * len(SHAPE_NAMES)).astype("int32")
    colors = (of_sprites[..., 1] * len(COLOR_NAMES if channels == 3 else LEVELS)).astype("int32")
    starts = (of_sprites[..., 2:4] * (room + 1)).astype("int32")
    velocities = 1 + (of_sprites[..., 4:6] * fastest).astype("int32")
    velocities *= np.where(of_sprites[..., 6:8] < 0.5, -1, 1).astype("int32")
    shapes[drawn[:, 0] < 0.5, 1] = -1
    # Between two walls a way is a triangle wave: what is beyond a wall, and beyond the next, is folded back.
    along = starts[:, None] + np.arange(num_frames, dtype="int32")[:, None, None] * velocities[:, None]
    positions = room - np.abs(along % (2 * room) - room)
    frames = np.zeros((len(indices), num_frames, image_size, image_size, channels), "uint8")
    for number in range(MOST_SPRITES):
        _draw(frames, shapes[:, number], colors[:, number], positions[:, :, number], size)
    return Sprites(frames, shapes, colors, positions, velocities, size)


def _draw(frames, shapes, colors, positions, size):
    """Puts one sprite of each clip into its frames."""
    there = np.flatnonzero(shapes >= 0)
    glyphs, inks = _glyphs(size), _inks(frames.shape[-1])
    painted = np.rint(glyphs[shapes[there], ..., None] * inks[colors[there], None, None]).astype("uint8")
    rows, columns = (positions[there, :, axis, None] + np.arange(size) for axis in (0, 1))
    place = there[:, None, None, None], np.arange(frames.shape[1])[:, None, None], rows[..., None], columns[:, :, None]
    frames[place] = np.maximum(frames[place], painted[:, None])


def _glyphs(size):
    """The share of each pixel that a shape covers: (shapes, size, size)."""
    middles = (np.arange(size) + 0.5) / size * 2 - 1
    distances = np.array([SHAPES[name](middles[None, :], middles[:, None]) for name in SHAPE_NAMES])
    return np.clip(0.5 - distances * size / 2, 0.0, 1.0)


def _inks(channels):
    return np.array([COLORS[name] for name in COLOR_NAMES] if channels == 3 else [[level] for level in LEVELS], float)
