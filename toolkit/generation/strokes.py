"""Writing with a handwriting network: one while loop, the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from toolkit.generation import loop
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
        output, state = self._advance(offset, state, *(() if characters is None else (characters,)))
        return self._draw(output["params"], bias, noise), state, output.get("weights")

    def _advance(self, offset, state, characters=None):
        """The step of the loop: what the network emits, before anything is drawn from it."""
        inputs = {"offset": offset, **state}
        if self.reads_text:
            inputs["characters"] = characters
        outputs = self.step_model(inputs)
        return outputs, {name: tf.cast(outputs[name], tf.float32) for name in state}

    def _draw(self, params, bias, noise):
        if noise is None:
            # Stateful random ops: the stateless ones of keras.random have no TFLite counterpart.
            batch = tf.shape(params)[0]
            uniform = tf.random.uniform((batch, 2))
            noise = tf.concat([uniform[:, :1], tf.random.normal((batch, 2)), uniform[:, 1:]], axis=-1)
        return self.distribution.sample(params, bias=bias, noise=noise)

    def _context(self, text):
        """What each step is given: the text, for a network that reads one."""
        if self.reads_text != (text is not None):
            raise ValueError(
                "This network reads text: give text." if self.reads_text else "This network reads no text."
            )
        return (self.characters(tf.cast(text, tf.int32)),) if self.reads_text else ()

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
        context = self._context(text)
        points = self.standardize(tf.cast(strokes, tf.float32))
        batch_size = points.shape[0] or tf.shape(points)[0]

        def nats(output, point):
            return -self.distribution.log_prob(output["params"], point)

        first, state = tf.zeros((batch_size, 3)), self.initial_state(batch_size)
        return {"log_loss": loop.score(self._advance, first, state, points, length, nats, context)}

    def along(self, offsets, text=None) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
        """Leads the network along one real line.

        Args:
            offsets: (points, 3), in the data's unit.
            text: (characters,), code points with a zero at the end, for a network that reads text.

        Yields:
            What `step` takes at each point: the offset before it (1, 3), standardized, and the states by name.
        """
        context = self._context(None if text is None else np.asarray(text)[None])
        points = np.asarray(self.standardize(np.asarray(offsets, "float32")[None]))[0]
        return loop.along(self._advance, np.zeros((1, 3), "float32"), self.initial_state(1), points, context)

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
        context, stop, keep = self._context(text), None, {}
        if self.reads_text:
            text = tf.cast(text, tf.int32)
            batch_size = text.shape[0] or tf.shape(text)[0]
            stop, keep = _window_has_left(text), {"weights": (text.shape[1],)}
        bias = tf.broadcast_to(tf.cast(bias, tf.float32), (batch_size,))
        written = loop.generate(
            self._advance,
            tf.zeros((batch_size, 3)),
            self.initial_state(batch_size),
            num_steps=num_steps,
            context=context,
            draw=lambda output, here: self._draw(output["params"], bias, here),
            noise=noise,
            given=None if prime is None else self.standardize(prime),
            stop=stop,
            keep=keep,
        )
        inside = tf.range(num_steps) < written.length[:, None]
        strokes = tf.where(inside[..., None], self.standardize.inverse(written.values), 0.0)
        return {"strokes": strokes, "length": written.length, **written.kept}

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


def _window_has_left(text):
    """The stop rule phi(t, U + 1) > phi(t, u) for all u <= U, for texts of U characters and zeros after them."""
    positions = tf.range(text.shape[1])[None]
    last = tf.reduce_sum(tf.cast(text != 0, tf.int32), axis=1)[:, None]

    def stop(output, point):
        beyond = tf.reduce_max(tf.where(positions == last, output["weights"], 0.0), axis=1)
        inside = tf.reduce_max(tf.where(positions < last, output["weights"], 0.0), axis=1)
        return beyond > inside

    return stop
