"""Speech that nobody has said: codes by a prior, spoken by the autoencoder's decoder."""

from collections.abc import Sequence

import keras
import numpy as np

from toolkit.generation.audio import SoundGenerator
from toolkit.generation.voice_conversion import VoiceConverter


class SpeechInventor:
    """Draws codes one after another, each from all those before it, and speaks them.

    Args:
        prior: What `models.wavenet.wavenet` returned with `codes=True`, trained on the converter's codes.
        converter: Whose decoder speaks.

    Raises:
        ValueError: Where the prior's codes are not as many as the decoder's.

    Example:

    >>> from toolkit.models import vqvae_sound, wavenet
    >>> how = {"num_embeddings": 8, "num_downsamplings": 2, "encoder_filters": 4, "num_speakers": 2}
    >>> converter = VoiceConverter(vqvae_sound.vqvae_sound([1, 2], 4, 4, **how))
    >>> prior = wavenet.wavenet([1, 2], 4, 4, num_levels=8, codes=True, num_speakers=2)
    >>> codes, sounds = SpeechInventor(prior, converter).invent([0, 1], 30)
    >>> codes.shape, [len(sound) for sound in sounds]
    ((2, 8), [30, 30])

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.3.
    """

    def __init__(self, prior: keras.Model, converter: VoiceConverter) -> None:
        self.writer, self.converter = SoundGenerator(prior), converter
        mine, its = self.writer.levels.num_levels, converter.writer.model.get_layer("unit_embedding").input_dim
        if mine != its:
            raise ValueError(f"The prior writes {mine} codes, and the decoder speaks {its}.")

    def draw(self, speakers: Sequence[int], num_codes: int, *, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """Draws codes.

        Args:
            speakers: The number of each sound's speaker.
            num_codes: Codes of each.
            temperature: 1: as the prior expects; less: the likelier codes.
            seed: Seed of the noise.

        Returns:
            int32 (sounds, num_codes).

        Raises:
            ValueError: Where there is no speaker, or a number is out of range.
        """
        given = {"speaker": speakers} if self.writer.reads["speaker"] else {}
        how = {"num_sounds": len(speakers), "temperature": temperature, "seed": seed}
        return self.writer.write(num_codes, **given, **how).astype("int32")

    def invent(
        self, speakers: Sequence[int], num_samples: int, *, temperature: float = 1.0, seed: int = 0
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        """Invents sounds, all together.

        Args:
            speakers: The number of each one's speaker.
            num_samples: Samples of each.
            temperature: 1: as both networks expect; less: less noise.
            seed: Seed of the noise.

        Returns:
            Codes, int32 (sounds, codes), and float32 (num_samples,) of each.

        Raises:
            ValueError: Where there is no speaker, or a number is out of range.
        """
        how = {"temperature": temperature, "seed": seed}
        codes = self.draw(speakers, -(-num_samples // self.converter.hop), **how)
        return codes, self.converter.decode(codes, speakers, [num_samples] * len(speakers), **how)
