import json
import tracemalloc

import numpy as np
import pytest

from tests.data.audio.sounds import noise, takes, write
from toolkit.data.audio import speech
from toolkit.data.audio.formants import utterances
from toolkit.data.audio.speech import load


def loaded(source, **how):
    return load(source, **{"sample_rate": 8000, "window": 1000, "batch_size": 4, **how})


def batches(part):
    return list(part.dataset(num_epochs=1).as_numpy_iterator())


@pytest.fixture
def streamed(monkeypatch):
    """No recording has room in memory."""
    monkeypatch.setattr(speech, "_IN_MEMORY", 0)


def test_embedded():
    found = loaded("embedded:1:3", context=200)
    assert found.speakers == ("speaker 0", "speaker 1", "speaker 2")
    assert found.units[0] == "_" and 18 <= len(found.units) <= 24 and found.has_units
    batch = found.splits.train.peek()
    assert {name: (array.dtype.name, array.shape) for name, array in batch.items()} == {
        "audio": ("float32", (4, 1000)),
        "mask": ("bool", (4, 1000)),
        "speaker": ("int32", (4,)),
        "units": ("int32", (4, 1000)),
    }
    assert 0.05 < np.abs(batch["audio"]).max() <= 1
    said = list(utterances(1, num_speakers=3))
    for example in found.examples("test"):
        its = said[int(example.path.split()[1])]
        np.testing.assert_array_equal(example.waveform, its.waveform)
        names = np.repeat(its.units, np.diff(its.ends, prepend=0))
        assert [found.units[unit] for unit in example.units[::100]] == names[::100].tolist()
        assert found.speakers[example.speaker] == its.speaker.name


def test_every_recording_is_in_one_part_and_each_kind_in_all(tmp_path):
    takes(tmp_path, each=10)
    found = loaded(f"fsdd:{tmp_path}")
    paths = {split: {clip.path for clip in clips} for split, clips in found.parts.items()}
    assert {split: len(each) for split, each in paths.items()} == {"train": 32, "validation": 4, "test": 4}
    assert len(set.union(*paths.values())) == 40
    for clips in found.parts.values():
        assert len({(clip.speaker, clip.segments.units) for clip in clips}) == 4
    assert found.units == ("_", "x", "y") and found.speakers == ("a", "b")
    again = loaded(f"fsdd:{tmp_path}")
    assert {s: {clip.path for clip in clips} for s, clips in again.parts.items()} == paths
    other = loaded(f"fsdd:{tmp_path}", seed=1)
    assert {s: {clip.path for clip in clips} for s, clips in other.parts.items()} != paths


def test_speakers_held_out(tmp_path):
    takes(tmp_path, speakers="abcdef")
    found = loaded(f"fsdd:{tmp_path}", held_out_speakers=2)
    heard = {split: {clip.speaker for clip in clips} for split, clips in found.parts.items()}
    assert [len(heard[split]) for split in ("train", "validation", "test")] == [2, 2, 2]
    assert set.union(*heard.values()) == set(found.speakers) == set("abcdef")
    with pytest.raises(ValueError, match="--held_out_speakers=3: twice as many, and one more"):
        loaded(f"fsdd:{tmp_path}", held_out_speakers=3)


