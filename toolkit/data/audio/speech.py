"""Speech as windows of samples, with its speaker and the unit of each sample."""

import collections
import dataclasses
import hashlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from toolkit.data import sources, splitting
from toolkit.data.audio.clips import Clip
from toolkit.data.audio.phonemes import PAUSE, UNITS
from toolkit.data.audio.readers import READERS, sniff
from toolkit.data.audio.trimming import HIGHEST
from toolkit.data.audio.windows import windows
from toolkit.data.pipelines import Splits
from toolkit.files import limits
from toolkit.files.names import natural_order, printable

SPLITS = ("train", "validation", "test")
_IN_MEMORY = limits.GIB // 4  # bytes of samples that are kept
_LEAST_RATE, _MOST_RATE = 1000, 192_000


class Example(NamedTuple):
    """A whole recording.

    Args:
        waveform: float32 (samples,), from -1 to 1.
        speaker: The speaker's number.
        units: int32 (samples,), as in `Speech.splits`.
        path: Its file, or a name.
    """

    waveform: np.ndarray
    speaker: int
    units: np.ndarray
    path: str

    def cut(self, num_samples: int) -> "Example":
        """Gives its first samples.

        Args:
            num_samples: How many, at most.
        """
        return self._replace(waveform=self.waveform[:num_samples], units=self.units[:num_samples])


@dataclasses.dataclass(frozen=True)
class Speech:
    """Speech, its speakers and its units.

    Args:
        splits: Batches of {"audio": float32 (batch, window), from -1 to 1; "mask": bool (batch, window), which samples
            count: not those after a recording's end, nor the first `context`, which are only read, unless the recording
            begins there; "speaker": int32 (batch,); "units": int32 (batch, window)}. In training every sample is in
            a window each epoch, and where the windows lie is a pure function of (seed, epoch, example); in the other
            parts every sample counts exactly once.
        parts: By split, the recordings.
        speakers: Their names, in the order of their numbers.
        units: Their names, in their order; the first is a pause, or what has no unit.
        sample_rate: In Hz.
        window: Samples in a window.
        context: Samples at its beginning that are only read.
        num_states: Parts of a unit that are told apart: the numbers in "units" are unit * num_states + part.
        notes: What was done to the recordings so that they are all alike.
        left_out: What was found beside the recordings and is not read, each with its path and why.
        skipped: What was left out because it cannot be read, each with its path and why.
    """

    splits: Splits
    parts: dict[str, list[Clip]]
    speakers: tuple[str, ...]
    units: tuple[str, ...]
    sample_rate: int
    window: int
    context: int
    num_states: int = 1
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()

    @property
    def has_units(self) -> bool:
        """Whether it is known what is said when."""
        return len(self.units) > 1

    @property
    def contents(self) -> dict[str, Any]:
        """What tells this speech apart from other, for JSON: names, every speaker and unit, figures of the samples."""
        digests = {}
        for split, clips in self.parts.items():
            digest = hashlib.sha256()
            for clip in clips:
                digest.update(f"{clip.speaker}\0{clip.length}\0".encode("utf-8", "surrogatepass"))
                digest.update(clip.edges.tobytes() + clip.numbers.tobytes())
            digests[split] = digest.hexdigest()[:16]
        names = {"speakers": list(self.speakers), "units": list(self.units), "sample_rate": self.sample_rate}
        names |= {"num_states": self.num_states} if self.num_states > 1 else {}
        return {**names, "recordings": digests, "windows": self.splits.contents}

    def examples(self, split: str, num_examples: int | None = None) -> Iterator[Example]:
        """Reads whole recordings, evenly spaced over a part.

        Args:
            split: "train", "validation" or "test".
            num_examples: How many; None: all.

        Yields:
            `Example`s.
        """
        clips = self.parts[split]
        count = len(clips) if num_examples is None else min(num_examples, len(clips))
        for place in np.linspace(0, len(clips) - 1, count).round().astype(int):
            clip = clips[place]
            speaker, units = self.speakers.index(clip.speaker), clip.units(0, clip.length)
            yield Example(clip.read(0, clip.length), speaker, units, clip.path)

    @property
    def inventory(self) -> dict[str, Any]:
        """The arguments of a `layers.SpeechInventory` of this speech, by name."""
        totals, counts = np.zeros(len(self.units)), np.zeros(len(self.units))
        for clip in self.parts["train"]:
            units, parts = np.divmod(clip.numbers[:-1], self.num_states)
            np.add.at(totals, units, np.diff(clip.edges, prepend=0))
            np.add.at(counts, units, parts == 0)
        # A unit that the training part lacks gets the mean duration.
        lengths = np.where(counts > 0, totals / np.maximum(counts, 1), totals.sum() / max(counts.sum(), 1))
        names = {"speakers": list(self.speakers), "units": list(self.units)}
        how = {"num_states": self.num_states, "sample_rate": self.sample_rate}
        return {**names, "unit_lengths": lengths.round(1).tolist(), **how}

    def for_names(self, speakers: Sequence[str], units: Sequence[str], of: str) -> "Speech":
        """Gives this very speech, where it is for a network that knows certain speakers and units.

        Args:
            speakers: Those that it knows, in the order of its numbers.
            units: Likewise.
            of: What knows these, for the error.

        Returns:
            The speech.

        Raises:
            ValueError: Where they, or their order, differ.
        """
        for what, mine, its in (("speakers", self.speakers, speakers), ("units", self.units, units)):
            if list(mine) != list(its):
                odd = sorted(set(mine) ^ set(its))
                raise ValueError(f"--data has other {what} than {of}: {', '.join(odd[:5]) or 'the order'}.")
        return self


