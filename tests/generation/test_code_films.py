"""Films in codes: frame by frame, as the generator of maps would draw them by hand."""

import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.generation.code_films import CodeFilmGenerator
from toolkit.generation.code_maps import CodeMapGenerator

RANDOM = np.random.default_rng(0)


def generator(**how):
    keras.utils.set_random_seed(0)
    network = models.pixelcnn.pixelcnn(3, 4, 8, filters=8, num_blocks=2, head_filters=8, **how)
    return CodeMapGenerator(network)


def test_frame_by_frame():
    maps = generator(num_maps=2)
    frames = RANDOM.integers(0, 8, (2, 5, 3, 4)).astype("int32")
    noise = RANDOM.uniform(size=(2, 3, 3, 4)).astype("float32")
    found = CodeFilmGenerator(maps).generate(frames, num_frames=3, noise=noise)
    so_far = frames
    for number in range(3):
        frame = maps.generate(context=so_far[:, -2:], noise=noise[:, number])
        np.testing.assert_array_equal(found[:, number], frame)
        so_far = np.concatenate([so_far, np.asarray(frame)[:, None]], axis=1)


def test_a_temperature_of_0_draws_the_likeliest_whatever_the_noise():
    """Of as many frames as the network reads, and no more."""
    maps = generator(num_maps=2)
    films, frames = CodeFilmGenerator(maps), RANDOM.integers(0, 8, (3, 2, 3, 4)).astype("int32")
    found = films.generate(frames, 0.0, num_frames=2)
    first = maps.generate(context=frames, temperature=0.0)
    second = maps.generate(context=np.stack([frames[:, 1], first], axis=1), temperature=0.0)
    np.testing.assert_array_equal(found, np.stack([first, second], axis=1))
    # Of each film its own: the first as it was, the others as noise has it.
    mixed = films.generate(frames, [0.0, 1.0, 1.0], num_frames=2)
    np.testing.assert_array_equal(mixed[0], found[0])
    assert (np.asarray(mixed[1:]) != np.asarray(found[1:])).any()


def test_too_few_frames():
    with pytest.raises(ValueError, match="expected 2 frames before or more; got 1"):
        CodeFilmGenerator(generator(num_maps=2)).generate(np.zeros((1, 1, 3, 4)), num_frames=1)
    with pytest.raises(ValueError, match="reads no frames before"):
        CodeFilmGenerator(generator())
