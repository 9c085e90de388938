import numpy as np
import pytest
from PIL import Image

from tests.data.videos.moving import clip, gif, stills
from toolkit.data.videos.clips import Animation, ArrayClip, Stills, files_as_clips, fitted
from toolkit.files import limits


def paths(folder):
    return list(map(str, folder.iterdir()))


def test_a_folder_of_frames_is_one_clip_in_the_order_of_numbers(tmp_path):
    frames = clip(0, num_frames=5)
    (found,) = files_as_clips("here", paths(stills(tmp_path / "a", frames)))
    assert isinstance(found, Stills) and found.header() == (5, 10, 12)
    np.testing.assert_array_equal(found.read(range(5)), frames)
    np.testing.assert_array_equal(found.read(range(1, 5, 2)), frames[[1, 3]])


def test_a_file_of_moving_pictures_is_a_clip(tmp_path):
    frames = [clip(seed, channels=1) for seed in range(2)]
    for number, each in enumerate(frames):
        gif(tmp_path / f"{number}.gif", each)
    stills(tmp_path, clip(5, num_frames=2))
    among, *found = files_as_clips(str(tmp_path), paths(tmp_path))
    assert among.header() == (2, 10, 12) and [each.header() for each in found] == [(6, 10, 12)] * 2
    for each, expected in zip(found, frames, strict=True):
        assert isinstance(each, Animation)
        np.testing.assert_array_equal(each.read(range(6)), np.repeat(expected, 3, axis=-1))
        np.testing.assert_array_equal(each.read(range(3, 6)), np.repeat(expected[3:], 3, axis=-1))


def test_frames_that_are_turned_stand_upright(tmp_path):
    frame = clip(1, num_frames=1)[0]
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(frame).save(tmp_path / "a.png", exif=turned)
    (found,) = files_as_clips("", paths(tmp_path))
    assert found.header() == (1, 12, 10)
    np.testing.assert_array_equal(found.read(range(1))[0], np.rot90(frame, -1))


def test_frames_of_unlike_sizes(tmp_path):
    stills(tmp_path, clip(0, num_frames=3))
    Image.fromarray(clip(0, height=9)[0]).save(tmp_path / "f9.png")
    (found,) = files_as_clips(str(tmp_path), paths(tmp_path))
    told = "f9.png is 12 x 9, and .*f8.png is 12 x 10; the frames of a video have one size"
    with pytest.raises(ValueError, match=told):
        found.header()
    with pytest.raises(ValueError, match=told):
        found.read(range(2))


def test_damaged_frames_and_giants(tmp_path):
    folder = stills(tmp_path, clip(0, num_frames=3))
    content = (folder / "f9.png").read_bytes()
    (folder / "f9.png").write_bytes(content[: len(content) // 2])
    (found,) = files_as_clips(str(folder), paths(folder))
    assert found.header() == (3, 10, 12), "headers are good"
    with pytest.raises(ValueError, match="f9.png cannot be read as a frame"):
        found.read(range(3))
    (folder / "f9.png").write_bytes(b"words")
    (found,) = files_as_clips(str(folder), paths(folder))
    with pytest.raises(ValueError, match="f9.png cannot be read as a frame: it is none of JPEG"):
        found.header()
    flat = np.arange(40, dtype="uint8")[:, None, None, None] * np.ones((1, 40, 40, 1), "uint8")
    moving = Animation(str(gif(tmp_path / "a.gif", flat)))
    limits.allow(100_000 / limits.GIB)
    try:
        with pytest.raises(ValueError, match="a.gif, 40 frames, would take"):
            moving.header()
    finally:
        limits.allow(None)


def test_sizes_and_channels():
    frames = clip(3, height=8, width=12)
    assert fitted(frames, None, 3) is frames and ArrayClip("a", frames).header() == (6, 8, 12)
    square = fitted(frames, 8, 3)
    np.testing.assert_array_equal(square, frames[:, :, 2:10])
    half = fitted(np.repeat(clip(4, height=4, width=4), 2, 1).repeat(2, 2), 4, 1)
    assert half.shape == (6, 4, 4, 1)
    grey = fitted(frames, None, 1)
    expected = frames @ np.array([0.299, 0.587, 0.114])
    assert np.abs(grey[..., 0] - expected).max() <= 1
    np.testing.assert_array_equal(fitted(grey, None, 3), np.repeat(grey, 3, axis=-1))
