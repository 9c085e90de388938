"""Sounds: every damage of every kind of file, and headers that say what cannot be."""

import os
import struct

import pytest

from tests.faults import samples
from tests.faults.hostile import DAMAGES, check_answer, table, unchanged
from toolkit.data import audio
from toolkit.data.audio import clips, files
from toolkit.files import limits


def damaged():
    for kind, make in samples.AUDIO.items():
        for damage in DAMAGES:
            yield f"{kind}: {damage}", make, damage


def in_part(path):
    """Reads a file as one is that memory has no room for: its header, then the end of it."""
    num_samples = files.header(path).num_samples
    files.read_part(path, max(0, num_samples - 100), num_samples)


@pytest.mark.parametrize("read", [files.decode, in_part])
@pytest.mark.parametrize("make, damage", table(damaged()))
def test_damaged(make, damage, read, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = make(tmp_path).files[0]
    DAMAGES[damage](path)
    with unchanged(tmp_path):
        check_answer(lambda: read(path), [path.name])


def wav(channels=1, rate=8000, bits=16, kind=1, data=bytes(4000), says=None, riff=None):
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", kind, channels, rate, min(rate * block, 2**32 - 1), block % 65536, bits)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(data) if says is None else says) + data
    return b"RIFF" + struct.pack("<I", len(chunks) + 4 if riff is None else riff) + b"WAVE" + chunks


def flac(tmp_path, total=None, constant=False, rate=None):
    import io

    import numpy as np
    import soundfile

    file = io.BytesIO()
    signal = np.zeros((2_000_000, 8)) if constant else np.sin(np.arange(8000) / 9)[:, None]
    soundfile.write(file, signal, 8000, format="FLAC")
    content = bytearray(file.getvalue())
    # STREAMINFO: 20 bits of rate, 3 of channels, 5 of bits, 36 of samples, from byte 18 on (RFC 9639, section 8.2).
    fields = int.from_bytes(content[18:26], "big")
    if total is not None:
        fields = fields >> 36 << 36 | total
    if rate is not None:
        fields = fields & (1 << 44) - 1 | rate << 44
    content[18:26] = fields.to_bytes(8, "big")
    return bytes(content)


ROWS = [
    ("a data chunk of 4 GB", lambda _: wav(says=2**32 - 1), ""),
    ("a file of 4 GB by its header", lambda _: wav(riff=2**32 - 9), "cut short"),
    ("a data chunk of 4 GB, of floats", lambda _: wav(kind=3, bits=32, says=2**32 - 1), ""),
    ("no channels", lambda _: wav(channels=0), "is damaged"),
    ("no channels, of 8 bits", lambda _: wav(channels=0, bits=8), "is damaged"),
    ("65535 channels", lambda _: wav(channels=65535, data=bytes(65535 * 2 * 3)), "is damaged"),
    ("65535 channels, of floats", lambda _: wav(channels=65535, bits=32, kind=3), "is damaged"),
    ("1024 channels", lambda _: wav(channels=1024, bits=32, kind=3, data=bytes(1024 * 4 * 5)), "works"),
    ("no rate", lambda _: wav(rate=0), "0 samples a second"),
    ("no rate, of 24 bits", lambda _: wav(rate=0, bits=24, data=bytes(3000)), ""),
    ("a rate of 4 GHz", lambda _: wav(rate=2**32 - 1), "is damaged"),
    ("a rate of 2 GHz, of floats", lambda _: wav(rate=2**31 - 1, kind=3, bits=32), "samples a second"),
    ("a rate of 1 Hz", lambda _: wav(rate=1), "works"),
    ("no bits", lambda _: wav(bits=0), "is damaged"),
    ("65535 bits", lambda _: wav(bits=65535), "is damaged"),
    ("a kind that nobody knows", lambda _: wav(kind=0x7777, bits=32), "is damaged"),
    ("no data", lambda _: wav(data=b""), "has no samples"),
    ("half a sample", lambda _: wav(data=bytes(3)), ""),
    ("chunks within chunks", lambda _: wav(data=wav(data=wav())), "works"),
    ("FLAC of 2**36 samples", lambda path: flac(path, total=2**36 - 1), "would take 256.0 GB"),
    ("FLAC of one sample, and more in it", lambda path: flac(path, total=1), ""),
    ("FLAC that knows no length", lambda path: flac(path, total=0), "does not say how long it is"),
    ("FLAC without a rate", lambda path: flac(path, rate=0), ""),
    ("an ID3 tag of 256 MB", lambda _: b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f" + bytes(1000), "is damaged"),
    ("an ID3 tag and nothing else", lambda _: b"ID3\x04\x00\x00\x00\x00\x00\x00", "is damaged"),
    ("frames of MP3 without content", lambda _: b"\xff\xfb\x90\x64" * 5000, ""),
    ("OGG pages without content", lambda _: (b"OggS\x00\x04" + bytes(20) + b"\x00") * 2000, "is damaged"),
]


@pytest.mark.parametrize("make, expected", table(ROWS))
def test_headers(make, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = samples.write(tmp_path / "sound.wav", make(tmp_path))
    check_answer(lambda: files.decode(path), [path.name], expected)


@pytest.mark.parametrize("make, expected", table(ROWS))
def test_headers_read_alone(make, expected, tmp_path, monkeypatch):
    """What a header says is refused before a sample is read; what is only in the samples is met when they are."""
    monkeypatch.chdir(tmp_path)
    path = samples.write(tmp_path / "sound.wav", make(tmp_path))
    check_answer(lambda: in_part(path), [path.name], "works" if expected == "works" else "")


def named(names):
    def read(folder):
        for name in ("a,b.wav", "c.wav"):
            samples.write(folder / name, wav(data=bytes(range(250)) * 12))
        samples.write(folder / "damaged.wav", wav(channels=0))
        samples.write(folder / "words.wav", b"no sound")
        (folder / "d").mkdir()
        os.mkfifo(folder / "pipe.wav")
        clips.read_named(names, 8000, "--recordings")

    return read


NAMED = [
    ("a name with a comma", named("a,b.wav"), "works"),
    ("names with a comma among others", named("c.wav,a,b.wav, c.wav,"), "works"),
    ("commas alone", named(",,,"), "--recordings=,,,: expected paths"),
    ("no such recording", named("c.wav,e.wav"), "--recordings: e.wav: no such file"),
    ("a damaged one", named("c.wav,damaged.wav"), "--recordings: "),
    ("words", named("words.wav"), "--recordings: "),
    ("a folder", named("d"), "--recordings: d is a folder"),
    ("a pipe", named("pipe.wav"), "--recordings: pipe.wav is a pipe"),
    ("a device", named("/dev/zero"), "--recordings: /dev/zero is a pipe or a device"),
    ("a recording of nobody", named("~nosuchuser/a.wav"), "--recordings: ~nosuchuser"),
    ("a recording of a zero byte", named("a\0.wav"), "--recordings: "),
    ("a recording of a long name", named("a" * 300), "--recordings: "),
    ("ten thousand commas", named("x," * 10_000), "--recordings: x: no such file"),
]


@pytest.mark.parametrize("read, expected", table(NAMED))
def test_named(read, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_answer(lambda: read(tmp_path), ["--recordings"], expected)


ALIGNMENTS = [
    ("of a longer recording", b"0 1000 x\n1000 9000 y\n", "'y' ends at 1.125 s, but 3.wav is 0.188 s long"),
    ("of a million years", b"0 1000 x\n1000 999999999999999 y\n", "'y' ends at "),
    ("that goes backward", b"500 1000 x\n0 500 y\n", "'x' ends after the next one starts"),
    ("of negative times", b"0 10 x\n-10 500 y\n", "line 2: expected start, end and unit"),
    ("of no numbers", b"0 10 x\ninf nan y\n", "line 2: expected start, end and unit"),
    ("of numbers of a thousand digits", b"0 10 x\n" + b"9" * 1000 + b" 9 y\n", "line 2: expected"),
    ("of a name of a megabyte", b"0 1000 " + b"y" * (1 << 20), "line 1: expected"),
    ("of many units", b"".join(b"%d %d x\n" % (i, i + 1) for i in range(20_000)), "'x' ends at "),
    ("of megabytes", b"0 1000 x\n" * (1 << 19), "would take 4.5 MB"),
    ("of bytes", bytes(range(256)), "is not UTF-8"),
]


@pytest.mark.parametrize("content, expected", table(ALIGNMENTS, tenth=3))
def test_alignments(content, expected, tmp_path):
    for number in range(8):
        samples.write(tmp_path / f"{number}.wav", wav(data=bytes(range(250)) * 12))
        samples.write(tmp_path / f"{number}.txt", b"0 1000 x\n1000 1500 y\n")
    samples.write(tmp_path / "3.txt", content)
    load = lambda **how: audio.load(f"folder:{tmp_path}", sample_rate=8000, window=500, batch_size=4, **how)  # noqa: E731
    check_answer(load, ["3.txt"], expected)
    assert len(load(skip_corrupt=True).skipped) == 1


@pytest.mark.slow
def test_a_bomb_of_flac(tmp_path, monkeypatch):
    """Silence is packed to nothing: what comes out is bounded by the header, beyond which nothing comes."""
    monkeypatch.setattr(files, "_BOUND", 32 * limits.MIB)
    for total, expected in ((None, "it would take 61.0 MB"), (1000, "")):
        path = samples.write(tmp_path / "sound.flac", flac(tmp_path, constant=True, total=total))
        assert path.stat().st_size < limits.MIB
        check_answer(lambda path=path: files.decode(path), [path.name], expected, megabytes=100)
