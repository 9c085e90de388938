"""Images from the priors of their codes: the codes are drawn level by level, and decoded."""

import math
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation.code_levels import CodeLevelsGenerator
from toolkit.models import code_levels, pixelcnn, vqvae2

_TOGETHER = 100  # images


class ImageDrawer:
    """Draws images of classes.

    Args:
        priors: As in `CodeLevelsGenerator`; of fewer levels than the autoencoder has, the finer ones' vectors are zeros
            in what is drawn.
        autoencoder: What `models.vqvae.vqvae` or `models.vqvae2.vqvae2` returned, whose codes the priors know.

    Reference: Razavi et al. 2019, arXiv 1906.00446, figure 2b.
    """

    def __init__(self, priors: Sequence[keras.Model], autoencoder: keras.Model) -> None:
        self.codes = CodeLevelsGenerator(priors)
        self.class_names = pixelcnn.class_names(priors[0])
        shapes = vqvae2.code_shapes(autoencoder)
        self._shapes, self._missing = shapes[: len(priors)], [None] * (len(shapes) - len(priors))
        self._num_codes = [prior.output_shape[-1] for prior in priors]
        self._decode = tf.function(
            lambda codes: vqvae2.decoded(autoencoder, [*code_levels.parted(codes, self._shapes), *self._missing]),
            reduce_retracing=True,
            autograph=False,
        )

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Decodes some at a time.

        Args:
            codes: Integers (images, places), as `models.code_levels.joined` lays them; of one level any shape of as
                many places.

        Returns:
            float32 (images, height, width, channels), 0 to 255.
        """
        codes = np.reshape(codes, (len(codes), -1)).astype("int32")
        blocks = np.array_split(codes, -(-len(codes) // _TOGETHER))
        return np.concatenate([self._decode(tf.constant(block)).numpy() for block in blocks])

    def draw(self, labels: ArrayLike, *, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """Draws images of classes; the same seed draws the same.

        Args:
            labels: (images,), numbers of classes; of priors that know none only how many counts.
            temperature: 1 to draw as the priors expect, less for the likelier codes.
            seed: Seed of the noise.

        Returns:
            float32 (images, height, width, channels), 0 to 255.

        Raises:
            ValueError: As in `CodeLevelsGenerator.write`.
        """
        return self.decode(self.codes.write(len(labels), label=labels, temperature=temperature, seed=seed))

    def draw_uniform(self, num: int, *, seed: int = 0) -> np.ndarray:
        """Draws images of codes that are all alike probable, with which those of the priors compare.

        Args:
            num: Images.
            seed: Seed of the codes.

        Returns:
            As `draw` does.
        """
        random = np.random.default_rng(seed)
        sizes = [math.prod(shape) for shape in self._shapes]
        levels = [random.integers(0, most, (num, size)) for most, size in zip(self._num_codes, sizes, strict=True)]
        return self.decode(np.concatenate(levels, axis=1))
