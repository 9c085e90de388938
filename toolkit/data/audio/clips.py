"""Recordings at the rate that a training takes, in memory or in their files, with the unit of each sample."""

import dataclasses
import functools
import os
from collections.abc import Iterator, Mapping

import numpy as np

from toolkit.data.audio import files
from toolkit.data.audio.alignments import Segments
from toolkit.data.audio.resampling import Resampler
from toolkit.data.audio.trimming import sounding
from toolkit.files import binary
from toolkit.files.names import printable

_BLOCK = 1 << 20  # samples that are looked at at once
_resampler = functools.lru_cache(maxsize=64)(Resampler)


def read(path: str | os.PathLike, sample_rate: int, peak: float = 0.0) -> np.ndarray:
    """Reads a whole recording as a training takes it: one channel, at the asked rate.

    Args:
        path: A WAV, FLAC, MP3 or OGG file.
        sample_rate: In Hz.
        peak: As in `speech.load`.

    Returns:
        float32 (samples,), from -1 to 1.

    Raises:
        FileNotFoundError: Where the path does not exist.
        ValueError: Where the file is none of these, damaged, or holds nothing but silence; it is named.
        OSError: Where the system refuses.
    """
    clip = Clip(os.fspath(path), files.header(path), "", None, sample_rate)
    clip.open(0.0, in_memory=True, peak=peak)
    return clip.waveform


def read_named(names: str, sample_rate: int, flag: str, peak: float = 0.0) -> list[tuple[str, np.ndarray]]:
    """Reads recordings that a person names.

    Args:
        names: Paths, between commas; a file whose name has commas is found too.
        sample_rate: In Hz.
        flag: The flag that names them, for the message.
        peak: As in `speech.load`.

    Returns:
        (path, samples) each, as `read` gives them.

    Raises:
        FileNotFoundError, ValueError, OSError: As in `read`; the flag is named.
    """
    try:
        found = [(path, read(binary.check(path, "a recording"), sample_rate, peak)) for path in binary.separated(names)]
    except (ValueError, OSError) as error:
        raise (type(error) if isinstance(error, OSError) else ValueError)(f"{flag}: {error}") from error
    if not found:
        raise ValueError(f"{flag}={names}: expected paths of recordings, between commas.")
    return found


@dataclasses.dataclass
class Clip:
    """A recording: one channel, at the asked rate, from where it sounds to where it is silent.

    Args:
        path: Its file, or a name.
        header: What the file says.
        speaker: Who speaks.
        segments: What is said when, counted from the file's start; None: it is not known.
        sample_rate: The asked one, in Hz.
        waveform: The samples, float32 (samples,), where they are in memory; else parts of the file are read.

    Attributes:
        start, stop: Of what is taken of the file, in its own samples.
        gain: What its samples are multiplied by.
        edges: int64 (units,), the sample after the last of each, at the asked rate; set by `label`.
        numbers: int32 (units,), the number of each; set by `label`.
    """

    path: str
    header: files.Header
    speaker: str
    segments: Segments | None
    sample_rate: int
    waveform: np.ndarray | None = None

    def __post_init__(self) -> None:
        self.start, self.stop, self.gain = 0, self.header.num_samples, 1.0
        self.edges, self.numbers = np.zeros(0, "int64"), np.zeros(1, "int32")
        if not self.sample_rate / 100 <= self.header.sample_rate:
            raise ValueError(
                f"{printable(self.path)} has {self.header.sample_rate} samples a second; of that no speech of "
                f"{self.sample_rate} can be made."
            )

    @property
    def _resampler(self):
        return _resampler(self.header.sample_rate, self.sample_rate)

    @property
    def length(self) -> int:
        """How many samples it has, at the asked rate."""
        return self._resampler.length(self.stop - self.start)

    def open(self, trim: float, in_memory: bool, peak: float = 0.0) -> None:
        """Finds where and how loud it sounds, and takes it into memory.

        Args:
            trim: As in `speech.load`.
            in_memory: Whether to; samples that were given are there already, and stay.
            peak: As in `speech.load`.

        Raises:
            ValueError: Where the file is damaged, or holds nothing but silence.
        """
        whole = self.waveform
        in_memory = in_memory or whole is not None
        if in_memory and whole is None:
            whole, _ = files.decode(self.path)
            whole = self._mono(whole)
            self.stop = len(whole)
        if not (in_memory or trim or peak):
            return
        blocks = self._blocks() if whole is None else [whole]
        start, stop = sounding(blocks, self.header.sample_rate, trim)
        if not stop:
            raise ValueError(f"{printable(self.path)} holds nothing but silence.")
        if trim:
            self.start, self.stop = start, stop
        if peak:
            blocks = self._blocks() if whole is None else [whole]
            self.gain = peak / max(float(np.abs(block).max(initial=0)) for block in blocks)
        if in_memory:
            self.waveform = self._resampled(whole[self.start : self.stop], 0, 0, self.length)

    def read(self, start: int, stop: int) -> np.ndarray:
        """Reads samples.

        Args:
            start: The first, at the asked rate.
            stop: The one after the last.

        Returns:
            float32 (stop - start,), from -1 to 1.
        """
        if self.waveform is not None:
            return self.waveform[start:stop]
        first, last = self._resampler.needed(start, stop, self.stop - self.start)
        part = files.read_part(self.path, self.start + first, self.start + last)
        return self._resampled(self._mono(part), first, start, stop)

    def units(self, start: int, stop: int) -> np.ndarray:
        """Tells the number of the unit that each sample belongs to.

        Args:
            start: The first, at the asked rate.
            stop: The one after the last.

        Returns:
            int32 (stop - start,).
        """
        return self.numbers[np.searchsorted(self.edges, np.arange(start, stop), side="right")]

    def label(self, numbers: Mapping[str, int], num_states: int = 1) -> None:
        """Gives the units their numbers; what lies between them, and a unit of number 0, has 0.

        Args:
            numbers: By name.
            num_states: Equal parts of a unit that have numbers of their own: number * num_states + part.
        """
        edges, found = [], []
        before, scale = 0, self.sample_rate / self.header.sample_rate
        for start, end, unit in zip(*(self.segments or ((), (), ())), strict=True):
            first, last = (
                int(np.clip(round(at * self.sample_rate - self.start * scale), before, self.length))
                for at in (start, end)
            )
            if first > before:
                edges.append(first)
                found.append(0)
            parts = num_states if numbers[unit] else 1
            for part in range(parts):
                end_of_part = first + (last - first) * (part + 1) // parts
                if end_of_part > max(before, first):
                    edges.append(end_of_part)
                    found.append(numbers[unit] * num_states + part)
                    before = end_of_part
        self.edges, self.numbers = np.array(edges, "int64"), np.array([*found, 0], "int32")

    def _blocks(self) -> Iterator[np.ndarray]:
        for start in range(0, self.stop, _BLOCK):
            yield self._mono(files.read_part(self.path, start, min(start + _BLOCK, self.stop)))

    def _mono(self, part):
        part = part.mean(axis=1) if part.shape[1] > 1 else part[:, 0]
        if not np.isfinite(part).all():
            raise ValueError(f"{printable(self.path)} holds samples that are no numbers.")
        return part

    def _resampled(self, part, first, start, stop):
        return np.clip(self.gain * self._resampler.resample(part, first, start, stop), -1.0, 1.0)
