"""Sound from a WaveNet, the same graph in Keras, SavedModel and TFLite."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation import loop
from toolkit.generation.drawing import below_one, draw_token, token_nats
from toolkit.generation.sample_queues import CHUNK, SampleQueues


class SoundGenerator(SampleQueues):
    """Draws sound from a WaveNet, sample by sample, each from all those before it.

    A sample costs as much as the network has blocks, not as much as it sees.

    Args:
        model: What `models.wavenet.wavenet` returned.

    Example:

    >>> from toolkit import models
    >>> network = models.wavenet.wavenet([1, 2, 4], filters=8, skip_filters=8, num_speakers=2)
    >>> sound = SoundGenerator(network).generate(speaker=[0, 1, 1], num_steps=40)
    >>> sound["audio"].shape, sound["length"].numpy().tolist()
    (TensorShape([3, 40]), [40, 40, 40])

    Reference: van den Oord et al. 2016, arXiv 1609.03499, section 2.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        self._function = None

    @property
    def num_noise(self) -> tuple[int, ...]:
        """Axes of one sample's noise: () of a softmax, (2,) of a mixture of logistics."""
        return () if self.distribution is None else (self.distribution.num_noise,)

    def draw(self, params: tf.Tensor, noise: ArrayLike | None = None, temperature: ArrayLike = 1.0) -> tf.Tensor:
        """Draws a level from what `step` returned.

        Args:
            params: (batch, num_params).
            noise: (batch, *num_noise), uniform in [0, 1); fresh noise without it.
            temperature: As in `generate`.

        Returns:
            (batch,), int32.
        """
        if self.distribution is None:
            return draw_token(params, noise, temperature)
        if noise is None:
            noise = tf.random.uniform((tf.shape(params)[0], self.distribution.num_noise))
        return self.distribution.sample(params, temperature, noise)

    def generate(
        self,
        speaker: ArrayLike | None = None,
        units: ArrayLike | None = None,
        temperature: ArrayLike = 1.0,
        *,
        num_steps: int,
        length: ArrayLike | None = None,
        prime: ArrayLike | None = None,
        prime_length: ArrayLike | None = None,
        noise: ArrayLike | None = None,
        batch_size: int | None = None,
    ) -> dict[str, tf.Tensor]:
        """Writes sounds.

        Args:
            speaker: (batch,), integers, for a network that reads them.
            units: (batch, frames), integers, for a network that reads them: the primer's, and then those of what is
                written; where they end, the last one goes on.
            temperature: A number or (batch,): 1 to write as the model expects, less for less noise.
            num_steps: Most samples of a sound.
            length: (batch,), samples to write; `num_steps` without it.
            prime: Real sound (batch, time), in [-1, 1], that is to be carried on.
            prime_length: (batch,), samples of each primer; all without it.
            noise: (batch, num_steps, *num_noise), uniform in [0, 1), for a result that can be repeated.
            batch_size: Sounds to write, where nothing else says how many.

        Returns:
            {"audio": (batch, num_steps), in [-1, 1], zeros after the end, without the primer; "length": (batch,)}.

        Raises:
            ValueError: Where the network reads what is not given, or the reverse.
        """
        frames = self.frames(units) if self.reads["unit"] and units is not None else units
        for given in (speaker, units, prime, noise):
            if given is not None and batch_size is None:
                batch_size = np.shape(given)[0] or tf.shape(given)[0]
        batch_size = 1 if batch_size is None else batch_size
        temperature = tf.broadcast_to(tf.cast(temperature, tf.float32), (batch_size,))
        most = num_steps if length is None else tf.clip_by_value(tf.cast(length, tf.int32), 0, num_steps)
        length = tf.broadcast_to(most, (batch_size,))
        prepared = self.prepare(batch_size, speaker, frames)
        given = None if prime is None else self.levels(tf.cast(prime, tf.float32))
        if self.num_far:
            if noise is None:
                noise = tf.random.uniform((batch_size, num_steps, *self.num_noise))
            levels = self._by_chunks(prepared, temperature, noise, length, given, prime_length)
        else:
            levels = loop.generate(
                self.step,
                tf.fill((batch_size,), self.levels.silence),
                self.initial_state(batch_size),
                num_steps=num_steps,
                context=(prepared,),
                draw=lambda params, here: self.draw(params, here, temperature),
                noise=noise,
                given=given,
                given_length=prime_length,
                length=length,
            ).values
        inside = tf.range(num_steps)[None] < length[:, None]
        return {"audio": tf.where(inside, self.levels.inverse(levels), 0.0), "length": length}

    def _by_chunks(self, prepared, temperature, noise, length, given, given_length):
        """The loop in a loop: the inner one, over a chunk, carries the short queues only.

        What a loop carries TFLite copies at every turn, so that a sample would cost more the farther the network sees.
        """
        batch_size, num_steps = noise.shape[0] or tf.shape(noise)[0], noise.shape[1]
        num_given = 0 if given is None else given.shape[1]
        num_chunks = -(-(num_given + num_steps) // CHUNK)
        places = tf.range(num_chunks * CHUNK)[None]
        begin = tf.fill((batch_size,), num_given)
        if given_length is not None:
            begin = tf.clip_by_value(tf.cast(given_length, tf.int32), 0, num_given)
        # Of each place: what it is drawn from, and the level that is given there, above 0, or 0.
        here = tf.clip_by_value(places - begin[:, None], 0, num_steps - 1)
        noise = tf.gather(tf.reshape(noise, (batch_size, num_steps, -1)), here, axis=1, batch_dims=1)
        known = tf.zeros_like(here)
        if given is not None:
            known = tf.pad(given + 1, [[0, 0], [0, num_chunks * CHUNK - num_given]])
            known = tf.where(places < begin[:, None], known, 0)
        noise = tf.concat([noise, tf.cast(known, tf.float32)[..., None]], axis=-1)

        def draw(params, noise):
            drawn = self.draw(params, tf.reshape(noise[:, :-1], (-1, *self.num_noise)), temperature)
            known = tf.cast(noise[:, -1], tf.int32)
            return tf.where(known > 0, known - 1, drawn)

        def write(chunk, level, near, far, levels):
            collecting = tf.zeros((CHUNK * self.num_far, batch_size, self.channels))
            written = loop.generate(
                self.step_near,
                level,
                {"queues": tf.concat([near, collecting], axis=0), "position": tf.reshape(chunk * CHUNK, (1,))},
                num_steps=CHUNK,
                context=(prepared, self.look_far(far, chunk, prepared)),
                draw=draw,
                noise=tf.slice(noise, (0, chunk * CHUNK, 0), (-1, CHUNK, noise.shape[-1])),
            )
            queues = written.state["queues"]
            levels = levels.write(chunk, written.values)
            return chunk + 1, written.values[:, -1], queues[: near.shape[0]], self.put_far(far, chunk, queues), levels

        queues, end = self.initial_state(batch_size)["queues"], tf.reduce_max(begin + length)
        num_near = self.num_rows - self.num_far_rows
        start = (
            tf.constant(0),
            tf.fill((batch_size,), self.levels.silence),
            queues[:num_near],
            queues[num_near:],
            tf.TensorArray(tf.int32, num_chunks, element_shape=(noise.shape[0], CHUNK)),
        )
        *_, levels = tf.while_loop(lambda chunk, *_: chunk * CHUNK < end, write, start)
        levels = tf.reshape(tf.transpose(levels.stack(), (1, 0, 2)), (batch_size, num_chunks * CHUNK))
        return tf.gather(levels, begin[:, None] + tf.range(num_steps)[None], axis=1, batch_dims=1)

    def score(
        self,
        audio: ArrayLike,
        length: ArrayLike,
        speaker: ArrayLike | None = None,
        units: ArrayLike | None = None,
    ) -> dict[str, tf.Tensor]:
        """What real sound takes, by the same step that writes.

        Args:
            audio: (batch, time), in [-1, 1], anything after the end.
            length: (batch,), samples of each sound.
            speaker: As in `generate`.
            units: As in `generate`.

        Returns:
            {"nats": (batch,)}, -log p of each whole sound, its first sample after silence.
        """
        levels = self.levels(tf.cast(audio, tf.float32))
        batch_size = levels.shape[0] or tf.shape(levels)[0]
        frames = self.frames(units) if self.reads["unit"] and units is not None else units
        first, state = tf.fill((batch_size,), self.levels.silence), self.initial_state(batch_size)
        context = (self.prepare(batch_size, speaker, frames),)
        return {"nats": loop.score(self.step, first, state, levels, length, self.nats, context)}

    def nats(self, params: tf.Tensor, level: tf.Tensor) -> tf.Tensor:
        """What levels take.

        Args:
            params: What the network emits, (..., num_params).
            level: (...), integers.

        Returns:
            (...), -log p of each.
        """
        if self.distribution is not None:
            return -self.distribution.log_prob(params, level)
        return token_nats(params, level)

    def write(
        self,
        num_samples: int,
        *,
        num_sounds: int = 1,
        speaker: int | ArrayLike | None = None,
        units: ArrayLike | None = None,
        prime: ArrayLike | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        noise: ArrayLike | None = None,
    ) -> np.ndarray:
        """Writes sounds at once; the same seed writes the same.

        Args:
            num_samples: Samples to write.
            num_sounds: Sounds to write.
            speaker: For all, or for each.
            units: (frames,), for all, or (num_sounds, frames).
            prime: Real sound (time,), in [-1, 1], that is to be carried on.
            temperature: As in `generate`.
            seed: Seed of the noise.
            noise: The noise itself, as in `generate`.

        Returns:
            float32 (num_sounds, num_samples), in [-1, 1], without the primer.

        Raises:
            ValueError: Where a number is out of range, or the network reads what is not given.
        """
        if num_samples < 1 or num_sounds < 1 or not temperature >= 0:
            raise ValueError(
                "num_samples and num_sounds must be at least 1 and temperature at least 0; got "
                f"{num_samples}, {num_sounds} and {temperature}."
            )
        if self._function is None:
            self._function = tf.function(
                lambda noise, **given: self.generate(num_steps=noise.shape[1], noise=noise, **given)["audio"],
                autograph=False,
            )
        if noise is None:
            noise = np.random.default_rng(seed).uniform(size=(num_sounds, num_samples, *self.num_noise))
        given: dict[str, Any] = {"temperature": np.full(num_sounds, temperature, "float32")}
        if speaker is not None:
            given["speaker"] = np.broadcast_to(np.asarray(speaker, "int32"), (num_sounds,))
        if units is not None:
            units = np.asarray(units, "int32")
            given["units"] = np.broadcast_to(units, (num_sounds, units.shape[-1]))
        if prime is not None:
            given["prime"] = np.tile(np.asarray(prime, "float32").reshape(-1), (num_sounds, 1))
        given = {name: tf.constant(value) for name, value in given.items()}
        return self._function(tf.constant(below_one(noise)), **given).numpy()
