"""Audio files as waveforms, whole or in part: WAV, FLAC, MP3 and OGG; the one module that uses tensorflow-io.

FLAC, MP3 and OGG Vorbis go through tensorflow-io where its native library loads, which is on TensorFlow 2.16, and
through soundfile (libsndfile) elsewhere; both give the same samples. 16-bit WAV goes through TensorFlow, every other
kind of WAV, and OGG Opus, through soundfile.
"""

import contextlib
import functools
import io
import os
import tempfile
import warnings
from typing import NamedTuple

import numpy as np

from toolkit.files import binary, limits
from toolkit.lazy import tensorflow as tf
from toolkit.silence import silenced

# Bytes that a file, and what is decoded of it, may take.
_BOUND = limits.GIB
_HIGHEST_RATE, _MOST_CHANNELS = 1_000_000, 1024
_UNKNOWN = 1 << 62
_EXPECTED = "a WAV, FLAC, MP3 or OGG file"
# What a WAV can hold; the others are looked through when they are opened, which takes time in proportion.
_LARGEST = 4 * limits.GIB
_LAST_PAGE = 1 << 17  # bytes that an OGG file's last page lies in


class Header(NamedTuple):
    """What an audio file says of itself.

    Args:
        num_samples: Of each channel.
        sample_rate: In Hz.
        num_channels: 1, or 2 for stereo.
    """

    num_samples: int
    sample_rate: int
    num_channels: int


def header(path: str | os.PathLike) -> Header:
    """Reads how long an audio file is, without decoding it; that it is cut short is noticed in WAV and OGG.

    Args:
        path: The file, told by its content.

    Returns:
        What it says.

    Raises:
        FileNotFoundError, ValueError, OSError: As in `decode`.
    """
    with _opened(path) as file:
        return Header(file.frames, file.samplerate, file.channels)


def read_part(path: str | os.PathLike, start: int, stop: int) -> np.ndarray:
    """Reads samples from the middle of an audio file, and no more of it than its format makes necessary.

    Args:
        path: The file.
        start: The first sample.
        stop: The one after the last.

    Returns:
        float32 (stop - start, channels), from -1 to 1.

    Raises:
        FileNotFoundError, ValueError, OSError: As in `decode`; also where the file ends before `stop`.
    """
    with _opened(path) as file:
        limits.check(4 * file.channels * (stop - start), f"{os.fspath(path)}: a part of it", _BOUND)
        file.seek(start)
        waveform = file.read(stop - start, dtype="float32", always_2d=True)
        if len(waveform) != stop - start:
            raise ValueError(f"samples {start} to {stop} were asked for, but it ends at {start + len(waveform)}.")
        return waveform


@contextlib.contextmanager
def _opened(path):
    """An open `soundfile.SoundFile` of a file that is plain; what goes wrong inside names the file."""
    import soundfile

    kind = None
    try:
        with binary.opened(path, _EXPECTED) as content:
            first, size = os.pread(content.fileno(), 64, 0), os.fstat(content.fileno()).st_size
            kind = _kind(first)
            if kind is None:
                raise ValueError("not a WAV, FLAC, MP3 or OGG file.")
            limits.check(size, "it", _LARGEST if kind == "WAV" else _BOUND)
            if kind == "WAV" and int.from_bytes(first[4:8], "little") + 8 > size:
                raise ValueError("it is cut short.")
            if kind.startswith("OGG") and not _has_last_page(
                os.pread(content.fileno(), _LAST_PAGE, max(0, size - _LAST_PAGE))
            ):
                raise ValueError("it is cut short.")
            # By its number, not its name: that may be bytes which are no text.
            with soundfile.SoundFile(content.fileno(), closefd=False) as file:
                if not 0 < file.channels <= _MOST_CHANNELS:
                    raise ValueError(f"it says {file.channels} channels; expected 1 to {_MOST_CHANNELS}.")
                if not 0 < file.samplerate <= _HIGHEST_RATE:
                    raise ValueError(f"it says {file.samplerate} samples a second; expected 1 to {_HIGHEST_RATE:,}.")
                if file.frames >= _UNKNOWN:
                    raise ValueError("it does not say how long it is, as what is written to a pipe.")
                if not file.frames:
                    raise ValueError("it has no samples.")
                yield file
    except (ValueError, RuntimeError) as error:  # soundfile's errors are of the second kind
        told = str(error)
        if os.fspath(path) in told:
            raise
        reason = (getattr(error, "error_string", told).splitlines() or [type(error).__name__])[0][:300]
        raise ValueError(f"{os.fspath(path)}: the {kind or 'audio'} file cannot be read: {reason}") from error


