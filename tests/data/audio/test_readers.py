import os

import numpy as np
import pytest

from tests.data.audio.sounds import noise, takes, write
from toolkit.data import sources
from toolkit.data.audio.readers import READERS, sniff


def found(source, sample_rate=8000, skip_corrupt=False, names=""):
    reader, rest = sources.parse(source, READERS, sniff)
    return READERS[reader](rest, sample_rate=sample_rate, seed=0, names=names, skip_corrupt=skip_corrupt)


def said(clip):
    return None if clip.segments is None else clip.segments.units


def test_embedded():
    clips = found("embedded:0.3:3").clips
    assert {clip.speaker for clip in clips} == {"speaker 0", "speaker 1", "speaker 2"}
    assert sum(clip.length for clip in clips) >= 0.3 * 60 * 8000
    for clip in clips:
        assert clip.segments.ends[-1] == clip.length / 8000 and clip.waveform is not None
    assert len(found("embedded:0.3:3", sample_rate=16000).clips[0].waveform) > 1.9 * clips[0].length
    for rest in ("x", "0.01", "1:0", "1:2:3", "7000", "1e9", "1:9999"):
        with pytest.raises(ValueError, match="--data=embedded:.*: expected a number of minutes"):
            found(f"embedded:{rest}")
    with pytest.raises(ValueError, match="--sample_rate=96000: the embedded speech is made at 4,000 to 48,000 Hz"):
        found("embedded:1", sample_rate=96000)


def test_folders_are_speakers_and_files_beside_say_the_units(tmp_path):
    for name in ("ann", "bob"):
        for kind in ("wav", "FLAC", "ogg", "mp3"):
            write(tmp_path / name / "day" / f"{kind}.{kind}", noise(4000))
            (tmp_path / name / "day" / f"{kind}.txt").write_text("0.0 0.2 x\n0.2 0.4 y\n")
    write(tmp_path / ".hidden" / "x.wav", noise(100))
    (tmp_path / "ann" / "notes.pdf").write_bytes(b"x")
    os.symlink(tmp_path / "bob", tmp_path / "again")
    here = found(f"folder:{tmp_path}")
    assert [clip.speaker for clip in here.clips] == ["ann"] * 4 + ["bob"] * 4
    assert all(said(clip) == ("x", "y") for clip in here.clips)
    assert [told.split("/")[-1] for told in here.left_out] == ["again (a link to a folder)", "notes.pdf (no recording)"]
    # A folder of files alone has one speaker; what is said, as words, is no alignment.
    for path in (tmp_path / "ann" / "day").glob("*.txt"):
        path.write_text("Please call Stella.\n")
    alone = found(f"folder:{tmp_path / 'ann' / 'day'}").clips
    assert {clip.speaker for clip in alone} == {"speaker"} and {said(clip) for clip in alone} == {None}


def test_names_say_what_a_path_is(tmp_path):
    takes(tmp_path / "deep")
    clips = found(f"folder:{tmp_path}", names="{unit}_{speaker}_{take}").clips
    assert {(clip.speaker, *said(clip)) for clip in clips} == {(s, u) for s in "ab" for u in "xy"}
    assert all(clip.segments.ends[0] == clip.length / 8000 for clip in clips)
    fsdd = found(f"fsdd:{tmp_path}").clips
    assert [(clip.path, clip.speaker, said(clip)) for clip in fsdd] == [
        (clip.path, clip.speaker, said(clip)) for clip in clips
    ]
    only = found(f"folder:{tmp_path}", names="{speaker}_{a}_{b}").clips
    assert {clip.speaker for clip in only} == {"x", "y"} and said(only[0]) is None
    nested = found(f"folder:{tmp_path}", names="{speaker}/{take}").clips
    assert {clip.speaker for clip in nested} == {"deep"}
    for names in ("{take}", "{speaker}{speaker}", "speaker", "{speaker"):
        with pytest.raises(ValueError, match="--names=.*: expected a name such as"):
            found(f"folder:{tmp_path}", names=names)
    write(tmp_path / "other.wav", noise(100))
    with pytest.raises(ValueError, match="other.wav is not named as --names={unit}_{speaker}_{take} says"):
        found(f"fsdd:{tmp_path}")


def test_vctk(tmp_path):
    for name in ("p225", "p226"):
        for take in ("001", "002"):
            write(tmp_path / "wav48_silence_trimmed" / name / f"{name}_{take}_mic1.flac", noise(3000), 48000)
            write(tmp_path / "wav48_silence_trimmed" / name / f"{name}_{take}_mic2.flac", noise(3000), 48000)
    write(tmp_path / "wav48_silence_trimmed" / "p226" / "p226_009_mic2.flac", noise(3000), 48000)
    (tmp_path / "txt" / "p225").mkdir(parents=True)
    (tmp_path / "txt" / "p225" / "p225_001.txt").write_text("Please call Stella.\n")
    for source in (f"vctk:{tmp_path}", str(tmp_path), f"vctk:{tmp_path / 'wav48_silence_trimmed'}"):
        here = found(source)
        assert [clip.speaker for clip in here.clips] == ["p225"] * 2 + ["p226"] * 3
        assert len(here.left_out) == 4 and "mic2.flac (the same as its _mic1)" in here.left_out[0]
    write(tmp_path / "wav48_silence_trimmed" / "lone.wav", noise(100))
    with pytest.raises(ValueError, match="lone.wav: expected wav48_silence_trimmed/SPEAKER/lone.wav"):
        found(f"vctk:{tmp_path}")
    (tmp_path / "wav48").mkdir()
    with pytest.raises(ValueError, match="expected one folder wav48.*got wav48, wav48_silence_trimmed"):
        found(f"vctk:{tmp_path}")


