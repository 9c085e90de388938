"""Writing with a handwriting network: one while loop, the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from toolkit.models import handwriting


class Written(NamedTuple):
    """A line that a network wrote.

    Shapes:
        offsets: (points, 3), in the data's unit.
        weights: (points, characters), the window's weights phi; None for a network that reads no text.
        ended: Whether the line ended by itself, before its most points.
    """

    offsets: np.ndarray
    weights: np.ndarray | None
    ended: bool


class Writer:
    """Draws pen strokes from a handwriting network, point by point.

    Each step runs the network once, draws an offset from the mixture it emits, and feeds that back. A network with a
    text window stops a line when the window has left its text: phi(t, U + 1) > phi(t, u) for all u <= U.

    Args:
        model: What `models.handwriting.synthesis` or `prediction` returned.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting.synthesis(" abc", units=8, num_layers=2, num_mixtures=3, num_gaussians=2)
    >>> line = Writer(network).generate(text=[[97, 98, 99, 0]], num_steps=20)
    >>> line["strokes"].shape, line["length"].shape
    (TensorShape([1, 20, 3]), TensorShape([1]))

    Reference: Graves 2013, arXiv 1308.0850, sections 4 and 5.3 to 5.5.
    """

    def __init__(self, model) -> None:
        self.model = model
        self.step_model = handwriting.single_step(model)
        self.distribution = model.get_layer("density").distribution
        self.standardize = model.get_layer("standardize")
        self.reads_text = "characters" in self.step_model.input
        self._function = None
        self.state_sizes = {
            name: tensor.shape[-1]
            for name, tensor in self.step_model.input.items()
            if name not in ("offset", "characters")
        }

    def _check_text(self, text):
        if self.reads_text != (text is not None):
            raise ValueError(
                "This network reads text: give text." if self.reads_text else "This network reads no text."
            )

    def initial_state(self, batch_size) -> dict:
        """States of zeros.

        Args:
            batch_size: Lines written at once, a number or a scalar tensor.
        """
        return {name: tf.zeros((batch_size, size)) for name, size in self.state_sizes.items()}

    def characters(self, text):
        """Code points as the step takes them.

        Args:
            text: (batch, characters), Unicode code points, zeros at the end.

        Returns:
            (batch, characters, alphabet), one-hot.
        """
        return self.model.get_layer("characters")(text)

    def step(self, offset, state, characters=None, bias=0.0, noise=None):
        """Draws the next offset.

        Args:
            offset: The offset before, (batch, 3), standardized; zeros at first.
            state: As `initial_state` makes it.
            characters: As `characters` makes them, for a network that reads text.
            bias: Sampling bias, a number or (batch,).
            noise: (batch, num_noise): a uniform, two normal and a uniform number; fresh ones without it.

        Returns:
            The next offset (batch, 3), standardized; the next state; the window's weights (batch, characters) or None.
        """
        params, state, weights = self._advance(offset, state, characters)
        if noise is None:
            # Stateful random ops: the stateless ones of keras.random have no TFLite counterpart.
            batch = tf.shape(offset)[0]
            uniform = tf.random.uniform((batch, 2))
            noise = tf.concat([uniform[:, :1], tf.random.normal((batch, 2)), uniform[:, 1:]], axis=-1)
        return self.distribution.sample(params, bias=bias, noise=noise), state, weights

    def _advance(self, offset, state, characters):
        inputs = {"offset": offset, **state}
        if self.reads_text:
            inputs["characters"] = characters
        outputs = self.step_model(inputs)
        state = {name: tf.cast(outputs[name], tf.float32) for name in state}
        return outputs["params"], state, outputs.get("weights")

    def score(self, strokes, length, text=None):
        """How likely the network finds real lines, by the same step that writes.

        Args:
            strokes: (batch, points, 3), offsets in the data's unit, anything after the end.
            length: (batch,), points of each line.
            text: As in `generate`, for a network that reads text.

        Returns:
            {"log_loss": (batch,)}, -log p of each whole line in nats; offsets count in standard deviations.

        Raises:
            ValueError: Where the network reads text and there is none, or the reverse.

        Example:

        >>> from toolkit import models
        >>> network = models.handwriting.prediction(units=8, num_layers=1, num_mixtures=3)
        >>> Writer(network).score(tf.zeros((2, 5, 3)), tf.constant([5, 3]))["log_loss"].shape
        TensorShape([2])
        """
        self._check_text(text)
        characters = self.characters(tf.cast(text, tf.int32)) if self.reads_text else None
        points = self.standardize(tf.cast(strokes, tf.float32))
        rows = points.shape[0] or tf.shape(points)[0]

        def keep_on(t, offset, state, nats):
            return t < tf.reduce_max(length)

        def add_point(t, offset, state, nats):
            params, state, _ = self._advance(offset, state, characters)
            point = points[:, t]
            return t + 1, point, state, nats - tf.where(t < length, self.distribution.log_prob(params, point), 0.0)

        start = (tf.constant(0), tf.zeros((rows, 3)), self.initial_state(rows), tf.zeros((rows,)))
        return {"log_loss": tf.while_loop(keep_on, add_point, start)[-1]}

    def along(self, offsets, text=None) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Leads the network along one real line.

        Args:
            offsets: (points, 3), in the data's unit.
            text: (characters,), code points with a zero at the end, for a network that reads text.

        Yields:
            What `step` takes at each point: the offset before it (1, 3), standardized, and the states by name.
        """
        self._check_text(text)
        characters = self.characters(tf.cast(text, tf.int32)[None]) if self.reads_text else None
        offset, state = np.zeros((1, 3), "float32"), self.initial_state(1)
        advance = tf.function(lambda offset, state: self._advance(offset, state, characters)[1], autograph=False)
        for point in np.asarray(self.standardize(np.asarray(offsets, "float32")[None]))[0]:
            yield offset, {name: np.asarray(value) for name, value in state.items()}
            state, offset = advance(tf.constant(offset), state), point[None]

    def generate(self, text=None, bias=0.0, *, num_steps: int, noise=None, prime=None, batch_size: int | None = None):
        """Writes lines.

        Args:
            text: (batch, characters), Unicode code points with at least one zero at the end of each; with `prime`, the
                primer's own text before the text to write. Only for a network that reads text.
            bias: Sampling bias b >= 0, a number or (batch,): 0 writes as the data does, 1 neatly.
            num_steps: Most points in a line.
            noise: (batch, num_steps, num_noise), for a result that can be repeated; fresh noise without it.
            prime: Real offsets (batch, points, 3), in the data's unit, whose hand is to be carried on.
            batch_size: Lines to write, for a network without text.

        Returns:
            A dictionary: "strokes" (batch, num_steps, 3) in the data's unit, zeros after the end; "length" (batch,),
            points written, `num_steps` where the line did not end; and for a network that reads text "weights" (batch,
            num_steps, characters), the window at each point.

        Raises:
            ValueError: Where the network reads text and there is none, or the reverse.
        """
        self._check_text(text)
        characters, num_characters, last = None, 0, None
        if self.reads_text:
            text = tf.cast(text, tf.int32)
            characters = self.characters(text)
            batch_size, num_characters = text.shape[0] or tf.shape(text)[0], text.shape[1]
            positions = tf.range(num_characters)[None]
            last = tf.reduce_sum(tf.cast(text != 0, tf.int32), axis=1)[:, None]
        num_primed = 0
        if prime is not None:
            prime = self.standardize(prime)
            num_primed = prime.shape[1]
        bias = tf.broadcast_to(tf.cast(bias, tf.float32), (batch_size,))
        num_total = num_primed + num_steps

        def keep_on(t, offset, state, running, lengths, strokes, weights):
            return tf.logical_and(t < num_total, tf.reduce_any(running))

        def write_point(t, offset, state, running, lengths, strokes, weights):
            drawn = t - num_primed
            here = None if noise is None else noise[:, tf.maximum(drawn, 0)]
            sampled, state, phi = self.step(offset, state, characters, bias, here)
            if self.reads_text:
                beyond = tf.reduce_max(tf.where(positions == last, phi, 0.0), axis=1)
                inside = tf.reduce_max(tf.where(positions < last, phi, 0.0), axis=1)
                ended = tf.logical_and(beyond > inside, drawn >= 0)
                running = tf.logical_and(running, tf.logical_not(ended))
                phi = tf.where(running[:, None], phi, 0.0)
            if prime is not None:
                sampled = tf.where(drawn < 0, prime[:, tf.minimum(t, num_primed - 1)], sampled)
            alive = tf.where(running[:, None], sampled, 0.0)
            lengths += tf.cast(tf.logical_and(running, drawn >= 0), tf.int32)
            strokes = strokes.write(t, alive)
            if self.reads_text:
                weights = weights.write(t, phi)
            return t + 1, alive, state, running, lengths, strokes, weights

        rows = None if isinstance(batch_size, tf.Tensor) else batch_size
        start = (
            tf.constant(0),
            tf.zeros((batch_size, 3)),
            self.initial_state(batch_size),
            tf.ones((batch_size,), tf.bool),
            tf.zeros((batch_size,), tf.int32),
            tf.TensorArray(tf.float32, num_total, element_shape=(rows, 3)),
            tf.TensorArray(tf.float32, num_total if self.reads_text else 0, element_shape=(rows, num_characters)),
        )
        *_, lengths, strokes, weights = tf.while_loop(keep_on, write_point, start)
        written = strokes.stack()[num_primed:]
        real = self.standardize.inverse(written)
        inside = tf.range(num_steps)[:, None] < lengths[None]
        real = tf.where(inside[..., None], real, 0.0)
        result = {"strokes": tf.transpose(real, (1, 0, 2)), "length": lengths}
        if self.reads_text:
            result["weights"] = tf.transpose(weights.stack()[num_primed:], (1, 0, 2))
        return result

    def write(
        self,
        texts: Sequence[str] | int,
        bias: float | Sequence[float] = 0.0,
        *,
        max_points: int = 600,
        seed: int = 0,
        prime: tuple[np.ndarray, str] | None = None,
    ) -> list[Written]:
        """Writes texts, all at once; the same seed writes the same lines.

        Args:
            texts: The texts; for a network that reads none, the number of lines.
            bias: Sampling bias, for all or for each line.
            max_points: Most points in a line.
            seed: Seed of the noise.
            prime: A real line's offsets (points, 3), in the data's unit, and its text: the hand to carry on.

        Returns:
            A line for each text.

        Raises:
            ValueError: Where a text is empty or has characters outside the model's alphabet.
        """
        text, first, num_lines = None, 0, texts
        if self.reads_text:
            before = "" if prime is None else prime[1]
            num_lines, first = len(texts), len(before)
            layer = self.model.get_layer("characters")
            encoded = [layer.encode(text) for text in texts]  # each by itself: a primer must not hide an empty text
            encoded = [layer.encode(before + text) for text in texts] if before else encoded
            # A few lengths only: each new one traces the graph again.
            text = np.zeros((num_lines, -(-max(map(len, encoded)) // 32) * 32), "int32")
            for row, codes in zip(text, encoded, strict=True):
                row[: len(codes)] = codes
        noise = self.noise(num_lines, max_points, seed)
        primer = None
        if prime is not None:
            primer = tf.constant(np.broadcast_to(prime[0], (num_lines, *np.shape(prime[0]))), tf.float32)
        biases = np.broadcast_to(np.asarray(bias, "float32"), (num_lines,))
        result = self._compiled(text, biases, noise, primer)
        lengths = result["length"].numpy()
        strokes = result["strokes"].numpy()
        lines = []
        for row, length in enumerate(lengths):
            weights = None
            if self.reads_text:
                weights = result["weights"].numpy()[row, :length, first : first + len(texts[row])]
            lines.append(Written(strokes[row, :length], weights, bool(length < max_points)))
        return lines

    def _compiled(self, text, bias, noise, prime):
        if self._function is None:
            self._function = tf.function(
                lambda text, bias, noise, prime: self.generate(
                    text, bias, num_steps=noise.shape[1], noise=noise, prime=prime, batch_size=noise.shape[0]
                ),
                autograph=False,
            )
        return self._function(None if text is None else tf.constant(text), tf.constant(bias), tf.constant(noise), prime)

    def noise(self, num_lines: int, num_steps: int, seed: int) -> np.ndarray:
        """Noise for `generate`.

        Args:
            num_lines: Lines.
            num_steps: Points in each.
            seed: Equal seeds give equal noise.

        Returns:
            float32 (num_lines, num_steps, num_noise): uniform, normal, normal and uniform numbers.
        """
        random = np.random.default_rng(seed)
        noise = random.standard_normal((num_lines, num_steps, self.distribution.num_noise)).astype("float32")
        noise[..., [0, -1]] = random.uniform(size=(num_lines, num_steps, 2))
        return noise
