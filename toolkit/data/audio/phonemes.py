"""The units that embedded speech is made of: what a vocal tract does in each, as formants, voice and noise."""

import dataclasses

import numpy as np

PAUSE = "_"


@dataclasses.dataclass(frozen=True)
class Phoneme:
    """A unit of speech.

    Args:
        kind: "pause", "vowel", "liquid", "nasal", "fricative" or "plosive".
        formants: Hz of the first three resonances in a vocal tract of length 1; a consonant's second one is where its
            neighbours bend to.
        voice: Amplitude of the vocal folds' pulses.
        breath: Amplitude of noise that comes from the throat, through the formants.
        noise: Amplitude of noise that is made in the mouth.
        centre: Hz around which that noise lies.
        width: Hz of that noise's band.
        seconds: How long it lasts, on average.
    """

    kind: str
    formants: tuple[float, float, float]
    voice: float = 0.0
    breath: float = 0.0
    noise: float = 0.0
    centre: float = 2000.0
    width: float = 1000.0
    seconds: float = 0.09


def _vowel(first, second, third, seconds=0.13):
    return Phoneme("vowel", (first, second, third), voice=1.0, seconds=seconds)


def _fricative(second, noise, centre, width, voice=0.0, seconds=0.1):
    return Phoneme("fricative", (320, second, 2600), voice, 0.0, noise, centre, width, seconds)


def _plosive(second, noise, centre, width, voice=0.0):
    return Phoneme("plosive", (250, second, 2500), voice, 0.0, noise, centre, width, 0.1 if not voice else 0.08)


# Formants of vowels after Peterson and Barney (1952), loci and noise bands after Klatt (1980), Table II and III, with
# noise that would lie above 4 kHz brought below it: telephone speech, of 8 kHz, has room for no more.
PHONEMES = {
    PAUSE: Phoneme("pause", (500, 1500, 2500), seconds=0.16),
    "a": _vowel(760, 1220, 2550),
    "e": _vowel(500, 1900, 2550),
    "i": _vowel(280, 2280, 2950),
    "o": _vowel(460, 850, 2450),
    "u": _vowel(310, 800, 2280, 0.12),
    "@": _vowel(510, 1450, 2450, 0.08),
    "l": Phoneme("liquid", (340, 1080, 2700), voice=0.6, seconds=0.07),
    "r": Phoneme("liquid", (420, 1250, 1620), voice=0.6, seconds=0.07),
    "m": Phoneme("nasal", (260, 950, 2150), voice=0.6),
    "n": Phoneme("nasal", (260, 1650, 2550), voice=0.6),
    "f": _fricative(1000, 0.10, 1500, 2600),
    "s": _fricative(1700, 0.30, 3650, 700),
    "S": _fricative(1850, 0.32, 2450, 700, seconds=0.11),
    "z": _fricative(1700, 0.16, 3650, 700, voice=0.35, seconds=0.08),
    "h": Phoneme("fricative", (500, 1500, 2500), breath=0.5, seconds=0.08),
    "p": _plosive(900, 0.45, 700, 900),
    "t": _plosive(1750, 0.50, 3500, 1200),
    "k": _plosive(2000, 0.50, 1850, 600),
    "b": _plosive(900, 0.20, 600, 700, voice=0.22),
    "d": _plosive(1750, 0.35, 3100, 1200, voice=0.22),
    "g": _plosive(2000, 0.35, 1700, 600, voice=0.22),
}
UNITS = tuple(PHONEMES)

_VOWELS = [name for name, phoneme in PHONEMES.items() if phoneme.kind == "vowel"]
_ONSETS = [name for name, phoneme in PHONEMES.items() if phoneme.kind not in ("vowel", "pause")]
_CODAS = ["l", "r", "m", "n", "f", "s", "S", "t", "k"]


def babble(random: np.random.Generator, num_words: int) -> list[str]:
    """Draws words of one to three syllables, with pauses before, after and sometimes between them.

    Args:
        random: Where they are drawn from.
        num_words: How many.

    Returns:
        Names of units, the first and last a pause.

    Example:

    >>> "".join(babble(np.random.default_rng(0), 2))
    '_pelp@pololabin_'
    """
    units = [PAUSE]
    for _ in range(num_words):
        if units[-1] != PAUSE and random.random() < 0.3:
            units.append(PAUSE)
        for _ in range(random.integers(1, 4)):
            if random.random() < 0.9:
                units.append(_ONSETS[random.integers(len(_ONSETS))])
            units.append(_VOWELS[random.integers(len(_VOWELS))])
            if random.random() < 0.25:
                units.append(_CODAS[random.integers(len(_CODAS))])
    return [*units, PAUSE]
