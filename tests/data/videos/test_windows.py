import numpy as np
import pytest

from tests.data.videos.moving import everything
from toolkit.data.videos.clips import ArrayClip
from toolkit.data.videos.store import stored
from toolkit.data.videos.windows import windows

LENGTHS = (4, 9, 13)


@pytest.fixture(name="store")
def numbered():
    """Clips whose frames hold their own numbers: 20 times the clip's, and the frame's."""
    frames = [np.full((length, 2, 2, 1), 20 * n, "uint8") for n, length in enumerate(LENGTHS)]
    clips = [ArrayClip("a", f + np.arange(len(f), dtype="uint8")[:, None, None, None]) for f in frames]
    how = {"image_size": None, "channels": 1, "least_frames": 4, "source": "x"}
    return stored({"train": clips}, **how)["train"]


def numbers(batches):
    return everything(batches)[:, :, 0, 0, 0].astype(int).tolist()


def test_windows_that_are_not_shuffled_lie_end_to_end(store):
    batches = windows(store, (4, 2, 2, 1), batch_size=4)
    expected = [[0, 1, 2, 3], [20, 21, 22, 23], [24, 25, 26, 27], *([40 + s + k for k in range(4)] for s in (0, 4, 8))]
    assert numbers(batches) == expected and batches.num_examples == 6 and batches.steps_per_epoch == 2
    assert everything(batches).dtype == np.float32
    assert numbers(windows(store, (2, 2, 2, 1), frame_step=3, batch_size=4))[:3] == [[0, 3], [20, 23], [24, 27]]


def test_windows_in_training_lie_anywhere(store):
    def seen(batch_size, seed=0, epochs=1):
        batches = windows(store, (4, 2, 2, 1), batch_size=batch_size, seed=seed, shuffle=True)
        found = np.concatenate(list(batches.dataset(num_epochs=epochs).as_numpy_iterator()))
        return found[:, :, 0, 0, 0].astype(int)

    many = seen(4, epochs=60)
    assert (np.diff(many) == 1).all(), "frames follow one another, in one video"
    starts = [set(many[many[:, 0] // 20 == n, 0] % 20) for n in range(3)]
    assert starts == [set(range(length - 3)) for length in LENGTHS], "from the first place to the last"
    counts = np.bincount(many[:, 0] // 20)
    assert counts.tolist() == [60, 120, 180], "of each video as many windows as it holds end to end"
    one, other = (sorted(seen(size).tolist()) for size in (1, 4))
    assert one == other != sorted(seen(4, seed=1).tolist()), "whatever else is in the batch"
    assert sorted(many[:6].tolist()) == one != sorted(many[6:12].tolist()), "each epoch draws anew"


def test_a_training_that_was_killed_goes_on_with_the_same_windows(store):
    batches = windows(store, (4, 2, 2, 1), batch_size=4, seed=5, shuffle=True)
    whole = list(batches.dataset(num_epochs=3).as_numpy_iterator())
    rest = list(batches.dataset(start_step=3, num_epochs=3).as_numpy_iterator())
    assert len(whole) == 6 and len(rest) == 3
    for one, other in zip(whole[3:], rest, strict=True):
        np.testing.assert_array_equal(one, other)
