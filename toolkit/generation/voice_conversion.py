"""What one voice says, by another: sound through its codes."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from toolkit.generation.audio import SoundGenerator
from toolkit.generation.speaking import Asked, speak
from toolkit.models import vqvae_sound


class Utterance(NamedTuple):
    """Codes that are to be spoken.

    Args:
        codes: (codes,), integers.
        speaker: The speaker's number.
        length: Samples of the sound.
    """

    codes: np.ndarray
    speaker: int
    length: int


class VoiceConverter:
    """Encodes sound, and speaks it anew in the voice that is asked for.

    Args:
        model: What `models.vqvae_sound.vqvae_sound` returned, trained. The decoder's weights are copied: if the model
            is trained on, make a new converter.

    Attributes:
        hop: Samples of a code.
        writer: The `SoundGenerator` of the decoder.

    Example:

    >>> how = {"num_embeddings": 8, "num_downsamplings": 2, "encoder_filters": 4, "num_speakers": 2}
    >>> converter = VoiceConverter(vqvae_sound.vqvae_sound([1, 2], 4, 4, **how))
    >>> sound = np.zeros(30, "float32")
    >>> converter.encode(sound).shape, [len(each) for each in converter.convert([sound, sound[:9]], [1, 0])]
    ((8,), [30, 9])

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """

    def __init__(self, model: keras.Model) -> None:
        self._encode, half = vqvae_sound.encoder(model), vqvae_sound.decoder(model)
        self.writer, self.hop = SoundGenerator(half), half.get_layer("upsampling").hop

    def encode(self, waveform: np.ndarray) -> np.ndarray:
        """Finds the codes of a sound.

        Args:
            waveform: (samples,), in [-1, 1].

        Returns:
            int32 (ceil(samples / hop),).
        """
        return np.asarray(self._encode(np.asarray(waveform, "float32")[None]))[0]

    def convert(
        self,
        waveforms: Sequence[np.ndarray],
        speakers: Sequence[int],
        *,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[np.ndarray]:
        """Speaks sounds anew, all together.

        Args:
            waveforms: (samples,) each, in [-1, 1].
            speakers: The number of each one's new speaker; the old one's gives the sound as it was, rebuilt.
            temperature: As in `SoundGenerator.generate`.
            seed: Seed of the noise.

        Returns:
            float32 (samples,) each, as long as those given.

        Raises:
            ValueError: Where there is no sound, or not a speaker for each.
        """
        lengths = [len(each) for each in waveforms]
        return self.decode(map(self.encode, waveforms), speakers, lengths, temperature=temperature, seed=seed)

    def decode(
        self,
        codes: Iterable[np.ndarray],
        speakers: Sequence[int],
        lengths: Sequence[int],
        *,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[np.ndarray]:
        """Speaks codes, all together, such as a prior's.

        Args:
            codes: (codes,) each, integers.
            speakers: The number of each one's speaker.
            lengths: Samples of each sound, at most `hop` times as many as its codes.
            temperature: As in `SoundGenerator.generate`.
            seed: Seed of the noise.

        Returns:
            float32 (samples,) each.

        Raises:
            ValueError: Where there are no codes, or not a speaker and a length for each.
        """
        codes = list(codes)
        if not len(codes) == len(speakers) == len(lengths):
            raise ValueError(
                f"expected a speaker and a length for each of {len(codes)} sounds; got {len(speakers)} and "
                f"{len(lengths)}."
            )
        tracks = [np.repeat(each, self.hop)[:length] for each, length in zip(codes, lengths, strict=True)]
        asked = [Asked(*each) for each in zip(speakers, tracks, strict=True)]
        return speak(self.writer, asked, temperature=temperature, seed=seed)

    def utterances(self, recordings: Iterable[Any]) -> list[Utterance]:
        """Encodes recordings, to be spoken anew by who spoke them.

        Args:
            recordings: Anything with `waveform` (samples,), in [-1, 1], and `speaker`, a number.

        Returns:
            One for each; `each._replace(speaker=...)` is the same by somebody else.
        """
        return [Utterance(self.encode(each.waveform), each.speaker, len(each.waveform)) for each in recordings]

    def speak_kinds(
        self, kinds: Mapping[str, Sequence[Utterance]], *, temperature: float = 1.0, seed: int = 0
    ) -> dict[str, list[np.ndarray]]:
        """Speaks utterances of several kinds, all together.

        Args:
            kinds: By the name of each kind, its utterances.
            temperature: As in `SoundGenerator.generate`.
            seed: Seed of the noise.

        Returns:
            By the same names, float32 (length,) of each.

        Raises:
            ValueError: As in `decode`.
        """
        every = [utterance for its in kinds.values() for utterance in its]
        sounds = iter(self.decode(*map(list, zip(*every, strict=True)), temperature=temperature, seed=seed))
        return {kind: list(itertools.islice(sounds, len(its))) for kind, its in kinds.items()}
