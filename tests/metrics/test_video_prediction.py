import numpy as np
import pytest

from toolkit.metrics.video_prediction import prediction

RANDOM = np.random.default_rng(0)
GIVEN, REAL = RANDOM.uniform(0, 255, (3, 4, 8, 8, 1)), RANDOM.uniform(0, 255, (3, 2, 8, 8, 1))


def test_perfect_constant_and_a_cheat():
    perfect = prediction(GIVEN, REAL, REAL)
    assert (perfect["squared_error"], perfect["sharpness_percent"]) == (0.0, 100.0)
    constant = prediction(GIVEN, REAL, np.full_like(REAL, 7.0))
    assert constant["squared_error"] == pytest.approx(np.mean((REAL - 7) ** 2))
    assert constant["sharpness_percent"] == 0.0
    cheat = prediction(GIVEN, REAL, np.repeat(GIVEN[:, -1:], 2, axis=1))
    assert cheat["squared_error"] == pytest.approx(cheat["squared_error_of_the_last_frame"])


def test_the_mean_frame_is_blurred():
    found = prediction(GIVEN, REAL, REAL)
    mean = GIVEN.mean(axis=1)
    assert found["squared_error_of_the_mean_frame"] == pytest.approx(np.mean((mean[:, None] - REAL) ** 2))
    down, right = np.abs(np.diff(mean, axis=1)).mean(), np.abs(np.diff(mean, axis=2)).mean()
    real = (np.abs(np.diff(REAL, axis=2)).mean() + np.abs(np.diff(REAL, axis=3)).mean()) / 2
    assert found["sharpness_of_the_mean_frame_percent"] == pytest.approx(100 * (down + right) / 2 / real)
    assert found["sharpness_of_the_mean_frame_percent"] < 70


def test_frames_that_do_not_fit():
    with pytest.raises(ValueError, match="as many predicted frames"):
        prediction(GIVEN, REAL, REAL[:, :1])