def load(
    source: str,
    *,
    sample_rate: int,
    window: int,
    batch_size: int,
    seed: int = 0,
    context: int = 0,
    held_out: float = 0.1,
    held_out_speakers: int = 0,
    trim: float = 0.0,
    peak: float = 0.0,
    names: str = "",
    num_states: int = 1,
    skip_corrupt: bool = False,
) -> Speech:
    """Reads speech.

    Args:
        source: READER:REST. embedded[:MINUTES[:SPEAKERS]]: a formant synthesiser's speakers, who babble in units of
            known place. folder:FOLDER: WAV, FLAC, MP3 and OGG at any rate and with any number of channels, in a folder
            for each speaker or as `names` says; NAME.phn, NAME.lab or NAME.txt beside NAME.wav may say which unit is
            said when (`alignments.read_table`). fsdd:FOLDER: the Free Spoken Digit Dataset, DIGIT_SPEAKER_TAKE.wav.
            vctk:FOLDER: VCTK, wav48*/SPEAKER/*; of two microphones the first. emodb:FOLDER: the Berlin Database of
            Emotional Speech, its recordings and lablaut/.
        sample_rate: In Hz; what has another one is resampled, and several channels become their mean.
        window: Samples in a window, at that rate.
        batch_size: Windows in a batch.
        seed: Decides what is held out, the order and places of the training windows, and the embedded speech.
        context: Samples at the beginning of each window that are read only: a network's receptive field, less one.
        held_out: The share of each speaker's recordings, of each unit's where a recording has one, that validates, and
            as much again tests.
        held_out_speakers: Instead of it, how many speakers validate, and as many others test; 0: as `held_out` says.
        trim: What is silence before and after a recording, and cut off, by its loudness as a share of the loudest; 0:
            nothing. 0.02 to 0.1 are sane.
        peak: The loudest sample that each recording is scaled to, up to 1; 0: as recorded.
        names: Of folder: how a path says what it is, such as {unit}_{speaker}_{take} or {speaker}/{take}.
        num_states: Equal parts of each unit that are told apart, as the states of a hidden Markov model are: so that a
            network knows where in a long one it is; 1: none.
        skip_corrupt: Whether to leave out files that cannot be read, instead of stopping.

    Returns:
        `Speech`. Up to 256 MB of samples are decoded at once and kept, and all damage is found; of more, only headers
        are read (with `trim` or `peak` everything, once), and parts of files for each batch.

    Raises:
        ValueError: Where something is not as expected; folder, file and line are named.
        FileNotFoundError: Where a path does not exist.
        OSError: Where the system refuses.

    Example:

    >>> speech = load("embedded:1:2", sample_rate=8000, window=4000, batch_size=4)
    >>> batch = speech.splits.train.peek()
    >>> batch["audio"].shape, batch["units"].shape, speech.speakers
    ((4, 4000), (4, 4000), ('speaker 0', 'speaker 1'))

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 3 (VCTK; what is conditioned on).
    """
    _check(sample_rate, window, context, batch_size, held_out, held_out_speakers, trim)
    if not 0 <= peak <= 1:
        raise ValueError(f"--peak={peak}: expected 0 (as recorded) to 1.")
    if not 1 <= num_states <= 100:
        raise ValueError(f"--num_states={num_states}: expected 1 to 100 parts of a unit.")
    asked = f"A batch of --batch_size={batch_size} windows of --window={window} samples"
    limits.check(9 * batch_size * window, asked, limits.half_of_memory())
    reader, rest = sources.parse(source, READERS, sniff)
    if names and reader != "folder":
        raise ValueError(f"--names={names} is for --data=folder:FOLDER; --data={source} has names of its own.")
    found = READERS[reader](rest, sample_rate=sample_rate, seed=seed, names=names, skip_corrupt=skip_corrupt)
    clips = _opened(found, trim, peak, skip_corrupt, source)
    notes = (*found.notes, *_notes(clips, sample_rate))
    if found.left_out:
        notes += (f"files left out: {len(found.left_out)}, such as {found.left_out[0]}",)
    if found.skipped:
        notes += (f"files left out that cannot be read: {len(found.skipped)}, such as {found.skipped[0]}",)
    for note in notes:
        print(printable(f"--data={source}: {note}"), file=sys.stderr)
    speakers = tuple(sorted({clip.speaker for clip in clips}, key=natural_order))
    units = _unit_names(clips)
    for clip in clips:
        clip.label({name: place for place, name in enumerate(units)}, num_states)
    parts = _parts(clips, speakers, held_out, held_out_speakers, seed, source)
    how = {"window": window, "context": context, "batch_size": batch_size, "seed": seed}
    splits = Splits(*(windows(parts[split], speakers, shuffle=split == "train", **how) for split in SPLITS))
    told = notes, tuple(found.left_out), tuple(found.skipped)
    return Speech(splits, parts, speakers, units, sample_rate, window, context, num_states, *told)


