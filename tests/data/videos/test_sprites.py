import time

import numpy as np
import pytest

from toolkit.data.scenes.generator import COLORS
from toolkit.data.videos.sprites import COLOR_NAMES, LEVELS, SHAPE_NAMES, sprites


def test_frames_hold_what_is_said_of_them():
    """Sprites are found again in the pixels: where they are, how bright, and that nothing else is there."""
    made = sprites(np.arange(40), num_frames=8)
    for frames, shapes, colors, positions in zip(made.frames, made.shapes, made.colors, made.positions, strict=True):
        for frame, corners in zip(frames[..., 0], positions, strict=True):
            free = np.ones(frame.shape, bool)
            for shape, color, (row, column) in zip(shapes, colors, corners, strict=True):
                if shape >= 0:
                    inside = frame[row : row + made.size, column : column + made.size]
                    assert inside.shape == (made.size, made.size) and inside.max() >= LEVELS[color]
                    free[row : row + made.size, column : column + made.size] = False
            assert not frame[free].any()
    alone = made.shapes[:, 1] < 0
    assert 10 < alone.sum() < 30
    assert {made.frames[number].max() for number in np.flatnonzero(alone)} == set(LEVELS)


def test_a_way_is_a_walk_that_turns_round_at_walls():
    made = sprites(np.arange(30), num_frames=60, image_size=24, seed=3)
    room, bounces = 24 - made.size, 0
    for clip in range(30):
        for number in range(2):
            for axis in range(2):
                place, speed = made.positions[clip, 0, number, axis], made.velocities[clip, number, axis]
                assert speed
                for frame in range(60):
                    assert made.positions[clip, frame, number, axis] == place
                    place += speed
                    if not 0 <= place <= room:
                        place, speed, bounces = (-place if place < 0 else 2 * room - place), -speed, bounces + 1
    assert bounces > 100


def test_a_clip_is_a_function_of_seed_and_number():
    made = sprites(np.array([7, 3]), num_frames=5, channels=3, seed=1)
    alone = sprites(np.array([3]), num_frames=9, channels=3, seed=1)
    np.testing.assert_array_equal(made.frames[1], alone.frames[0, :5])
    assert (made.frames[0] != made.frames[1]).any()
    assert (sprites(np.array([3]), num_frames=5, channels=3, seed=2).frames != alone.frames[:, :5]).any()
    assert {shape for shape in sprites(np.arange(60)).shapes[:, 0]} == set(range(len(SHAPE_NAMES)))


def test_colors_are_those_said():
    made = sprites(np.arange(60), num_frames=1, channels=3)
    squares = np.flatnonzero((made.shapes[:, 0] == SHAPE_NAMES.index("square")) & (made.shapes[:, 1] < 0))
    assert len(squares) > 2
    for clip in squares:
        row, column = made.positions[clip, 0, 0] + made.size // 2
        assert tuple(made.frames[clip, 0, row, column]) == COLORS[COLOR_NAMES[made.colors[clip, 0]]]


@pytest.mark.parametrize("wrong", [{"image_size": 8}, {"image_size": 257}, {"num_frames": 0}, {"channels": 2}])
def test_what_cannot_be(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}={next(iter(wrong.values()))}"):
        sprites(np.arange(2), **wrong)


def test_a_thousand_clips_take_little_time():
    started = time.process_time()
    assert sprites(np.arange(1000)).frames.shape == (1000, 20, 32, 32, 1)
    assert time.process_time() - started < 10  # a tenth of a second; far more would be a loop over pixels
