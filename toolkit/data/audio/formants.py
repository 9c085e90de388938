"""Speech with known ground truth: a formant synthesiser, whose speakers babble in units of known place."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence

import numpy as np

from toolkit.data.audio.phonemes import PHONEMES, UNITS, babble

LOWEST_RATE, HIGHEST_RATE = 4000, 48000  # Hz
_HOP = 0.008  # seconds from one filter to the next, between which they are faded
_RING = 0.048  # seconds that a resonance is heard
_SMOOTH = {"formants": 0.06, "amplitudes": 0.014}  # seconds that a change takes
_BANDWIDTHS = (70.0, 100.0, 140.0, 220.0)  # Hz of the first four resonances
_FOURTH = 3450.0  # Hz of the fourth resonance
_TILT = 220.0  # Hz above which the voice gets weaker
_FLOOR = 5e-4  # noise of the room


@dataclasses.dataclass(frozen=True)
class Speaker:
    """A voice.

    Args:
        name: The speaker's name.
        pitch: Hz of the vocal folds, on average.
        tract: Factor of all resonances: above 1 for a short vocal tract.
        breathiness: Share of noise in the voice.
        speed: Factor of the pace: 1 gives about eleven units a second.
        melody: How far the pitch moves, in octaves.
    """

    name: str
    pitch: float
    tract: float
    breathiness: float
    speed: float
    melody: float


def speakers(num_speakers: int, seed: int = 0) -> list[Speaker]:
    """Draws voices from a seed.

    Args:
        num_speakers: How many.
        seed: Equal seeds give equal voices; the first ones do not depend on `num_speakers`.

    Returns:
        The speakers, deep and high voices in turn.

    Example:

    >>> [speaker.name for speaker in speakers(2)], speakers(3)[0] == speakers(1)[0]
    (['speaker 0', 'speaker 1'], True)
    """
    drawn = []
    for number in range(num_speakers):
        random = np.random.default_rng([seed, 1, number])
        # The golden ratio's multiples fill the range evenly, however many are taken.
        place = (0.18 + 0.618034 * number) % 1.0
        drawn.append(
            Speaker(
                name=f"speaker {number}",
                pitch=float(85.0 * 2 ** (1.5 * place)),
                tract=float(0.86 + 0.28 * place + random.uniform(-0.04, 0.04)),
                breathiness=float(random.uniform(0.02, 0.25)),
                speed=float(random.uniform(0.85, 1.2)),
                melody=float(random.uniform(0.08, 0.25)),
            )
        )
    return drawn


@dataclasses.dataclass(frozen=True)
class Utterance:
    """What a speaker said.

    Args:
        waveform: float32 (samples,), from -1 to 1.
        units: The name of each unit.
        ends: int64 (units,), the sample after the last of each.
        speaker: The speaker.
    """

    waveform: np.ndarray
    units: tuple[str, ...]
    ends: np.ndarray
    speaker: Speaker


def speak(units: Sequence[str], speaker: Speaker, *, seed: int = 0, sample_rate: int = 8000) -> Utterance:
    """Says units: the vocal tract moves from one to the next, so that each sounds of its neighbours.

    Pulses of the vocal folds, noise of the throat and noise of the mouth go through filters that change with time.

    Args:
        units: Names out of `UNITS`.
        speaker: Who says them.
        seed: Decides durations, melody and noise.
        sample_rate: In Hz, 4,000 to 48,000.

    Returns:
        The utterance; its labels are exact.

    Raises:
        ValueError: Where a unit is unknown, or there is none, or the rate is not within its bounds.

    Example:

    >>> said = speak("_ m a m a _".split(), speakers(1)[0])
    >>> said.waveform.dtype, int(said.ends[-1]) == len(said.waveform)
    (dtype('float32'), True)

    Reference: Klatt 1980, "Software for a cascade/parallel formant synthesizer".
    """
    if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
        raise ValueError(f"sample_rate={sample_rate}: expected {LOWEST_RATE:,} to {HIGHEST_RATE:,} Hz.")
    if not len(units):
        raise ValueError("Expected at least one unit; got none.")
    for unit in units:
        if unit not in PHONEMES:
            near = difflib.get_close_matches(unit, UNITS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"{unit[:40]!r} is no unit of the embedded speech.{hint} There are: {' '.join(UNITS)}.")
    random = np.random.default_rng([seed, 2])
    tracks, ends = _tracks(units, speaker, random, sample_rate)
    waveform = _filtered(tracks, speaker, random, sample_rate)
    waveform *= 0.6 / max(np.abs(waveform).max(), 1e-6)
    waveform += _FLOOR * random.standard_normal(len(waveform), "float32")
    return Utterance(waveform, tuple(units), ends, speaker)


def utterances(minutes: float, *, seed: int = 0, num_speakers: int = 6, sample_rate: int = 8000) -> Iterator[Utterance]:
    """Makes utterances of two to six words, the speakers in turn.

    Args:
        minutes: How long they are together, at least.
        seed: Decides voices and words; utterance i depends on the seed and i alone.
        num_speakers: How many voices.
        sample_rate: As in `speak`.

    Yields:
        The utterances.

    Example:

    >>> sum(len(said.waveform) for said in utterances(0.1, num_speakers=2)) >= 0.1 * 60 * 8000
    True
    """
    voices, made, number = speakers(num_speakers, seed), 0, 0
    while made < minutes * 60 * sample_rate:
        words = np.random.default_rng([seed, 3, number])
        units = babble(words, words.integers(2, 7))
        said = speak(units, voices[number % num_speakers], seed=int(words.integers(2**32)), sample_rate=sample_rate)
        made, number = made + len(said.waveform), number + 1
        yield said


def _tracks(units, speaker, random, rate):
    """What changes with time: pitch and amplitudes at each sample, resonances at each hop; and where the units end."""
    phonemes = [PHONEMES[unit] for unit in units]
    seconds = np.array([phoneme.seconds for phoneme in phonemes]) / speaker.speed
    seconds *= np.exp(random.normal(0.0, 0.15, len(units)))
    ends = np.maximum(np.cumsum(seconds) * rate, np.arange(1, len(units) + 1)).round().astype("int64")
    lengths = np.diff(ends, prepend=0)
    unit = np.repeat(np.arange(len(units)), lengths)
    hops = unit[:: max(1, round(_HOP * rate))]
    targets = _targets(phonemes) * speaker.tract

    def track(name):
        return np.array([getattr(phoneme, name) for phoneme in phonemes], "float32")

    def smooth(values, kind, step):
        return _smoothed(values, round(_SMOOTH[kind] / step))

    amplitude = {name: smooth(track(name)[unit], "amplitudes", 1 / rate) for name in ("voice", "breath")}
    amplitude["noise"] = _noise_amplitude(phonemes, track("noise"), ends, lengths, unit, rate)
    amplitude["breath"] += _aspiration(phonemes, ends, lengths, rate)
    accents = _smoothed(random.normal(0.0, 1.0, len(units)).astype("float32")[unit], round(0.12 * rate))
    fall = np.linspace(0.5, -0.5, len(unit), dtype="float32")
    knots = np.arange(len(unit) // 80 + 2) * 80
    shaking = np.interp(np.arange(len(unit)), knots, random.normal(0.0, 0.012, len(knots)))
    pitch = speaker.pitch * 2 ** (speaker.melody * (accents + fall) + shaking)
    resonances = np.stack([smooth(targets[hops, place], "formants", _HOP) for place in range(3)], axis=1)
    mouth = np.stack([track("centre")[hops] * speaker.tract, track("width")[hops]], axis=1)
    nasal = smooth(np.array([phoneme.kind == "nasal" for phoneme in phonemes], "float32")[hops], "formants", _HOP)
    return {"pitch": pitch, **amplitude, "resonances": resonances, "mouth": mouth, "nasal": nasal}, ends


def _targets(phonemes):
    """(units, 3): a consonant's second and third resonance lie between its own and those of the vowel next to it."""
    found = np.array([phoneme.formants for phoneme in phonemes], "float32")
    vowels = [place for place, phoneme in enumerate(phonemes) if phoneme.kind == "vowel"]
    for place, phoneme in enumerate(phonemes):
        if phoneme.kind in ("vowel", "liquid") or not vowels:
            continue
        near = found[min(vowels, key=lambda vowel: (abs(vowel - place), vowel < place))]
        if phoneme.kind == "pause" or phoneme.breath:
            found[place] = near  # it has no place of its own
        else:
            found[place, 1:] = 0.65 * found[place, 1:] + 0.35 * near[1:]
    return found


