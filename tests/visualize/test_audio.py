import io

import numpy as np
import pytest
from PIL import Image
from scipy import signal

from toolkit.visualize import audio
from toolkit.visualize.audio import recordings, spectrogram

RATE = 8000
TONE = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(4000) / RATE)


def drawn(figure):
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return np.asarray(Image.open(file).convert("RGB"))


def test_spectrogram_is_scipys():
    waveform = np.random.default_rng(0).standard_normal(2000)
    decibels, step = spectrogram(waveform, RATE)
    window = np.hanning(129)[:128]
    transform = signal.ShortTimeFFT(window, 16, RATE, mfft=256)
    expected = np.abs(transform.stft(waveform, p0=0, p1=len(waveform) // 16)) / (window.sum() / 2)
    assert step == 16 / RATE
    np.testing.assert_allclose(decibels, 20 * np.log10(expected + 1e-6), atol=0.01)


def test_full_scale_is_zero_decibels_and_long_ones_stay_small():
    decibels, step = spectrogram(2 * TONE, RATE)
    assert decibels[:, 100].max() == pytest.approx(0, abs=0.1)
    assert np.argmax(decibels[:, 100]) * RATE / 2 / (len(decibels) - 1) == pytest.approx(1000, abs=32)
    decibels, step = spectrogram(np.zeros(100_000), RATE)
    assert decibels.shape[1] <= 900 and step * decibels.shape[1] >= 100_000 / RATE and decibels.max() < -100


def test_each_has_its_waveform_and_spectrogram_on_one_scale():
    figure = recordings([TONE, 0.1 * TONE[:1000], TONE], RATE, ["a", "$b", "c"], columns=2)
    upper, lower = figure.axes[::2], figure.axes[1::2]
    assert [axis.get_title(loc="left") for axis in upper] == ["a", "$b", "c"]
    assert {axis.get_xlim() for axis in figure.axes} == {(0.0, 0.5)}
    assert {axis.get_ylim() for axis in upper} == {(-1.05 * 0.5, 1.05 * 0.5)}
    for axis, seconds in zip(lower, (0.5, 0.125, 0.5), strict=True):
        image = axis.images[0]
        assert np.asarray(image.get_array()).shape[0] == 129 and axis.get_ylim() == (0, RATE / 2000)
        assert image.get_extent()[1] == pytest.approx(seconds, abs=0.005)
    picture = drawn(figure)
    assert picture.shape[1] == 13 * 110 and np.ptp(picture) > 200


def test_units_are_written_where_they_are_said():
    units = np.repeat([0, 2, 1, 1, 0], 800)
    figure = recordings([TONE], RATE, units=[units], unit_names=["_", "$a$", "b"])
    texts = {text.get_text(): text.get_position()[0] for text in figure.axes[0].texts}
    assert texts == {"b": pytest.approx(0.15), "$a$": pytest.approx(0.3)}
    edges = [line.get_xdata()[0] for line in figure.axes[1].lines]
    assert edges == pytest.approx([0.1, 0.2, 0.4])
    drawn(figure)


def test_long_silent_and_empty_ones_can_be_drawn():
    for waveforms in ([np.zeros(100_000)], [np.zeros(0), TONE], [], [np.array([0.5])]):
        figure = recordings(waveforms, RATE, units=[np.zeros(len(each), int) for each in waveforms])
        drawn(figure)
        assert len(figure.axes) >= 2 * len(waveforms)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="as many titles as waveforms, 1; got 2"):
        recordings([TONE], RATE, ["a", "b"])
    with pytest.raises(ValueError, match="as many units as waveforms, 1; got 2"):
        recordings([TONE], RATE, units=[TONE, TONE])
    with pytest.raises(ValueError, match="units 0: expected one for each of 4000 samples; got 3"):
        recordings([TONE], RATE, units=[np.zeros(3, int)])


def test_codes_stand_where_they_are_heard():
    figure = audio.codes([np.zeros(200), np.ones(100)], [[3, 0, 7], [5, 5]], 80, 1000, ["one", "two"], num_codes=9)
    first, second = figure.axes[1], figure.axes[3]
    marks = first.collections[0].get_segments()
    np.testing.assert_allclose(marks, [[[0, 3], [0.08, 3]], [[0.08, 0], [0.16, 0]], [[0.16, 7], [0.24, 7]]])
    assert first.get_xlim() == second.get_xlim() == (0, 0.2) and first.get_ylim() == (-1, 9)
    assert figure.axes[2].get_title(loc="left") == "two"
    with pytest.raises(ValueError, match="as many rows of codes as waveforms, 1; got 2"):
        audio.codes([np.zeros(9)], [[1], [2]], 8, 1000)
    with pytest.raises(ValueError, match="as many titles as waveforms, 1; got 2"):
        audio.codes([np.zeros(9)], [[1]], 8, 1000, ["a", "b"])
