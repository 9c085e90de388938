"""Whether a synthesis network's window moves and its mixture is in use: what its loss alone would not tell."""

from collections.abc import Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from toolkit.metrics.mixture_use import effective_components
from toolkit.metrics.window_alignment import text_read
from toolkit.models import handwriting


class Inspection(NamedTuple):
    """What a network does while real lines are written.

    Args:
        weights: The window phi, (batch, points, characters).
        log_weights: The mixture's log weights, (batch, points, mixtures).
        text_read: Share of its text that the window passes, the mean over lines; about 1 where it reads along.
        effective_components: How many of the mixture's components are in use.
    """

    weights: np.ndarray
    log_weights: np.ndarray
    text_read: float
    effective_components: float

    def scalars(self) -> dict[str, float]:
        """Names the two numbers for TensorBoard."""
        return {"window/text_read": self.text_read, "mixture/effective_components": self.effective_components}

    def warnings(self) -> Iterator[str]:
        """Says what is wrong with the network, and what to change."""
        read, used = self.text_read, self.effective_components
        if read < 0.5:
            yield (
                f"the window passes {read:.0%} of a text while a real line is written: it does not move, and the "
                "letters are not those of the text. Try a lower --learning_rate or another --seed; or --spacing, where "
                "the points of the data are dense."
            )
        if read > 1.5:
            yield (
                f"the window is at {read:.0%} of a text when its real line ends: it runs ahead. Lower --learning_rate."
            )
        if used < 1.5:
            yield (
                f"{used:.2f} of the mixture's components are in use: it has collapsed, and every pen movement is of "
                "one kind. Lower --learning_rate, or take more lines; --num_mixtures=1 would do the same."
            )


def inspect(model: keras.Model, offsets: np.ndarray, mask: np.ndarray, text: np.ndarray) -> Inspection:
    """Leads a network along real lines.

    Args:
        model: What `models.handwriting.synthesis` returned.
        offsets: (batch, points, 3), in the data's unit.
        mask: (batch, points), True where there is a point.
        text: (batch, characters), code points, zeros at the end.

    Returns:
        An `Inspection`.

    Example:

    >>> network = handwriting.synthesis(" abc", units=8, num_layers=2, num_mixtures=3, num_gaussians=2)
    >>> found = inspect(network, np.ones((1, 7, 3), "float32"), np.ones((1, 7), bool), np.array([[97, 98, 0]]))
    >>> found.weights.shape, found.log_weights.shape
    ((1, 7, 3), (1, 7, 3))

    Reference: Graves 2013, arXiv 1308.0850, figures 13 and 14.
    """
    density, alignment = model.get_layer("density").distribution, handwriting.alignment(model)
    # Not `predict`, which under a strategy would give each device these lines.
    run = tf.function(lambda inputs: (alignment(inputs), model(inputs)), autograph=False)
    weights, params = run((tf.constant(offsets), tf.constant(text)))
    weights, log_weights = np.asarray(weights), np.asarray(density.components(params).log_weights)
    read = text_read(weights, mask.sum(axis=1), (text > 0).sum(axis=1))
    return Inspection(weights, log_weights, float(read.mean()), effective_components(log_weights, mask))
