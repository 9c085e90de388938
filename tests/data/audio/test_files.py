import io
import os
import pathlib
import subprocess
import sys
import tarfile
import wave

import numpy as np
import pytest
import soundfile

from toolkit.data.audio import files
from toolkit.data.audio.files import decode

ROOT = pathlib.Path(__file__).resolve().parents[2]
RATE = 16000


def waveform(channels=2):
    """A second of a tone and a little noise."""
    random = np.random.default_rng(0)
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    return (tone[:, None] / np.arange(1, channels + 1) + 0.01 * random.standard_normal((RATE, channels))).astype("f4")


def encoded(samples, container, subtype=None):
    file = io.BytesIO()
    soundfile.write(file, samples, RATE, format=container, subtype=subtype)
    return file.getvalue()


def wav(samples):
    """16-bit WAV as the standard library writes it, and the numbers in it."""
    file, integers = io.BytesIO(), np.round(samples * 32767).astype("<i2")
    with wave.open(file, "wb") as writer:
        writer.setparams((samples.shape[1], 2, RATE, 0, "NONE", None))
        writer.writeframes(integers.tobytes())
    return file.getvalue(), integers.astype("float32") / 32768


@pytest.mark.parametrize("channels", [1, 2])
def test_wav_is_exact(channels):
    content, expected = wav(waveform(channels))
    samples, rate = decode(content)
    assert rate == RATE and samples.dtype == np.float32
    np.testing.assert_array_equal(samples, expected)


# Half a step of as many bits; for float, of float32's mantissa.
@pytest.mark.parametrize(
    ("container", "subtype", "bits"),
    [("WAV", "PCM_U8", 8), ("WAV", "PCM_24", 24), ("WAV", "PCM_32", 24), ("WAV", "FLOAT", 24), ("WAV", "DOUBLE", 24)]
    + [("FLAC", "PCM_S8", 8), ("FLAC", "PCM_16", 16), ("FLAC", "PCM_24", 24)],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_lossless_formats_are_exact_to_their_bits(container, subtype, bits, channels):
    step = 2.0 ** (1 - bits)
    original = waveform(channels)
    exact = np.round(original / step) * step  # so that nothing is left to the encoder's rounding
    samples, rate = decode(encoded(exact.astype("float32"), container, subtype))
    assert rate == RATE and samples.dtype == np.float32
    np.testing.assert_allclose(samples, exact, atol=step / 100)


@pytest.mark.parametrize(("container", "subtype"), [("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS")])
@pytest.mark.parametrize("channels", [1, 2])
def test_lossy_formats_are_near(container, subtype, channels):
    # A tone without noise, faded in and out: what is left is the codec's error.
    original = waveform(channels)
    original[:] = np.sin(np.pi * np.arange(RATE) / RATE)[:, None] * original
    samples, rate = decode(encoded(original, container, subtype))
    assert (rate, samples.dtype, samples.shape) == (RATE, np.float32, original.shape)
    for mine, its in zip(samples.T, original.T, strict=True):
        assert np.corrcoef(mine, its)[0, 1] > 0.99
    assert np.sqrt(np.mean(np.square(samples - original))) < 0.03


@pytest.mark.parametrize("container", ["FLAC", "MP3", "OGG"])
def test_both_decoders_give_the_same(container, monkeypatch):
    content = encoded(waveform(), container)
    expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    for native in {False, files.has_native_decoders()}:
        monkeypatch.setattr(files, "has_native_decoders", lambda native=native: native)
        np.testing.assert_allclose(decode(content)[0], expected, atol=1e-6)


def test_native_decoders_are_those_of_tensorflow_2_16():
    import tensorflow as tf

    on_2_16 = tf.__version__.startswith("2.16.") and sys.version_info < (3, 13) and sys.platform == "linux"
    assert files.has_native_decoders() == on_2_16


FORMATS = [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("FLAC", None), ("MP3", None), ("OGG", "VORBIS"), ("OGG", "OPUS")]


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
@pytest.mark.parametrize("part", [0.003, 0.5, 0.97, 0.9999])
def test_cut_short_is_an_error_that_names_the_file(container, subtype, part, tmp_path):
    content = encoded(waveform(), container, subtype)
    path = tmp_path / "speech.audio"
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"speech.audio: .*(damaged|not a WAV)"):
        decode(path)


def test_changed_bytes_in_flac_are_an_error():
    content = bytearray(encoded(waveform(), "FLAC"))
    content[len(content) // 2 : len(content) // 2 + 50] = bytes(50)
    with pytest.raises(ValueError, match=r"\d+ bytes of audio: the FLAC file is damaged"):
        decode(bytes(content))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"\xff", b"speech, but as text", bytes(1000)])
def test_what_is_no_audio_is_an_error_that_names_the_file(content, tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="speech.wav(: not a WAV, FLAC, MP3 or OGG file| is empty)"):
        decode(str(path))


