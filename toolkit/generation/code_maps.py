"""Maps of codes from a gated PixelCNN or a PixelSNAIL, the same graph in Keras, SavedModel and TFLite."""

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation import loop
from toolkit.generation.code_rows import CodeRows, clamped
from toolkit.generation.drawing import below_one, draw_token, token_nats


class CodeMapGenerator(CodeRows):
    """Draws maps from a gated PixelCNN or a PixelSNAIL, code by code, each from all those before it.

    A loop over rows, and in it the shared loop over the places of a row: a code costs as much as the network has
    blocks, however many come before it; attention, where there is some, looks back at all of the map.

    Args:
        model: What `models.pixelcnn.pixelcnn` or `models.pixelsnail.pixelsnail` returned.

    Example:

    >>> from toolkit import models
    >>> network = models.pixelcnn.pixelcnn(4, 6, 16, filters=8, num_blocks=3, head_filters=8, num_classes=3)
    >>> CodeMapGenerator(network).generate(label=[0, 2]).shape
    TensorShape([2, 4, 6])

    Reference: van den Oord et al. 2016, arXiv 1606.05328, section 2.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__(model)
        self._function = None

    def generate(
        self,
        label: ArrayLike | None = None,
        context: ArrayLike | None = None,
        temperature: ArrayLike = 1.0,
        *,
        noise: ArrayLike | None = None,
        batch_size: int | tf.Tensor | None = None,
    ) -> tf.Tensor:
        """Writes maps.

        Args:
            label: (batch,), integers, for a network that reads them.
            context: (batch, num_maps, rows, columns), integers, maps that are known, for a network that reads them.
            temperature: A number or (batch,): 1 to write as the model expects, less for less noise.
            noise: (batch, height, width), uniform in [0, 1), for a result that can be repeated.
            batch_size: Maps to write, where nothing else says how many; 1 without it.

        Returns:
            (batch, height, width), int32.

        Raises:
            ValueError: Where the network reads what is not given, or the reverse.
        """
        prepared = self.prepare(label, context)
        for value in (label, context, noise):
            if value is not None and batch_size is None:
                batch_size = np.shape(value)[0] or tf.shape(value)[0]
        batch_size = 1 if batch_size is None else batch_size
        temperature = tf.broadcast_to(tf.cast(temperature, tf.float32), (batch_size,))
        if noise is None:
            noise = tf.random.uniform((batch_size, self.height, self.width))
        noise = tf.convert_to_tensor(noise)

        return self._by_rows(
            prepared,
            batch_size,
            draw=lambda logits, here: draw_token(logits, here, temperature),
            noise=noise,
        )[0]

    def score(
        self, codes: ArrayLike, label: ArrayLike | None = None, context: ArrayLike | None = None
    ) -> dict[str, tf.Tensor]:
        """What real maps take, by the same step that writes.

        Args:
            codes: (batch, height, width), integers.
            label: As in `generate`.
            context: As in `generate`.

        Returns:
            {"nats": (batch,)}, -log p of each whole map.
        """
        codes = clamped(codes, self.num_codes)
        batch_size = codes.shape[0] or tf.shape(codes)[0]
        return {"nats": self._by_rows(self.prepare(label, context), batch_size, lambda _, code: code, codes)[1]}

    def _by_rows(self, prepared, batch_size, draw, noise):
        """Maps (batch, height, width) of codes that are drawn by `noise` of that shape, and the nats of each map."""

        def emit(code, state, given):
            logits, state = self.step(code, state, prepared, given)
            return {"logits": logits}, state

        def body(row, above, rows, state, total, written):
            given, rows = self.read_row(above, row, rows, prepared)
            its = loop.generate(
                emit,
                above[:, -1],
                self.next_row(state),
                num_steps=self.width,
                context=(given,),
                draw=lambda output, here: draw(output["logits"], here),
                noise=noise[:, row],
                keep={"logits": (self.num_codes,)},
            )
            total += tf.reduce_sum(token_nats(its.kept["logits"], its.values), axis=1)
            return row + 1, its.values, rows, its.state, total, written.write(row, its.values)

        empty = tf.fill((batch_size, self.width), self.num_codes)
        written = tf.TensorArray(tf.int32, self.height, element_shape=(empty.shape[0], self.width))
        rows, state, total = self.initial_rows(batch_size), self.initial_state(batch_size), tf.zeros((batch_size,))
        start = (tf.constant(0), empty, rows, state, total, written)
        *_, total, written = tf.while_loop(lambda row, *_: row < self.height, body, start)
        return tf.transpose(written.stack(), (1, 0, 2)), total

    def write(
        self,
        num: int,
        *,
        label: int | ArrayLike | None = None,
        context: ArrayLike | None = None,
        temperature: float = 1.0,
        seed: int = 0,
        noise: ArrayLike | None = None,
    ) -> np.ndarray:
        """Writes maps at once; the same seed writes the same.

        Args:
            num: Maps to write.
            label: For all, or for each.
            context: (num_maps, rows, columns), for all, or (num, num_maps, rows, columns).
            temperature: As in `generate`.
            seed: Seed of the noise.
            noise: The noise itself, as in `generate`.

        Returns:
            int32 (num, height, width).

        Raises:
            ValueError: Where a number is out of range, or the network reads what is not given.
        """
        if num < 1 or not temperature >= 0:
            raise ValueError(f"num must be at least 1 and temperature at least 0; got {num} and {temperature}.")
        given = {name: value for name, value in (("label", label), ("context", context)) if value is not None}
        for name in set(given) & set(self.reads):
            value, most = np.asarray(given[name], "int32"), self.num_values(name)
            if value.min() < 0 or value.max() >= most:
                raise ValueError(f"expected each {name} from 0 to {most - 1}; got {value.min()} to {value.max()}.")
            given[name] = np.broadcast_to(value, (num, *self.model.input[name].shape[1:]))
        given = {name: tf.constant(value, tf.int32) for name, value in given.items()}
        if self._function is None:
            self._function = tf.function(
                lambda noise, temperature, **given: self.generate(noise=noise, temperature=temperature, **given),
                autograph=False,
            )
        if noise is None:
            noise = np.random.default_rng(seed).uniform(size=(num, self.height, self.width))
        return self._function(tf.constant(below_one(noise)), tf.constant(temperature, tf.float32), **given).numpy()
