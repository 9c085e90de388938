import numpy as np
import pytest

from tests.data.audio.sounds import noise, write
from toolkit.data.audio import files
from toolkit.data.audio.alignments import Segments
from toolkit.data.audio.clips import Clip, read, read_named

SEGMENTS = Segments(np.array([0.1, 0.3]), np.array([0.2, 0.4]), ("a", "b"))


def clip(path, sample_rate=8000, segments=None):
    return Clip(str(path), files.header(path), "one", segments, sample_rate)


@pytest.mark.parametrize("suffix, rate, channels", [("wav", 16000, 2), ("flac", 11025, 1), ("ogg", 8000, 2)])
@pytest.mark.parametrize("trim", [0.0, 0.05])
def test_in_memory_and_in_its_file_are_the_same(tmp_path, suffix, rate, channels, trim):
    sound = np.concatenate([np.zeros(rate // 5), noise(rate // 2), np.zeros(rate // 4)])
    path = write(tmp_path / f"a.{suffix}", np.stack([sound] * channels, axis=1), rate)
    kept, streamed = clip(path), clip(path)
    kept.open(trim, in_memory=True)
    streamed.open(trim, in_memory=False)
    assert streamed.waveform is None and kept.length == streamed.length == len(kept.waveform)
    assert (kept.length < 8000 * 0.65) == bool(trim)
    for start, stop in ((0, kept.length), (100, 101), (777, 2000)):
        np.testing.assert_allclose(streamed.read(start, stop), kept.read(start, stop), atol=1e-6)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_samples_that_are_given_are_trimmed_scaled_and_labelled_as_their_file_is(tmp_path, rate):
    sound = np.concatenate([np.zeros(rate // 10), noise(3 * rate // 10), np.zeros(rate // 10)]).astype("float32")
    path = write(tmp_path / "a.wav", sound, rate, subtype="FLOAT")
    found = []
    for waveform in (None, sound):
        found.append(Clip(str(path), files.header(path), "one", SEGMENTS, 8000, waveform))
        found[-1].open(0.05, in_memory=False, peak=0.9)
        found[-1].label({"a": 3, "b": 5})
    streamed, given = found
    assert given.length == len(given.waveform) == streamed.length < 4000 and given.start == streamed.start > 0
    for start, stop in ((0, given.length), (700, 1800)):
        np.testing.assert_allclose(given.read(start, stop), streamed.read(start, stop), atol=1e-6)
        np.testing.assert_array_equal(given.units(start, stop), streamed.units(start, stop))


def test_channels_become_their_mean(tmp_path):
    left, right = noise(1000, seed=0), noise(1000, seed=1)
    found = clip(write(tmp_path / "a.wav", np.stack([left, right], axis=1), subtype="FLOAT"))
    np.testing.assert_allclose(found.read(0, 1000), (left + right) / 2, atol=1e-7)


def test_units_lie_where_they_are_said_whatever_is_cut_off(tmp_path):
    sound = np.concatenate([np.zeros(800), noise(2400), np.zeros(800)])
    path = write(tmp_path / "a.wav", np.repeat(sound, 2), 16000, subtype="FLOAT")
    whole, trimmed = clip(path, segments=SEGMENTS), clip(path, segments=SEGMENTS)
    for each, trim in ((whole, 0.0), (trimmed, 0.05)):
        each.open(trim, in_memory=True)
        each.label({"a": 3, "b": 5})
    expected = np.zeros(4000, "int32")
    expected[800:1600], expected[2400:3200] = 3, 5
    np.testing.assert_array_equal(whole.units(0, 4000), expected)
    np.testing.assert_array_equal(whole.units(1500, 2500), expected[1500:2500])
    start = trimmed.start // 2
    assert 400 < start <= 800 and trimmed.length < 3200
    np.testing.assert_array_equal(trimmed.units(0, trimmed.length), expected[start : start + trimmed.length])


def test_without_units_all_is_the_first(tmp_path):
    found = clip(write(tmp_path / "a.wav", noise(500)))
    found.label({})
    assert not found.units(0, 500).any() and found.units(0, 500).dtype == np.int32


@pytest.mark.parametrize("in_memory, trim", [(True, 0.0), (True, 0.05), (False, 0.05)])
def test_silence_is_refused(tmp_path, in_memory, trim):
    found = clip(write(tmp_path / "quiet.wav", np.zeros(3000)))
    with pytest.raises(ValueError, match="quiet.wav holds nothing but silence"):
        found.open(trim, in_memory)


def test_what_is_no_number_is_refused(tmp_path):
    sound = noise(3000)
    sound[2000] = np.nan
    found = clip(write(tmp_path / "a.wav", sound, subtype="FLOAT"))
    with pytest.raises(ValueError, match="a.wav holds samples that are no numbers"):
        found.open(0.0, in_memory=True)
    with pytest.raises(ValueError, match="a.wav holds samples that are no numbers"):
        found.read(1990, 2010)


def test_floats_beyond_full_scale_are_cut_off(tmp_path):
    found = clip(write(tmp_path / "a.wav", 30 * noise(3000), subtype="FLOAT"))
    found.open(0.0, in_memory=True)
    assert np.abs(found.waveform).max() == 1


def test_a_rate_that_no_speech_has_is_refused(tmp_path):
    path = write(tmp_path / "a.wav", noise(3000), 50)
    with pytest.raises(ValueError, match="a.wav has 50 samples a second"):
        clip(path)


def test_a_single_file(tmp_path):
    sound = noise(4000)
    path = write(tmp_path / "a.flac", np.stack([sound, sound], axis=1), 16000)
    found = read(path, 8000)
    assert found.shape == (2000,) and found.dtype == np.float32
    np.testing.assert_allclose(found, clip(path).read(0, 2000), atol=1e-6)
    with pytest.raises(FileNotFoundError, match="none.wav"):
        read(tmp_path / "none.wav", 8000)
    with pytest.raises(ValueError, match="quiet.wav holds nothing but silence"):
        read(write(tmp_path / "quiet.wav", np.zeros(3000)), 8000)


@pytest.mark.parametrize("in_memory", [True, False])
def test_scaled_to_a_peak(tmp_path, in_memory):
    waveform = noise(9000, level=0.03)
    path = write(tmp_path / "a.wav", waveform)
    clip = Clip(str(path), files.header(path), "", None, 8000)
    clip.open(0.0, in_memory, peak=0.9)
    np.testing.assert_allclose(clip.read(0, 9000), waveform * 0.9 / np.abs(waveform).max(), atol=1e-3)
    np.testing.assert_array_equal(read(path, 8000, peak=0.9), clip.read(0, 9000))


def test_recordings_that_are_named(tmp_path):
    paths = [write(tmp_path / name, noise(4000, seed=n), 16000) for n, name in enumerate(("a,b.wav", "c.flac"))]
    for names in (f"{paths[0]},{paths[1]}", f" {paths[0]} , {paths[1]},"):
        found = read_named(names, 8000, "--recordings")
        assert [name for name, _ in found] == list(map(str, paths))
        for (_, waveform), path in zip(found, paths, strict=True):
            np.testing.assert_array_equal(waveform, read(path, 8000))
        assert np.abs(read_named(names, 8000, "--recordings", 0.7)[0][1]).max() == pytest.approx(
            0.7, abs=0.05
        )  # another rate has other samples
    for names, kind, told in (
        (f"{paths[1]},{tmp_path}/d.wav", FileNotFoundError, "--recordings: .*d.wav: no such file; expected a rec"),
        (str(tmp_path), ValueError, "--recordings: .*is a folder"),
        (str(write(tmp_path / "quiet.wav", np.zeros(3000))), ValueError, "--recordings: .*quiet.wav holds nothing but"),
        (" , ", ValueError, "--recordings= , : expected paths of recordings, between commas"),
    ):
        with pytest.raises(kind, match=told):
            read_named(names, 8000, "--recordings")
