"""Writing with a handwriting network, the same graph in Keras, SavedModel and TFLite."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from toolkit.generation import loop
from toolkit.generation.drawing import draw_event
from toolkit.generation.past_text import past_text
from toolkit.models import handwriting

# Of biases, states, and offsets in standard deviations: their squares, summed over a line, are still numbers.
_LARGEST = 1e6


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

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self.step_model = handwriting.single_step(model)
        self.distribution = model.get_layer("density").distribution
        self.standardize = model.get_layer("standardize")
        self.reads_text = "characters" in self.step_model.input
        others = ("offset", "characters")
        self.state_sizes = {name: x.shape[-1] for name, x in self.step_model.input.items() if name not in others}
        self._compiled = tf.function(self.generate, autograph=False)

    def initial_state(self, batch_size: int | tf.Tensor) -> dict[str, tf.Tensor]:
        """States of zeros.

        Args:
            batch_size: Lines written at once, a number or a scalar tensor.
        """
        return {name: tf.zeros((batch_size, size)) for name, size in self.state_sizes.items()}

    def characters(self, text: ArrayLike) -> tf.Tensor:
        """Code points as the step takes them.

        Args:
            text: (batch, characters), Unicode code points, zeros at the end.

        Returns:
            (batch, characters, alphabet), one-hot.
        """
        return self.model.get_layer("characters")(text)

    def step(
        self,
        offset: ArrayLike,
        state: dict[str, tf.Tensor],
        characters: ArrayLike | None = None,
        bias: ArrayLike = 0.0,
        noise: ArrayLike | None = None,
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor], tf.Tensor | None]:
        """Draws the next offset.

        Args:
            offset: The offset before, (batch, 3), standardized; zeros at first.
            state: As `initial_state` makes it.
            characters: As `characters` makes them, for a network that reads text.
            bias: Sampling bias, a number or (batch,); as in `generate`.
            noise: (batch, num_noise): a uniform, two normal and a uniform number; fresh ones without it.

        Returns:
            The next offset (batch, 3), standardized; the next state; the window's weights (batch, characters) or None.
        """
        state = {name: _within(value) for name, value in state.items()}
        characters = None if characters is None else tf.convert_to_tensor(characters)
        output, state = self._advance(_within(offset), state, characters)
        noise = None if noise is None else _within(noise)
        return draw_event(self.distribution, output["params"], _bias(bias), noise), state, output.get("weights")

    def _advance(self, offset, state, characters=None):
        """The step of the loop: what the network emits, before anything is drawn from it."""
        inputs = {"offset": offset, **state} | ({"characters": characters} if self.reads_text else {})
        outputs = self.step_model(inputs)
        return outputs, {name: tf.cast(outputs[name], tf.float32) for name in state}

    def _context(self, text):
        """What each step is given: the text, for a network that reads one."""
        if self.reads_text != (text is not None):
            raise ValueError(f"This network reads {'text: give text' if self.reads_text else 'no text'}.")
        return (self.characters(tf.cast(text, tf.int32)),) if self.reads_text else ()

    def score(self, strokes: ArrayLike, length: ArrayLike, text: ArrayLike | None = None) -> dict[str, tf.Tensor]:
        """How likely the network finds real lines, by the same step that writes.

        Args:
            strokes: (batch, points, 3), offsets in the data's unit, anything after the end.
            length: (batch,), points of each line; what is below 0 or above `points` counts as those.
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
        points = _within(self.standardize(tf.cast(strokes, tf.float32)))
        length = tf.clip_by_value(length, 0, points.shape[1] or tf.shape(points)[1])
        batch_size = points.shape[0] or tf.shape(points)[0]

        def nats(output, point):
            return -self.distribution.log_prob(output["params"], point)

        first, state = tf.zeros((batch_size, 3)), self.initial_state(batch_size)
        return {"log_loss": loop.score(self._advance, first, state, points, length, nats, context)}

    def along(
        self, offsets: ArrayLike, text: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
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

    def generate(
        self,
        text: ArrayLike | None = None,
        bias: ArrayLike = 0.0,
        *,
        num_steps: int,
        noise: ArrayLike | None = None,
        prime: ArrayLike | None = None,
        batch_size: int | None = None,
    ) -> dict[str, tf.Tensor]:
        """Writes lines.

        Args:
            text: (batch, characters), Unicode code points with at least one zero at the end of each; with `prime`, the
                primer's own text before the text to write. Only for a network that reads text.
            bias: Sampling bias b >= 0, a number or (batch,): 0 writes as the data does, 1 neatly. What is below 0, or
                no number, counts as 0.
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
        context, stop, keep = self._context(text), None, None
        if self.reads_text:
            text = tf.cast(text, tf.int32)
            batch_size = text.shape[0] or tf.shape(text)[0]
            stop, keep = past_text(text), {"weights": (text.shape[1],)}
        bias = tf.broadcast_to(_bias(bias), (batch_size,))
        written = loop.generate(
            self._advance,
            tf.zeros((batch_size, 3)),
            self.initial_state(batch_size),
            num_steps=num_steps,
            context=context,
            draw=lambda output, here: draw_event(self.distribution, output["params"], bias, here),
            noise=None if noise is None else _within(noise),
            given=None if prime is None else self.standardize(prime),
            stop=stop,
            keep=keep,
        )
        inside = tf.range(num_steps)[None, :, None] < written.length[:, None, None]
        strokes = tf.where(inside, self.standardize.inverse(written.values), 0.0)
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
        num_lines = len(texts) if self.reads_text else texts
        before = "" if prime is None else prime[1]
        primer = None if prime is None else tf.constant(np.tile(prime[0], (num_lines, 1, 1)), tf.float32)
        text = tf.constant(self._encode(texts, before)) if self.reads_text else None
        bias = tf.constant(np.broadcast_to(bias, num_lines), tf.float32)
        noise = tf.constant(self.noise(num_lines, max_points, seed))
        how = {"num_steps": max_points, "noise": noise, "prime": primer, "batch_size": num_lines}
        result = {name: tensor.numpy() for name, tensor in self._compiled(text, bias, **how).items()}
        lines = []
        for row, length in enumerate(result["length"]):
            weights = result["weights"][row, :length, len(before) :][:, : len(texts[row])] if self.reads_text else None
            lines.append(Written(result["strokes"][row, :length], weights, bool(length < max_points)))
        return lines

    def _encode(self, texts, before):
        layer = self.model.get_layer("characters")
        encoded = [layer.encode(text) for text in texts]  # each by itself: a primer must not hide an empty text
        encoded = [layer.encode(before + text) for text in texts] if before else encoded
        # A few lengths only: each new one traces the graph again.
        size = -(-max(map(len, encoded)) // 32) * 32
        return np.array([[*line, *[0] * (size - len(line))] for line in encoded], "int32")

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


def _bias(bias):
    """Signatures are given any number: none may end in infinities."""
    bias = tf.cast(bias, tf.float32)
    return tf.where(bias > 0, tf.minimum(bias, _LARGEST), 0.0)


def _within(values):
    """The same, 0 in place of what is no number or beyond any that a network meets."""
    values = tf.cast(values, tf.float32)
    return tf.where(tf.abs(values) <= _LARGEST, values, 0.0)
