import numpy as np
import pytest

from tests.data.audio.sounds import noise
from toolkit.data.audio.clips import Clip
from toolkit.data.audio.files import Header
from toolkit.data.audio.windows import windows

LENGTHS = (300, 1000, 1001, 4321, 1700)


def clips():
    """Recordings whose samples all differ, so that each tells its place."""
    made = []
    for number, length in enumerate(LENGTHS):
        waveform = (number + np.arange(length) / 10_000).astype("float32") / 10
        made.append(Clip(str(number), Header(length, 8000, 1), "ab"[number % 2], None, 8000, waveform))
        made[-1].edges, made[-1].numbers = np.array([100, 200]), np.array([2, 1, 0], "int32")
    return made


def place(batch, row):
    """The recording, and the place in it, of a window's first sample."""
    first = float(batch["audio"][row, 0]) * 10
    return int(first + 1e-4), round((first - int(first + 1e-4)) * 10_000)


def read(batches, num_epochs=1, start_step=0):
    return list(batches.dataset(start_step, num_epochs=num_epochs).as_numpy_iterator())


@pytest.mark.parametrize("window, context", [(1000, 0), (1000, 255), (64, 63), (5000, 1000)])
def test_in_order_each_sample_counts_exactly_once(window, context):
    batches = windows(clips(), ["a", "b"], window=window, context=context, batch_size=7)
    counts = [np.zeros(length, int) for length in LENGTHS]
    for batch in read(batches):
        for row in range(len(batch["audio"])):
            number, start = place(batch, row)
            covered = batch["mask"][row, : LENGTHS[number] - start]
            counts[number][start : start + len(covered)] += covered
            assert not batch["mask"][row, LENGTHS[number] - start :].any()
            assert not batch["audio"][row, LENGTHS[number] - start :].any()
            assert not context or batch["mask"][row, :context].any() == (start == 0)
            assert batch["speaker"][row] == number % 2
    assert all((count == 1).all() for count in counts)


@pytest.mark.parametrize("window, context", [(1000, 0), (1000, 255)])
def test_in_training_every_sample_counts_in_every_epoch_and_places_change(window, context):
    batches = windows(clips(), ["a", "b"], window=window, context=context, batch_size=4, seed=3, shuffle=True)
    places = []
    for epoch in range(3):
        steps = batches.steps_per_epoch
        seen = read(batches, epoch + 1, epoch * steps)
        assert len(seen) == steps
        counts = [np.zeros(length, int) for length in LENGTHS]
        places.append([place(batch, row) for batch in seen for row in range(len(batch["audio"]))])
        for batch in seen:
            for row in range(len(batch["audio"])):
                number, start = place(batch, row)
                covered = batch["mask"][row, : LENGTHS[number] - start]
                counts[number][start : start + len(covered)] += covered
                assert batch["mask"][row, context:].all() or LENGTHS[number] < window  # no room is wasted
        assert all(count.min() >= 1 for count in counts)
        assert batches.num_examples == len(places[-1])
    assert len({tuple(sorted(each)) for each in places}) == 3 and places[0] != sorted(places[0])


def test_is_a_pure_function_of_seed_epoch_and_example():
    def made(seed, start_step=0):
        batches = windows(clips(), ["a", "b"], window=500, batch_size=4, seed=seed, shuffle=True)
        return read(batches, 3, start_step)

    first, same, other = made(0), made(0), made(1)
    for one, two in zip(first, same, strict=True):
        np.testing.assert_array_equal(one["audio"], two["audio"])
    assert any((one["audio"] != two["audio"]).any() for one, two in zip(first, other, strict=True))
    # From the middle of the second epoch on it goes on as it would have.
    later = made(0, start_step=7)
    for one, two in zip(first[7:], later, strict=True):
        np.testing.assert_array_equal(one["audio"], two["audio"])


def test_units_go_with_their_samples():
    for shuffle in (False, True):
        for batch in read(windows(clips(), ["a", "b"], window=600, batch_size=4, shuffle=shuffle)):
            for row in range(len(batch["audio"])):
                number, start = place(batch, row)
                at = start + np.arange(600)
                expected = np.where(at < 100, 2, np.where(at < 200, 1, 0))
                expected[LENGTHS[number] - start :] = 0
                np.testing.assert_array_equal(batch["units"][row], expected)


def test_nothing_is_an_empty_data_set():
    with pytest.raises(ValueError, match="empty"):
        windows([], [], window=10, batch_size=2)
    assert windows([Clip("x", Header(5, 8000, 1), "a", None, 8000, noise(5))], ["a"], window=10, batch_size=2)
