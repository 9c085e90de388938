import numpy as np
import pytest

from tests.data.videos.moving import clip, stills
from toolkit.data.videos import store
from toolkit.data.videos.clips import ArrayClip, Stills, files_as_clips
from toolkit.data.videos.store import stored

HOW = {"image_size": None, "channels": 3, "least_frames": 3, "source": "folder:x"}


def files(tmp_path, lengths):
    found = []
    for number, length in enumerate(lengths):
        folder = stills(tmp_path / f"c{number}", clip(number, num_frames=length))
        found += files_as_clips(str(folder), list(map(str, folder.iterdir())))
    return found


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_whole_clips_and_parts_of_them(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(store, "MEMORY", memory)
    made = stored({"train": files(tmp_path, [5, 3, 4])}, **HOW)["train"]
    assert (made.kept is not None) == bool(memory) and made.lengths.tolist() == [5, 3, 4] and len(made) == 3
    np.testing.assert_array_equal(made.read(0), clip(0, num_frames=5))
    np.testing.assert_array_equal(made.read(2, range(0, 4, 2)), clip(2, num_frames=4)[::2])
    some = made.subset(np.array([2]))
    assert some.lengths.tolist() == [4]
    np.testing.assert_array_equal(some.read(0), clip(2, num_frames=4))


def test_arrays_stay_where_they_are():
    frames = clip(0)
    assert stored({"train": [ArrayClip("a", frames)]}, **HOW)["train"].kept[0] is frames
    small = stored({"train": [ArrayClip("a", frames)]}, **{**HOW, "image_size": 4})["train"]
    assert small.read(0).shape == (6, 4, 4, 3)


def test_what_is_too_short_or_damaged_is_named_or_left_out(tmp_path, capsys):
    clips = files(tmp_path, [5, 2, 4, 6])
    with pytest.raises(ValueError, match="c1 of --data=folder:x has 2 frames, and a window has 3. Ask for fewer"):
        stored({"train": clips}, **HOW)
    path = tmp_path / "c3" / "f9.png"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match="f9.png cannot be read as a frame.*leave out such files with --skip_corrupt"):
        stored({"train": [clips[0], clips[3]]}, **HOW)
    for memory in (1 << 30, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "MEMORY", memory)
            made = stored({"train": clips}, **HOW, skip_corrupt=True)["train"]
        assert made.lengths.tolist() == [5, 4] and len(made.skipped) == 2
        assert "2 of 4 videos left out, such as: " in capsys.readouterr().err
    with pytest.raises(ValueError, match="a has 2 frames|a of --data=folder:x has 2 frames"):
        stored({"train": [ArrayClip("a", clip(0, num_frames=2))]}, **HOW)


def test_sizes_that_differ():
    clips = [ArrayClip("a", clip(0)), ArrayClip("b", clip(1, height=8))]
    with pytest.raises(ValueError, match="b is 12 x 8, and a is 12 x 10. Say to which size.*--image_size=64"):
        stored({"train": clips}, **HOW)
    made = stored({"train": clips}, **{**HOW, "image_size": 8})["train"]
    assert made.read(0).shape == made.read(1).shape == (6, 8, 8, 3)
    assert all(not isinstance(each, Stills) for each in made.clips)