def emodb(folder, phones=(("0.10", "a"), ("0.30", "!t"), ("0.45", "."))):
    for name in ("03a01Fa", "08a01Wb"):
        write(folder / "wav" / f"{name}.wav", noise(8000), 16000)
        (folder / "lablaut").mkdir(exist_ok=True)
        lines = "".join(f" {time}  -1 {phone}\n" for time, phone in phones)
        (folder / "lablaut" / f"{name}xx.lablaut").write_text(f"type 0\n#\n{lines}")


def test_emodb(tmp_path):
    emodb(tmp_path)
    write(tmp_path / "wav" / "09a01Fa.wav", noise(8000), 16000)
    here = found(str(tmp_path), sample_rate=16000)
    assert [(clip.speaker, said(clip)) for clip in here.clips] == [("03", ("a", "t")), ("08", ("a", "t"))]
    assert here.left_out == [f"{tmp_path}/wav/09a01Fa.wav (without phones in lablaut)"] and not here.notes
    # Recordings that were shortened keep the phones within.
    emodb(tmp_path, (("0.10", "a"), ("0.55", "b"), ("0.70", ".")))
    here = found(f"emodb:{tmp_path}")
    assert said(here.clips[0]) == ("a",) and here.clips[0].segments.ends[-1] == 0.5
    assert here.notes == ["2 of 2 recordings end before their phones do: the rest is left out"]
    emodb(tmp_path, (("0.60", "a"), ("0.70", ".")))
    with pytest.raises(ValueError, match="03a01Faxx.lablaut: 'a' ends at 0.700 s, but 03a01Fa.wav is 0.500 s long"):
        found(f"emodb:{tmp_path}")
    with pytest.raises(ValueError, match="expected a folder with lablaut"):
        found(f"emodb:{tmp_path / 'wav'}")


def test_alignments_beyond_the_end_and_missing_ones(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.wav", noise(4000))
        (tmp_path / f"{name}.txt").write_text("0 2000 x\n2000 4000 y\n")
    (tmp_path / "b.txt").write_text("0 2000 x\n2000 9000 y\n")
    with pytest.raises(ValueError, match=r"b.txt: 'y' ends at 1.125 s, but b.wav is 0.500 s long.*--skip_corrupt"):
        found(f"folder:{tmp_path}")
    here = found(f"folder:{tmp_path}", skip_corrupt=True)
    assert len(here.clips) == 2 and "b.txt" in here.skipped[0]
    (tmp_path / "b.txt").unlink()
    with pytest.raises(ValueError, match="b.txt is missing, or has no lines of .* 2 of 3 recordings have .*--skip_cor"):
        found(f"folder:{tmp_path}")
    assert len(found(f"folder:{tmp_path}", skip_corrupt=True).clips) == 2


def test_a_corrupt_file_is_named_and_left_out_only_when_asked(tmp_path):
    paths = takes(tmp_path)
    paths[3].write_bytes(paths[3].read_bytes()[:1000])
    with pytest.raises(ValueError, match=f"{paths[3].name}.*cut short.*--skip_corrupt"):
        found(f"fsdd:{tmp_path}")
    here = found(f"fsdd:{tmp_path}", skip_corrupt=True)
    assert len(here.clips) == len(paths) - 1 and len(here.skipped) == 1 and str(paths[3]) in here.skipped[0]


@pytest.mark.parametrize("reader", ["folder", "fsdd", "vctk", "emodb"])
def test_paths_that_are_none(reader, tmp_path):
    with pytest.raises(ValueError, match=f"--data={reader}: its folder is missing"):
        found(f"{reader}:")
    with pytest.raises(FileNotFoundError, match="no such folder"):
        found(f"{reader}:{tmp_path / 'none'}")
    path = write(tmp_path / "a.wav", noise(10))
    with pytest.raises(ValueError, match="is no folder. Unpack what is packed"):
        found(f"{reader}:{path}")
    if reader in ("folder", "fsdd"):
        (tmp_path / "empty").mkdir()
        with pytest.raises(ValueError, match="holds no recording that can be read"):
            found(f"{reader}:{tmp_path / 'empty'}")


def test_paths_tell_their_reader(tmp_path):
    assert sniff(tmp_path) == "folder" and sniff(tmp_path / "none") is None
    (tmp_path / "wav48").mkdir()
    assert sniff(tmp_path) == sniff(tmp_path / "wav48") == "vctk"
    (tmp_path / "lablaut").mkdir()
    assert sniff(tmp_path) == "emodb"


@pytest.mark.slow
def test_real_recordings(test_data, tmp_path):
    import tarfile

    with tarfile.open(test_data / "fsdd" / "fsdd.tar.xz") as archive:
        archive.extractall(tmp_path / "fsdd", filter="data")
    clips = found(f"fsdd:{tmp_path / 'fsdd'}").clips
    assert len(clips) == 3000 and len({(clip.speaker, *said(clip)) for clip in clips}) == 60
    with tarfile.open(test_data / "more" / "emodb_flac16k.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    here = found(str(tmp_path / "emodb"), sample_rate=16000)
    phones = {phone for clip in here.clips for phone in said(clip)}
    assert len(here.clips) > 525 and len({clip.speaker for clip in here.clips}) == 10 and 40 < len(phones) < 60
    assert np.mean([len(said(clip)) for clip in here.clips]) > 10