def decode(source: str | os.PathLike | bytes) -> tuple[np.ndarray, int]:
    """Decodes an audio file, told by its content, whatever its name.

    Damage is noticed where the format lets it be: a file that is cut short always is, bytes that were changed inside
    are in FLAC, and in MP3 and OGG where samples went missing.

    Args:
        source: A path, or the file's content.

    Returns:
        The waveform, float32 of shape (samples, channels) from -1 to 1, such as (16000, 1) for a second of speech; and
        its sample rate in Hz, such as 16000.

    Raises:
        FileNotFoundError: Where the path does not exist.
        ValueError: Where the file is empty, not one of the formats, damaged, or without samples, or would take more
            memory than is allowed; it names the file.
        OSError: Where the system refuses.

    Example:

    >>> import wave
    >>> file = io.BytesIO()
    >>> with wave.open(file, "wb") as writer:
    ...     writer.setparams((1, 2, 8000, 0, "NONE", None))
    ...     writer.writeframes(np.array([0, 16384, -32768], "<i2").tobytes())
    >>> decode(file.getvalue())
    (array([[ 0. ],
           [ 0.5],
           [-1. ]], dtype=float32), 8000)
    """
    name = f"{len(source)} bytes of audio" if isinstance(source, bytes) else os.fspath(source)
    content = source if isinstance(source, bytes) else binary.read(source, _EXPECTED, _BOUND)
    kind = _kind(content)
    if kind is None:
        what = "not a WAV, FLAC, MP3 or OGG file" if content else "the file is empty"
        raise ValueError(f"{name}: {what}.")
    try:
        waveform, rate = _decode(kind, content)
    except Exception as error:  # TensorFlow's and soundfile's have no class in common
        reason = getattr(error, "message", None) or getattr(error, "error_string", None) or str(error)
        reason = (reason.splitlines() or [type(error).__name__])[0][:300]
        raise ValueError(f"{name}: the {kind} file is damaged, or of a kind that is not known: {reason}") from error
    if not 0 < rate <= _HIGHEST_RATE:
        raise ValueError(f"{name}: the {kind} file says {rate} samples a second; expected 1 to {_HIGHEST_RATE:,}.")
    if not len(waveform):
        raise ValueError(f"{name}: the {kind} file has no samples.")
    return waveform, rate


@functools.cache
def has_native_decoders() -> bool:
    """Tells whether tensorflow-io's native library loads beside this TensorFlow.

    Example:

    >>> has_native_decoders() in (True, False)
    True
    """
    # Before the silence, in which TensorFlow's own log would be lost.
    tf.__version__  # noqa: B018
    try:
        # The library tells of instructions that it was not compiled to use.
        with silenced(), warnings.catch_warnings():
            for message in ("unable to load libtensorflow_io_plugins.so", "file system plugins are not loaded"):
                warnings.filterwarnings("ignore", message=message, category=UserWarning)
            import tensorflow_io  # noqa: F401 (first: a part of it may be loaded where it is not to be used)
            from tensorflow_io.python.ops import core_ops

            core_ops.io_audio_readable_init  # noqa: B018 (loads the library)
    except (ImportError, NotImplementedError):
        return False
    return True


def _tensorflow_io():
    import tensorflow_io

    return tensorflow_io


def _kind(content):
    """The format that the first bytes tell, or None."""
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return "WAV"
    if content[:4] == b"fLaC":
        return "FLAC"
    if content[:4] == b"OggS":
        return "OGG Opus" if content[28:36] == b"OpusHead" else "OGG"
    # A tag, or the eleven set bits that a frame begins with.
    if content[:3] == b"ID3" or (content[:1] == b"\xff" and content[1:2] >= b"\xe0"):
        return "MP3"
    return None


def _decode(kind, content):
    if kind == "WAV" and int.from_bytes(content[4:8], "little") + 8 > len(content):
        raise ValueError("it is cut short.")
    if kind.startswith("OGG") and not _has_last_page(content):
        raise ValueError("it is cut short.")
    if kind == "WAV" and content[20:22] == b"\x01\x00" and content[34:36] == b"\x10\x00":
        limits.check(2 * len(content), "it", _BOUND)
        waveform, rate = tf.audio.decode_wav(content)
        return waveform.numpy(), int(rate)
    import soundfile

    with soundfile.SoundFile(io.BytesIO(content)) as file:
        if not 0 < file.channels <= _MOST_CHANNELS:
            raise ValueError(f"it says that it has {file.channels} channels; expected 1 to {_MOST_CHANNELS}.")
        if file.frames >= _UNKNOWN:
            raise ValueError("it does not say how long it is, as what is written to a pipe; write it to a file.")
        limits.check(4 * file.channels * file.frames, "it", _BOUND)
        if kind in ("FLAC", "MP3", "OGG") and has_native_decoders():
            return _decode_natively(content)
        waveform = file.read(dtype="float32", always_2d=True)
        if len(waveform) != file.frames:
            raise ValueError(f"it says that it has {file.frames} samples, but {len(waveform)} can be read.")
        return waveform, file.samplerate


def _has_last_page(content):
    """Whether an OGG file's last page is there to its end and marked as the last (RFC 3533, section 6)."""
    start = content.rfind(b"OggS")
    header = content[start : start + 27]
    if len(header) < 27 or not header[5] & 4:
        return False
    body = start + 27 + header[26]
    return len(content) >= body + sum(content[start + 27 : body])


def _decode_natively(content):
    # Only from a file does tensorflow-io tell the sample rate.
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        audio = _tensorflow_io().audio.AudioIOTensor(file.name)
        samples, rate = audio.to_tensor().numpy(), int(audio.rate)
    if samples.dtype == np.uint8:
        return (samples.astype("float32") - 128.0) / 128.0, rate
    if samples.dtype.kind == "i":
        # Whatever the file's bits, the first of them is the integer's first.
        return (samples / -float(np.iinfo(samples.dtype).min)).astype("float32"), rate
    return samples, rate