def _check(sample_rate, window, context, batch_size, held_out, held_out_speakers, trim):
    if not _LEAST_RATE <= sample_rate <= _MOST_RATE:
        raise ValueError(f"--sample_rate={sample_rate}: expected {_LEAST_RATE:,} to {_MOST_RATE:,} Hz.")
    if batch_size < 1:
        raise ValueError(f"--batch_size={batch_size}: expected 1 or more windows.")
    if not 0 <= context < window:
        raise ValueError(
            f"--window={window} samples: expected more than the {max(context, 0)} before the first that the network "
            "gives a prediction for, its receptive field less one."
        )
    if not 0 < held_out < 0.5:
        raise ValueError(f"--held_out={held_out}: expected a share between 0 and 0.5.")
    if held_out_speakers < 0:
        raise ValueError(f"--held_out_speakers={held_out_speakers}: expected 0 or more.")
    if not 0 <= trim < HIGHEST:
        raise ValueError(
            f"--trim={trim}: expected 0 (nothing) or a share below {HIGHEST}, at which whole recordings would be taken "
            "for silence; 0.02 to 0.1 are sane."
        )


def _opened(found, trim, peak, skip_corrupt, source):
    """The recordings that can be read, in memory where they have room there."""
    in_memory = sum(4 * clip.length for clip in found.clips) <= limits.allowed(_IN_MEMORY)
    clips = []
    for clip in found.clips:
        try:
            clip.open(trim, in_memory, peak)
            clips.append(clip)
        except (ValueError, OSError) as error:
            if not skip_corrupt:
                kind = next(kind for kind in (FileNotFoundError, OSError, ValueError) if isinstance(error, kind))
                raise kind(f"{error} Mend or remove it, or leave out such files with --skip_corrupt.") from error
            found.skipped.append(str(error))
    if not clips:
        raise ValueError(f"--data={source}: no recording can be used: {found.skipped[0]}")
    return clips


def _notes(clips, sample_rate):
    rates = collections.Counter(clip.header.sample_rate for clip in clips)
    mixed = sum(clip.header.num_channels > 1 for clip in clips)
    others = sorted(rate for rate in rates if rate != sample_rate)
    shown = ", ".join(map(str, others[:5])) + ", ..." * (len(others) > 5)
    if mixed:
        yield f"{mixed} of {len(clips)} recordings have several channels: their mean is taken"
    if others:
        count = sum(rates[rate] for rate in others)
        yield f"{count} of {len(clips)} recordings are resampled to {sample_rate} Hz, from {shown}"


def _unit_names(clips):
    there = {unit for clip in clips if clip.segments for unit in clip.segments.units} - {PAUSE}
    if there <= set(UNITS):
        return tuple(unit for unit in UNITS if unit in there | {PAUSE})
    return (PAUSE, *sorted(there, key=natural_order))


def _parts(clips, speakers, held_out, held_out_speakers, seed, source):
    if held_out_speakers:
        if len(speakers) < 2 * held_out_speakers + 1:
            raise ValueError(
                f"--held_out_speakers={held_out_speakers}: twice as many, and one more to learn from, are needed; "
                f"--data={source} has {len(speakers)}."
            )
        order = np.random.default_rng(seed).permutation(len(speakers))
        test, validation = (
            {speakers[place] for place in order[start : start + held_out_speakers]} for start in (0, held_out_speakers)
        )
        part = ["test" if clip.speaker in test else SPLITS[clip.speaker in validation] for clip in clips]
        return {split: [clip for clip, its in zip(clips, part, strict=True) if its == split] for split in SPLITS}
    only = [clip.segments.units if clip.segments and len(clip.segments.units) == 1 else () for clip in clips]
    kinds = [(clip.speaker, *unit) for clip, unit in zip(clips, only, strict=True)]
    places = {kind: place for place, kind in enumerate(dict.fromkeys(kinds))}
    labels = np.array([places[kind] for kind in kinds])
    rows = splitting.split(len(clips), [held_out, held_out], seed=seed, labels=labels)
    parts = {split: [clips[row] for row in its] for split, its in zip(SPLITS, rows, strict=True)}
    for split in SPLITS:
        if not parts[split]:
            raise ValueError(
                f"--data={source}: the {split} part is empty: a speaker needs 3 recordings for one to be held out "
                f"twice. There are {len(clips)} recordings of {len(speakers)} speakers."
            )
    return parts