def _noise_amplitude(phonemes, noise, ends, lengths, unit, rate):
    """Fricatives are as loud all along, softly; a plosive is still, then bursts."""
    kinds = np.array([phoneme.kind == "plosive" for phoneme in phonemes])
    steady = _smoothed(np.where(kinds, 0.0, noise).astype("float32")[unit], round(0.03 * rate))
    for place in np.flatnonzero(kinds):
        burst = min(round(0.018 * rate), lengths[place])
        release = min(round((0.045 if not phonemes[place].voice else 0.018) * rate), lengths[place])
        steady[ends[place] - release : ends[place] - release + burst] += noise[place] * np.linspace(
            1.0, 0.0, burst, dtype="float32"
        )
    return steady


def _aspiration(phonemes, ends, lengths, rate):
    """The breath after the burst of a plosive without voice."""
    found = np.zeros(ends[-1], "float32")
    for place, phoneme in enumerate(phonemes):
        if phoneme.kind == "plosive" and not phoneme.voice:
            release = min(round(0.045 * rate), lengths[place])
            found[ends[place] - release : ends[place]] = 0.22
    return _smoothed(found, round(0.008 * rate))


def _smoothed(values, width):
    """A running mean of two, so that a step becomes an S of that width; beyond its ends it stays as it is there."""
    half = max(1, width // 2)
    for _ in range(2):
        padded = np.concatenate([np.repeat(values[:1], half), values, np.repeat(values[-1:], half)]).astype("float64")
        total = np.cumsum(np.concatenate([[0.0], padded]))
        values = (total[half:] - total[:-half])[(half + 1) // 2 :][: len(values)] / half
    return values.astype("float32")


def _filtered(tracks, speaker, random, rate):
    """Each hop's sources under a Hann window, through its filters; the windows add up to one."""
    from scipy import fft

    num_samples, hop = len(tracks["voice"]), max(1, round(_HOP * rate))
    noise = random.standard_normal((2, num_samples), "float32")
    throat = tracks["voice"] * (_pulses(tracks["pitch"], rate) + 0.5 * speaker.breathiness * noise[0])
    throat += 1.2 * tracks["breath"] * noise[0]
    mouth = 6.0 * tracks["noise"] * noise[1]
    length = 2 * hop + round(_RING * rate)
    size = fft.next_fast_len(length, real=True)
    frequencies = fft.rfftfreq(size, 1 / rate).astype("float32")
    num_hops = len(tracks["resonances"])
    window = (0.5 - 0.5 * np.cos(np.pi * (np.arange(2 * hop) + 0.5) / hop)).astype("float32")

    def frames(source):
        padded = np.zeros((num_hops + 1) * hop, "float32")
        padded[hop // 2 : hop // 2 + num_samples] = source[: len(padded) - hop // 2]
        blocks = padded.reshape(num_hops + 1, hop)
        return fft.rfft(np.concatenate([blocks[:-1], blocks[1:]], axis=1) * window, size)

    spectra = frames(throat) * _tract(tracks, frequencies, rate, speaker.tract)
    spectra += frames(mouth) * _band(*tracks["mouth"].T, frequencies, rate)
    rows = fft.irfft(spectra, size)[:, :length]
    blocks = -(-length // hop)
    rows = np.pad(rows, ((0, 0), (0, blocks * hop - length))).reshape(num_hops, blocks, hop)
    found = np.zeros((num_hops + blocks, hop), "float32")
    for block in range(blocks):
        found[block : block + num_hops] += rows[:, block]
    return found.reshape(-1)[hop // 2 : hop // 2 + num_samples].copy()


def _pulses(pitch, rate):
    """A pulse at each start of a period, at its place between two samples; as strong at every pitch."""
    phase = np.cumsum(pitch / rate)
    starts = np.flatnonzero(np.diff(np.floor(phase)) > 0) + 1
    late = (phase[starts] - np.floor(phase[starts])) / (pitch[starts] / rate)  # in samples, 0 to 1
    found = np.zeros(len(pitch), "float32")
    strength = np.sqrt(rate / pitch[starts])
    found[starts] += strength * (1 - late)
    found[starts - 1] += strength * late
    return found


def _tract(tracks, frequencies, rate, tract):
    """(hops, frequencies): resonances one after the other, and what the nose takes away."""
    z = np.exp(-2j * np.pi * frequencies / rate).astype("complex64")
    # The folds' pulses fall by 12 dB an octave, the lips give 6 back: what is left falls by 6 above the tilt.
    response = (1 - 0.97 * z)[None] / (1 - np.float32(np.exp(-2 * np.pi * _TILT / rate)) * z) ** 2
    fourth = np.full(len(tracks["resonances"]), _FOURTH * tract, "float32")
    for place, bandwidth in enumerate(_BANDWIDTHS):
        centre = tracks["resonances"][:, place] if place < 3 else fourth
        wide = bandwidth * (1 + 1.5 * tracks["nasal"] * (place > 0))
        response = response * _resonator(np.minimum(centre, 0.49 * rate), wide, z, rate)
    return response * (1 - 0.65 * tracks["nasal"][:, None] * (frequencies > 700))


def _band(centre, width, frequencies, rate):
    """(hops, frequencies) of a band of noise, its power that of its width."""
    distance = (frequencies[None] - np.minimum(centre, 0.46 * rate)[:, None]) / width[:, None]
    return np.exp(-2 * distance * distance)


def _resonator(centre, bandwidth, z, rate):
    """Klatt's digital resonator, its gain 1 at 0 Hz."""
    narrow = np.exp(-np.pi * np.asarray(bandwidth, "float32") / rate)[:, None]
    second = -(narrow**2)
    first = 2 * narrow * np.cos(2 * np.pi * centre / rate)[:, None]
    return (1 - first - second) / (1 - z * (first + z * second))
