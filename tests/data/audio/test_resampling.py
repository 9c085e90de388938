import numpy as np
import pytest
from scipy import signal

from tests.data.audio.sounds import noise
from toolkit.data.audio.resampling import Resampler


@pytest.mark.parametrize("old, new", [(16000, 8000), (8000, 16000), (44100, 16000), (11025, 8000), (48000, 8000)])
def test_parts_are_those_of_the_whole_as_scipy_makes_it(old, new):
    waveform = noise(old // 4 + 3)
    ratio = np.gcd(old, new)
    expected = signal.resample_poly(waveform.astype("float64"), new // ratio, old // ratio)
    resampler = Resampler(old, new)
    assert resampler.length(len(waveform)) == len(expected)
    for start, stop in ((0, len(expected)), (0, 1), (500, 777), (len(expected) - 50, len(expected))):
        first, last = resampler.needed(start, stop, len(waveform))
        assert 0 <= first < last <= len(waveform)
        made = resampler.resample(waveform[first:last], first, start, stop)
        assert made.dtype == np.float32
        np.testing.assert_allclose(made, expected[start:stop], atol=2e-6)
    assert np.diff(resampler.needed(500, 777, len(waveform))) < 300 * max(1, old / new) + 2 * old / ratio


def test_a_tone_stays_that_tone_and_what_has_no_room_goes():
    time = np.arange(44100) / 44100
    resampler = Resampler(44100, 8000)
    made = {
        hertz: resampler.resample(np.sin(2 * np.pi * hertz * time).astype("float32"), 0, 0, 8000)
        for hertz in (1000, 6000)
    }
    np.testing.assert_allclose(made[1000][200:-200], np.sin(2 * np.pi * np.arange(8000) / 8)[200:-200], atol=0.01)
    assert np.abs(made[6000][200:-200]).max() < 0.01


def test_odd_rates_are_near_enough():
    # Half an hour at a rate that is prime: less than a millisecond is gained or lost.
    resampler = Resampler(7919, 8000)
    assert abs(resampler.length(7919 * 1800) - 8000 * 1800) < 8
    made = resampler.resample(np.sin(2 * np.pi * 500 * np.arange(7919) / 7919).astype("float32"), 0, 0, 8000)
    np.testing.assert_allclose(made[300:-300], np.sin(2 * np.pi * np.arange(8000) / 16)[300:-300], atol=0.01)


def test_the_same_rate_changes_nothing():
    waveform = noise(100)
    assert Resampler(8000, 8000).needed(3, 9, 100) == (3, 9)
    np.testing.assert_array_equal(Resampler(8000, 8000).resample(waveform[3:9], 3, 3, 9), waveform[3:9])
