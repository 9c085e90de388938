import json

import numpy as np
import pytest

from tests.data.videos.moving import clip, everything, folder
from toolkit.data import videos
from toolkit.data.videos import store
from toolkit.data.videos.loading import load


@pytest.mark.parametrize("memory", [1 << 30, 0])
def test_batches_and_examples(tmp_path, monkeypatch, memory):
    monkeypatch.setattr(store, "MEMORY", memory)
    source = f"folder:{folder(tmp_path, 6, num_frames=7)}"
    found = load(source, num_frames=3, batch_size=4, held_out=0.2)
    assert found.shape == (3, 10, 12, 3)
    assert {split: len(part) for split, part in found.parts.items()} == {"train": 4, "validation": 1, "test": 1}
    windows = everything(found.splits.train)
    assert windows.shape == (8, 3, 10, 12, 3) and windows.dtype == np.float32
    whole = [clip(number, num_frames=7).astype("float32") for number in range(6)]
    places = [[(w == c[s : s + 3]).all() for c in whole for s in range(5)].index(True) // 5 for w in windows]
    assert sorted(places) == sorted([*{*places}] * 2) and len({*places}) == 4
    (one,) = found.examples("test", 5)
    assert one.dtype == np.uint8 and any((one == each).all() for each in whole)
    tested = everything(found.splits.test)
    np.testing.assert_array_equal(tested, [one[:3], one[3:6]])
    assert len(found.examples("train", 3)) == 3


def test_what_is_held_out_is_a_function_of_the_seed(tmp_path):
    source = f"folder:{folder(tmp_path, 12)}"

    def names(seed):
        parts = load(source, num_frames=6, batch_size=2, seed=seed).parts
        return {split: [each.name for each in part.clips] for split, part in parts.items()}

    assert names(0) == names(0) != names(1)
    assert len(set(sum(names(0).values(), []))) == 12


def test_contents_tell_videos_apart():
    def contents(**how):
        return load("embedded:sprites:20", **{"num_frames": 4, "batch_size": 4, **how}).contents

    assert json.loads(json.dumps(contents())) == contents() != contents(seed=1)
    assert contents()["window"] == [4, 32, 32, 1] and contents()["lengths"]["train"] == [20]


def test_sizes_steps_and_channels():
    found = videos.load("embedded:sprites:10", num_frames=8, frame_step=3, image_size=16, channels=3, batch_size=2)
    assert found.splits.train.peek().shape == (2, 8, 16, 16, 3) and found.parts["train"].lengths.max() == 22
    (whole,) = found.examples("test", 1)
    np.testing.assert_array_equal(everything(found.splits.test), whole[None, ::3])


def test_arrays_and_what_they_are_taken_for(tmp_path, capsys):
    array = np.random.default_rng(0).integers(0, 256, (5, 12, 8, 8)).astype("uint8")
    np.save(tmp_path / "mnist_test_seq.npy", array)
    found = load(str(tmp_path / "mnist_test_seq.npy"), num_frames=5, batch_size=4)
    assert "taken for 12 clips of 5 frames, time first" in capsys.readouterr().err
    windows = everything(found.splits.train)[..., 0]
    assert len(windows) == 10 and all((w == array.swapaxes(0, 1)).all((1, 2, 3)).any() for w in windows)
    small = load(str(tmp_path / "mnist_test_seq.npy"), num_frames=5, batch_size=4, image_size=4, channels=3)
    assert small.splits.train.peek().shape == (4, 5, 4, 4, 3)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"num_frames": 0}, "--num_frames=0: expected 1 or more"),
        ({"frame_step": 0}, "--frame_step=0: expected 1 or more"),
        ({"image_size": 0}, "--image_size=0"),
        ({"channels": 2}, "--channels=2: expected 1 .grey. or 3"),
        ({"axes": "x"}, "--axes=x: expected one of auto"),
        ({"held_out": 0.5}, "--held_out=0.5"),
        ({"source": "embeded:sprites"}, "no reader 'embeded'.*Did you mean 'embedded'"),
        ({"batch_size": 100_000_000}, "A batch of --batch_size=100000000 windows of 4 frames of 32 x 32 would take"),
    ],
)
def test_what_cannot_be_asked_for(wrong, told):
    with pytest.raises(ValueError, match=told):
        load(**{"source": "embedded:sprites:9", "num_frames": 4, "batch_size": 2, **wrong})


def test_videos_that_are_too_few_or_too_short(tmp_path, capsys):
    source = f"folder:{folder(tmp_path, 2)}"
    with pytest.raises(ValueError, match="2 videos to train on are too few for the parts train, validation, test"):
        load(source, num_frames=3, batch_size=1)
    folder(tmp_path, 5)
    (tmp_path / "clip03" / "f9.png").unlink()
    with pytest.raises(ValueError, match="clip03 of --data=.* has 5 frames, and a window has 6. Ask for fewer"):
        load(source, num_frames=6, batch_size=1)
    found = load(source, num_frames=6, batch_size=1, skip_corrupt=True)
    assert sum(map(len, found.parts.values())) == 4 and len(found.skipped) == 1
    assert "1 of 5 videos left out" in capsys.readouterr().err