def test_no_samples_and_no_file(tmp_path):
    with pytest.raises(ValueError, match="0 bytes of audio: the file is empty"):
        decode(b"")
    with pytest.raises(ValueError, match="bytes of audio: the WAV file has no samples"):
        decode(wav(waveform()[:0])[0])
    with pytest.raises(FileNotFoundError, match="speech.wav"):
        decode(tmp_path / "speech.wav")


@pytest.mark.slow
def test_is_silent_and_leaves_tensorflows_log_alone():
    """Neither import, decoders nor file prints or warns, and what TensorFlow has to say is still shown after."""
    program = """
import os, sys, warnings
warnings.simplefilter("error")
from toolkit.data.audio import files
assert "tensorflow" not in sys.modules
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import tensorflow as tf
filters, level, variable = list(warnings.filters), tf.get_logger().level, os.environ.get("TF_CPP_MIN_LOG_LEVEL")
os.write(2, b"== begins\\n")
files.has_native_decoders()
files.decode(sys.stdin.buffer.read())
os.write(2, b"== ends\\n")
assert (filters, level, variable) == (
    warnings.filters, tf.get_logger().level, os.environ.get("TF_CPP_MIN_LOG_LEVEL")
)
os.write(2, b"shown")
"""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "0"}
    answer = subprocess.run(
        [sys.executable, "-c", program],
        input=encoded(waveform(), "FLAC"),
        env=environment,
        capture_output=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr.decode()
    assert answer.stdout == b""
    assert answer.stderr.endswith(b"== begins\n== ends\nshown"), answer.stderr.decode()


def test_works_without_tensorflow_io(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_io", None)
    files.has_native_decoders.cache_clear()
    try:
        assert not files.has_native_decoders()
        assert decode(encoded(waveform(), "FLAC"))[0].shape == (RATE, 2)
    finally:
        files.has_native_decoders.cache_clear()


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_parts_are_those_of_the_whole(container, subtype, tmp_path):
    path = tmp_path / "speech.audio"
    path.write_bytes(encoded(waveform(), container, subtype))
    whole, rate = decode(path)
    assert files.header(path) == (len(whole), rate, 2)
    for start, stop in ((0, 10), (5000, 9000), (len(whole) - 100, len(whole))):
        np.testing.assert_allclose(files.read_part(path, start, stop), whole[start:stop], atol=1e-6)
    with pytest.raises(ValueError, match="speech.audio.* it ends at "):
        files.read_part(path, len(whole) - 10, len(whole) + 10)


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("OGG", "VORBIS")])
@pytest.mark.parametrize("part", [0.003, 0.5, 0.9999])
def test_headers_of_what_is_cut_short(container, subtype, part, tmp_path):
    content = encoded(waveform(), container, subtype)
    path = tmp_path / "speech.audio"
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises(ValueError, match=r"speech.audio: the \w+ file cannot be read: (it is cut short|not a WAV)"):
        files.header(path)


def test_a_part_of_a_long_file_is_read_alone(tmp_path):
    """Four gigabytes of holes, but for the header: what is read is where it is asked for."""
    path, size = tmp_path / "long.wav", (1 << 32) - 1000
    content = bytearray(encoded(waveform(1)[:10], "WAV", "PCM_16"))
    header = (
        bytes(content[:4]) + (size - 8).to_bytes(4, "little") + bytes(content[8:40]) + (size - 44).to_bytes(4, "little")
    )
    with open(path, "wb") as file:
        file.write(header)
        file.truncate(size)
        file.seek(44 + 2 * 1_000_000_000)
        file.write(np.array([16384, -16384], "<i2").tobytes())
    assert files.header(path).num_samples == (size - 44) // 2
    found = files.read_part(path, 999_999_999, 1_000_000_003)
    np.testing.assert_array_equal(found[:, 0], [0, 0.5, -0.5, 0])


def test_names_that_are_no_text(tmp_path):
    path = os.path.join(os.fsencode(tmp_path), b"caf\xe9.wav")
    with open(path, "wb") as file:
        file.write(encoded(waveform(1), "WAV", "PCM_16"))
    assert files.header(os.fsdecode(path)).num_samples == RATE


def test_real_speech(test_data):
    """A file of the Free Spoken Digit Dataset: 8 kHz, one channel, 16 bits."""
    with tarfile.open(test_data / "fsdd" / "fsdd.tar.xz") as archive:
        first = next(member for member in archive if member.isfile())
        content = archive.extractfile(first).read()
    with wave.open(io.BytesIO(content)) as reader:
        expected = np.frombuffer(reader.readframes(reader.getnframes()), "<i2") / 32768
    samples, rate = decode(content)
    assert rate == 8000 and np.abs(samples).max() > 0.01
    np.testing.assert_array_equal(samples[:, 0], expected.astype("float32"))
