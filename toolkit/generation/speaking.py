"""Speech by a WaveNet: who is to speak and what is to be said, as recordings have it or as a person asks."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from toolkit.generation.audio import SoundGenerator
from toolkit.layers.frame_upsampling import middles


class Asked(NamedTuple):
    """A sound that is asked for.

    Args:
        speaker: The speaker's number.
        units: The number of the unit that each sample belongs to, (samples,): so long is the sound.
    """

    speaker: int
    units: np.ndarray


def speak(
    generator: SoundGenerator,
    asked: Sequence[Asked],
    *,
    temperature: float = 1.0,
    seed: int = 0,
    primer: np.ndarray | None = None,
    primer_units: np.ndarray | None = None,
) -> list[np.ndarray]:
    """Writes sounds together.

    Args:
        generator: Of a network that reads speakers, units, both or neither.
        asked: Anything with `speaker` and `units`, one for each sound.
        temperature: As in `SoundGenerator.generate`.
        seed: Seed of the noise.
        primer: Real sound (samples,) that all carry on.
        primer_units: What is said in it, (samples,), for a network that reads units.

    Returns:
        float32 (samples,) each, without the primer.

    Raises:
        ValueError: Where nothing is asked, or it is not said what the primer says.

    Example:

    >>> from toolkit import models
    >>> network = models.wavenet.wavenet([1, 2], filters=4, skip_filters=4, num_speakers=2, num_units=3)
    >>> found = speak(SoundGenerator(network), [Asked(0, np.zeros(30)), Asked(1, np.ones(50))])
    >>> [len(sound) for sound in found]
    [30, 50]

    Reference: van den Oord et al. 2016, arXiv 1609.03499, sections 3.1 and 3.2.
    """
    if not asked:
        raise ValueError("asked: expected one sound at least.")
    longest = max(len(each.units) for each in asked)
    how = {"temperature": temperature, "seed": seed, "num_sounds": len(asked), "prime": primer}
    if generator.reads["speaker"]:
        how["speaker"] = [each.speaker for each in asked]
    if generator.reads["unit"]:
        if (primer is None) != (primer_units is None):
            raise ValueError("This network reads units: give a primer, and the units in it, or neither.")
        before = np.zeros(0, "int32") if primer is None else primer_units
        hop = generator.model.get_layer("upsampling").hop
        rows = [np.append(before, each.units).astype("int32") for each in asked]
        rows = np.stack([np.pad(row, (0, len(before) + longest - len(row)), "edge") for row in rows])
        how["units"] = np.asarray(middles(rows, hop))
    sounds = generator.write(longest, **how)
    return [sound[: len(each.units)] for sound, each in zip(sounds, asked, strict=True)]