def test_what_is_done_to_recordings_is_said(tmp_path, capsys):
    paths = takes(tmp_path, num_samples=4000)
    write(paths[0], np.stack([noise(4000), np.zeros(4000)], axis=1), 8000)
    write(paths[1], noise(12000), 22050, subtype="PCM_24")
    write(paths[2], noise(12000), 44100, subtype="FLOAT")
    (tmp_path / "notes.md").write_text("x")
    found = loaded(f"fsdd:{tmp_path}")
    told = capsys.readouterr().err
    for note in (
        "1 of 16 recordings have several channels: their mean is taken",
        "2 of 16 recordings are resampled to 8000 Hz, from 22050, 44100",
        "files left out: 1, such as",
    ):
        assert f"--data=fsdd:{tmp_path}: {note}" in told and any(note in each for each in found.notes)
    by_path = {clip.path: clip for clips in found.parts.values() for clip in clips}
    np.testing.assert_allclose(by_path[str(paths[0])].read(0, 4000), noise(4000) / 2, atol=1e-4)
    assert by_path[str(paths[1])].length == -(-12000 * 8000 // 22050)


def test_streamed_and_in_memory_are_the_same(tmp_path, monkeypatch):
    takes(tmp_path)
    kept = loaded(f"fsdd:{tmp_path}", trim=0.02)
    monkeypatch.setattr(speech, "_IN_MEMORY", 0)
    found = loaded(f"fsdd:{tmp_path}", trim=0.02)
    assert found.parts["train"][0].waveform is None and kept.parts["train"][0].waveform is not None
    for split in ("train", "test"):
        for mine, its in zip(batches(getattr(found.splits, split)), batches(getattr(kept.splits, split)), strict=True):
            for name in mine:
                np.testing.assert_allclose(mine[name], its[name], atol=1e-6)
    assert found.contents == kept.contents


def test_contents_tell_speech_apart(tmp_path):
    paths = takes(tmp_path)
    source = f"fsdd:{tmp_path}"
    before = loaded(source).contents
    assert json.loads(json.dumps(before)) == before == loaded(source).contents
    assert loaded(source, window=900).contents != before
    write(paths[0], 0.5 * noise(2000))
    assert loaded(source).contents != before


def test_clips_shorter_than_a_window_are_whole_and_masked(tmp_path):
    takes(tmp_path, num_samples=500)
    for batch in batches(loaded(f"fsdd:{tmp_path}", window=3000, context=1000).splits.train):
        lengths = batch["mask"].sum(axis=1)
        assert (lengths >= 500).all() and (lengths < 800).all()
        for row, length in enumerate(lengths):
            assert batch["mask"][row, :length].all() and not batch["audio"][row, length:].any()


def test_inventory():
    found = loaded("embedded:1:2")
    inventory = found.inventory
    assert inventory["speakers"] == ["speaker 0", "speaker 1"] and inventory["units"] == list(found.units)
    assert (inventory["num_states"], inventory["sample_rate"]) == (1, 8000)
    lengths = dict(zip(found.units, inventory["unit_lengths"], strict=True))
    assert 0.09 < lengths["a"] / 8000 < 0.17 and 0.06 < lengths["m"] / 8000 < 0.13


def test_states_cut_units_in_equal_parts():
    whole, cut = loaded("embedded:1:2"), loaded("embedded:1:2", num_states=3)
    np.testing.assert_allclose(cut.inventory.pop("unit_lengths"), whole.inventory["unit_lengths"], atol=0.2)
    assert cut.contents["num_states"] == 3 and "num_states" not in whole.contents
    for one, other in zip(whole.examples("test", 5), cut.examples("test", 5), strict=True):
        np.testing.assert_array_equal(one.units, other.units // 3)
        edges = np.flatnonzero(np.diff(one.units, prepend=-1, append=-1))
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            parts = np.bincount(other.units[first:last] % 3, minlength=3)
            pause = one.units[first] == 0
            assert parts.tolist()[0] == last - first if pause else np.ptp(parts) <= 1
    with pytest.raises(ValueError, match="--num_states=0: expected 1 to 100"):
        loaded("embedded:1:2", num_states=0)
    with pytest.raises(ValueError, match="--peak=2: expected 0"):
        loaded("embedded:1:2", peak=2)
    short = next(cut.examples("test")).cut(100)
    assert len(short.waveform) == len(short.units) == 100


def test_a_network_of_other_speakers_or_units_is_refused():
    found = loaded("embedded:1:2")
    assert found.for_names(found.speakers, found.units, "runs/x") is found
    with pytest.raises(ValueError, match="--data has other speakers than runs/x: speaker 1"):
        found.for_names(["speaker 0"], found.units, "runs/x")
    with pytest.raises(ValueError, match="--data has other units than runs/x: the order"):
        found.for_names(found.speakers, found.units[::-1], "runs/x")


@pytest.mark.parametrize(
    "how, told",
    [
        ({"sample_rate": 10}, "--sample_rate=10: expected 1,000 to 192,000 Hz"),
        ({"batch_size": 0}, "--batch_size=0"),
        ({"context": 1000}, "--window=1000 samples: expected more than the 1000 before .* receptive field"),
        ({"window": 0}, "--window=0"),
        ({"held_out": 0.5}, "--held_out=0.5: expected a share between 0 and 0.5"),
        ({"held_out_speakers": -1}, "--held_out_speakers=-1"),
        ({"trim": 0.3}, "--trim=0.3: expected 0 .nothing. or a share below 0.3"),
        ({"window": 1 << 40}, "A batch of --batch_size=4 windows of --window=.* would take"),
        ({"names": "{speaker}_{take}"}, "--names={speaker}_{take} is for --data=folder:FOLDER"),
    ],
)
def test_settings_that_cannot_be(how, told):
    with pytest.raises(ValueError, match=told):
        loaded("embedded:1", **how)


def test_too_few_recordings(tmp_path):
    takes(tmp_path, units="x", each=2)
    with pytest.raises(ValueError, match="the validation part is empty: a speaker needs 3 recordings.*There are 4 rec"):
        loaded(f"fsdd:{tmp_path}")


@pytest.mark.parametrize("how", ["silent", "cut in the middle", "no numbers"])
def test_a_file_that_cannot_be_used_is_named_and_skipped_when_asked(tmp_path, how):
    paths = takes(tmp_path)
    if how == "silent":
        write(paths[5], np.zeros(2000))
    elif how == "no numbers":
        write(paths[5], np.full(2000, np.inf), subtype="FLOAT")
    else:  # a header that is whole, of samples that are not there
        flac = write(tmp_path / "x_a_77.flac", noise(50000))
        flac.write_bytes(flac.read_bytes()[:30000])
        paths[5] = flac
    with pytest.raises(ValueError, match=f"{paths[5].name}.*Mend or remove it, or .* --skip_corrupt"):
        loaded(f"fsdd:{tmp_path}")
    found = loaded(f"fsdd:{tmp_path}", skip_corrupt=True)
    assert len(found.skipped) == 1 and paths[5].name in found.skipped[0]
    assert paths[5].name not in str(found.parts)


def test_a_folder_of_silence_is_refused(tmp_path):
    for number in range(4):
        write(tmp_path / f"{number}.wav", np.zeros(2000))
    for skip in (False, True):
        with pytest.raises(ValueError, match="0.wav holds nothing but silence"):
            loaded(f"folder:{tmp_path}", skip_corrupt=skip)


def test_damage_that_only_a_batch_meets_is_named(tmp_path, streamed):
    paths = takes(tmp_path)
    found = loaded(f"fsdd:{tmp_path}")
    path = found.parts["test"][0].path
    with open(path, "r+b") as file:
        file.truncate(1000)
    with pytest.raises(Exception, match=f"{path}.*cut short"):
        batches(found.splits.test)
    assert len(paths) == 16


def vctk(folder, hours):
    """Recordings of 36 s at 48 kHz, each a link to one file: so many hours that they take no room."""
    sound = write(folder / "sound.wav", noise(36 * 48000), 48000)
    for number in range(round(hours * 100)):
        path = folder / "wav48" / f"p{number % 29:03}" / f"{number:05}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(sound)
    return f"vctk:{folder}"


@pytest.mark.parametrize("hours", [4, pytest.param(44, marks=pytest.mark.slow)])
def test_vctks_44_hours_are_streamed(tmp_path, hours):
    source = vctk(tmp_path, hours)
    tracemalloc.start()
    try:
        found = load(source, sample_rate=16000, window=16000, batch_size=8, context=1023)
        assert sum(clip.length for clip in found.parts["train"]) > 0.6 * hours * 3600 * 16000
        for step in (0, 500, 1000):
            batch = next(found.splits.train.dataset(start_step=step).take(1).as_numpy_iterator())
            assert np.abs(batch["audio"]).max() > 0.05
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100e6  # of what Python and NumPy hold; TensorFlow's own half gigabyte beside it
