import numpy as np
import pytest

from toolkit.methods.training_memory import WAYS, peak_memory, training_step

SIZES = {"filters": 32, "image_size": 32, "batch_size": 128}


@pytest.mark.slow
def test_block_by_block_does_not_grow_with_depth_and_back_propagation_does():
    """An activation is 16.8 MB; back-propagation keeps one or two of each block."""
    peaks = {way: [peak_memory(way, depth, **SIZES) for depth in (2, 8)] for way in (WAYS[0], WAYS[3])}
    print(peaks)
    assert peaks[WAYS[0]][1] > peaks[WAYS[0]][0] + 6 * 16.8
    assert peaks[WAYS[3]][1] < 1.15 * peaks[WAYS[3]][0] + 10


@pytest.mark.slow
def test_all_ways_train():
    random = np.random.default_rng(0)
    images = random.uniform(0, 255, (8, 8, 8, 3)).astype("float32")
    labels = np.eye(10, dtype="float32")[np.arange(8)]
    for way in WAYS:
        step = training_step(way, 2, filters=4, image_size=8)
        losses = [float(step(images, labels)) for _ in range(30)]
        assert losses[-1] < losses[0] - 0.01, way
    # Computing a block once more changes nothing. What Keras' own step says is the mean of all until now.
    one, other = (training_step(way, 2, filters=4, image_size=8) for way in WAYS[:2])
    means, losses = ([float(step(images, labels)) for _ in range(3)] for step in (one, other))
    np.testing.assert_allclose(means, np.cumsum(losses) / [1, 2, 3], rtol=1e-4)


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="way must be one of back-propagation, .*; got 'magic'"):
        peak_memory("magic", 2)
    with pytest.raises(ValueError, match="depth must be at least 1; got 0"):
        peak_memory(WAYS[0], 0)
