"""Small recordings for the tests."""

import pathlib

import numpy as np
import soundfile


def noise(num_samples: int, seed: int = 0, level: float = 0.1) -> np.ndarray:
    """Noise below 2 kHz at a rate of 8 kHz, float32 (samples,)."""
    white = np.random.default_rng(seed).standard_normal(num_samples + 16)
    return (level * np.convolve(white, np.hanning(18)[1:-1] / 3, "valid")[:num_samples]).astype("float32")


def write(path: pathlib.Path, waveform: np.ndarray, rate: int = 8000, **how) -> pathlib.Path:
    """A file of sound, whose format its name tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, waveform, rate, **how)
    return path


def takes(folder: pathlib.Path, *, speakers: str = "ab", units: str = "xy", each: int = 4, num_samples: int = 2000):
    """UNIT_SPEAKER_TAKE.wav, each with a noise of its own."""
    paths = []
    for number in range(len(speakers) * len(units) * each):
        take, (unit, speaker) = number // (len(speakers) * len(units)), _pair(number, speakers, units)
        paths.append(write(folder / f"{unit}_{speaker}_{take}.wav", noise(num_samples + 7 * number, seed=number)))
    return paths


def _pair(number, speakers, units):
    return units[number // len(speakers) % len(units)], speakers[number % len(speakers)]
