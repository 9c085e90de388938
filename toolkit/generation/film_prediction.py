"""Frames after given frames: encoded by a VQ-VAE, carried on in codes alone, and decoded."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation.code_films import CodeFilmGenerator
from toolkit.generation.code_maps import CodeMapGenerator
from toolkit.generation.drawing import below_one
from toolkit.models import vqvae


class FilmPredictor:
    """Predicts frames; the same graph in Keras, SavedModel and TFLite.

    Args:
        prior: What `models.pixelcnn.pixelcnn` returned, of a frame's codes given those of the frames before.
        autoencoder: What `models.vqvae.vqvae` returned, of frames.

    Reference: van den Oord et al. 2017, arXiv 1711.00937, section 4.4.
    """

    def __init__(self, prior: keras.Model, autoencoder: keras.Model) -> None:
        self.codes = CodeFilmGenerator(CodeMapGenerator(prior))
        self.autoencoder, self.size = autoencoder, tuple(prior.input["codes"].shape[1:])
        self._function = None

    @property
    def num_maps(self) -> int:
        """Frames that must be given."""
        return self.codes.num_maps

    def generate(
        self, frames: tf.Tensor, temperature: ArrayLike = 1.0, *, num_frames: int, noise: ArrayLike | None = None
    ) -> tf.Tensor:
        """Draws frames after given ones.

        Args:
            frames: float32 (batch, given frames, height, width, channels), 0 to 255; the last ones count.
            temperature: As in `CodeFilmGenerator.generate`.
            num_frames: Frames to draw.
            noise: As there.

        Returns:
            float32 (batch, num_frames, height, width, channels), 0 to 255.

        Raises:
            ValueError: Where fewer frames are given than the prior reads.
        """
        if frames.shape[1] < self.num_maps:
            raise ValueError(f"expected {self.num_maps} frames before or more; got {frames.shape[1]}.")
        frames = frames[:, frames.shape[1] - self.num_maps :]
        codes = vqvae.codes(self.autoencoder, tf.reshape(frames, (-1, *frames.shape[2:])))
        codes = tf.reshape(codes, (-1, self.num_maps, *self.size))
        drawn = self.codes.generate(codes, temperature, num_frames=num_frames, noise=noise)
        drawn = tf.reshape(drawn, (-1, *vqvae.code_shape(self.autoencoder)))
        return tf.reshape(vqvae.decoded(self.autoencoder, drawn), (-1, num_frames, *frames.shape[2:]))

    def predict(self, frames: np.ndarray, num_frames: int, *, temperature: float = 1.0, seed: int = 0) -> np.ndarray:
        """Draws frames after given ones, at once; the same seed draws the same.

        Args:
            frames: (videos, given frames, height, width, channels), 0 to 255.
            num_frames: Frames to draw.
            temperature: As in `generate`.
            seed: Seed of the noise.

        Returns:
            uint8 (videos, num_frames, height, width, channels).
        """
        if self._function is None:
            self._function = tf.function(
                lambda frames, temperature, noise: self.generate(
                    frames, temperature, num_frames=noise.shape[1], noise=noise
                ),
                autograph=False,
            )
        noise = np.random.default_rng(seed).uniform(size=(len(frames), num_frames, *self.size))
        noise = tf.constant(below_one(noise))
        given = tf.constant(np.asarray(frames, "float32")[:, -self.num_maps :])
        found = self._function(given, tf.constant(temperature, tf.float32), noise).numpy()
        return np.clip(np.rint(found), 0, 255).astype("uint8")
