import pathlib

import numpy as np
import pytest

from tests.data.videos.moving import clip, folder, gif, stills
from toolkit.data.videos.readers import READERS, sniff
from toolkit.data.videos.sprites import sprites

HOW = {"image_size": None, "channels": None, "num_frames": 4, "seed": 0, "axes": "auto"}


def found(source, **how):
    name, rest = source.split(":", 1)
    return READERS[name](rest, **{**HOW, **how})


def test_embedded_sprites():
    made = found("embedded:sprites:30")
    assert len(made.clips["train"]) == 30 and made.channels == 1
    np.testing.assert_array_equal(made.clips["train"][17].frames, sprites(np.array([17])).frames[0])
    longer = found("embedded:", num_frames=25, image_size=16, channels=3, seed=2)
    assert len(longer.clips["train"]) == 1000 and longer.clips["train"][0].header() == (25, 16, 16)
    expected = sprites(np.array([600]), num_frames=25, image_size=16, channels=3, seed=2)
    np.testing.assert_array_equal(longer.clips["train"][600].frames, expected.frames[0])


@pytest.mark.parametrize("rest", ["digits", "sprites:2", "sprites:x", "sprites:9999999"])
def test_embedded_that_is_none(rest):
    with pytest.raises(ValueError, match="expected embedded:sprites or embedded:sprites:CLIPS, 3 to 100,000"):
        found(f"embedded:{rest}")
    with pytest.raises(ValueError, match="--image_size=8: sprites are drawn in 16 to 256"):
        found("embedded:sprites", image_size=8)


def test_an_array_as_moving_mnist(tmp_path):
    array = np.random.default_rng(0).integers(0, 256, (4, 9, 6, 7)).astype("uint8")
    np.save(tmp_path / "a.npy", array)
    made = found(f"npy:{tmp_path / 'a.npy'}")
    assert made.channels == 1 and len(made.clips["train"]) == 9
    assert made.notes == ("taken for 9 clips of 4 frames, time first, as clips are more than frames; "
                          "else --axes=clips_first",)  # fmt: skip
    one = made.clips["train"][5]
    np.testing.assert_array_equal(one.read(range(1, 4)), array[1:, 5, ..., None])
    assert "a.npy, clip 5" in one.name and isinstance(one.frames.base, np.memmap), "on the disk, not in memory"
    other = found(f"npy:{tmp_path / 'a.npy'}", axes="clips_first")
    np.testing.assert_array_equal(other.clips["train"][3].frames, array[3, ..., None])
    assert len(other.clips["train"]) == 4 and other.notes == ("4 clips of 9 frames, clips first",)
    np.save(tmp_path / "b.npy", np.asfortranarray(array.swapaxes(0, 1)))
    np.testing.assert_array_equal(found(f"npy:{tmp_path / 'b.npy'}").clips["train"][5].frames, one.frames)
    np.save(tmp_path / "c.npy", np.stack([array] * 3, axis=-1))
    colored = found(f"npy:{tmp_path / 'c.npy'}")
    assert colored.channels == 3 and colored.clips["train"][0].header() == (4, 6, 7)


@pytest.mark.parametrize(
    ("shape", "dtype", "told"),
    [
        ((4, 9, 6, 7), "float32", "float32 of shape .4, 9, 6, 7.; expected uint8.*array.astype"),
        ((4, 6, 7), "uint8", "expected uint8 .frames, clips, height, width"),
        ((4, 6, 7, 3), "uint8", "is one video only"),
        ((4, 9, 6, 7, 2), "uint8", "expected uint8"),
        ((5, 5, 6, 7), "uint8", "frames or clips first.*--axes=time_first"),
        ((0, 5, 6, 7), "uint8", "holds nothing"),
        ((1, 1_000_001, 2, 2), "uint8", "would be 1,000,001 clips; at most 1,000,000"),
    ],
)
def test_arrays_that_are_no_videos(tmp_path, shape, dtype, told):
    np.save(tmp_path / "a.npy", np.zeros(shape, dtype))
    with pytest.raises(ValueError, match=f"a.npy.*{told}"):
        found(f"npy:{tmp_path / 'a.npy'}")
    with pytest.raises(FileNotFoundError, match="expected npy:FILE"):
        found("npy:")


def test_folders_of_frames_and_of_files(tmp_path):
    stills(tmp_path / "b2", clip(2))
    stills(tmp_path / "deep" / "b10", clip(10))
    gif(tmp_path / "moving.gif", clip(0, channels=1))
    (tmp_path / "notes.txt").write_text("nothing")
    made = found(f"folder:{tmp_path}")
    names = [pathlib.Path(each.name).name for each in made.clips["train"]]
    assert names == ["moving.gif", "b2", "b10"] and made.channels == 3
    assert len(made.left_out) == 1 and "notes.txt (no image)" in made.left_out[0]
    np.testing.assert_array_equal(made.clips["train"][2].read(range(6)), clip(10))


def test_parts_in_folders(tmp_path):
    for part, count in (("train", 3), ("val", 2), ("test", 1)):
        folder(tmp_path / part, count)
    made = found(f"folder:{tmp_path}")
    assert {split: len(clips) for split, clips in made.clips.items()} == {"train": 3, "validation": 2, "test": 1}
    folder(tmp_path / "valid", 1)
    with pytest.raises(ValueError, match="of each part only one folder can be"):
        found(f"folder:{tmp_path}")


def test_folders_that_hold_no_videos(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder; expected FOLDER/CLIP"):
        found(f"folder:{tmp_path / 'none'}")
    with pytest.raises(ValueError, match="holds no frames; expected FOLDER/CLIP/.*Remove what is empty"):
        found(f"folder:{tmp_path}")
    folder(tmp_path, 2)
    (tmp_path / "clip07").mkdir()
    (tmp_path / "clip07" / "a.mp4").write_bytes(b"\0" * 10)
    with pytest.raises(ValueError, match="clip07 holds no frames; .*a.mp4 .no image.; expected"):
        found(f"folder:{tmp_path}")
    with pytest.raises(ValueError, match="is no folder"):
        found(f"folder:{tmp_path / 'clip07' / 'a.mp4'}")


def test_paths_alone(tmp_path):
    assert sniff(tmp_path) == "folder" and sniff(tmp_path / "a.npy") == "npy" and sniff(tmp_path / "a.mp4") is None
