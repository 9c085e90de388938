"""How many bits a text takes, by character and by word."""

import math

import keras
import numpy as np
from keras import ops

LONGEST_WORD = 30.0
"""Characters of a word on average beyond which a text's "words" mean nothing: in English it has 5.6."""


@keras.saving.register_keras_serializable(package="toolkit")
class Bits(keras.metrics.Metric):
    """Mean of a model's own losses, from nats to bits: nats / log 2.

    Args:
        name: The metric's name, such as "bits_per_character".

    Call arguments:
        y_true: Left alone.
        y_pred: Nats, (batch, time).
        sample_weight: (batch, time), 0 at the padding.

    Example:

    >>> metric = Bits("bits_per_character")
    >>> metric.update_state(ops.zeros((1, 2)), ops.ones((1, 2)) * math.log(4))
    >>> round(float(metric.result()), 4)
    2.0
    """

    def __init__(self, name: str = "bits") -> None:
        super().__init__(name=name, dtype="float32")
        self.total = self.add_weight(name="total", initializer="zeros")
        self.count = self.add_weight(name="count", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        nats = ops.cast(y_pred, "float32")
        weight = ops.ones_like(nats) if sample_weight is None else ops.cast(sample_weight, "float32")
        self.total.assign_add(ops.sum(nats * weight) / math.log(2.0))
        self.count.assign_add(ops.sum(weight))

    def result(self):
        return self.total / ops.maximum(self.count, 1.0)

    def get_config(self) -> dict:
        return {"name": self.name}


def bits_per_character(nats: np.ndarray, num_characters: int) -> float:
    """Computes -log2 p(text) / characters, whatever the text's tokens are.

    Args:
        nats: -log p of each token.
        num_characters: Characters of the text, or bytes.

    Returns:
        Bits a character.

    Example:

    >>> bits_per_character(np.full(2, np.log(16.0)), num_characters=8)
    1.0

    Reference: Graves 2013, arXiv 1308.0850, section 3.1.
    """
    return float(np.sum(nats, dtype="float64") / math.log(2.0) / num_characters)


def perplexity(nats: np.ndarray, num_words: int) -> float:
    """Computes the perplexity of a word, exp(-log p(text) / words).

    For a model of characters it is what the text's words take, spelt; with 5.6 characters a word that is Graves'
    2^(5.6 BPC).

    Args:
        nats: -log p of each token.
        num_words: Words of the text, the ends of lines counted.

    Returns:
        The perplexity, 1 or more.

    Example:

    >>> round(perplexity(np.full(4, np.log(10.0)), num_words=2), 6)
    100.0
    """
    return float(math.exp(min(np.sum(nats, dtype="float64") / num_words, 700.0)))


def summary(nats: np.ndarray, num_characters: float, num_words: float) -> dict[str, float]:
    """Computes all figures that are reported of a text.

    Args:
        nats: -log p of each token.
        num_characters: Characters of the text, or bytes.
        num_words: Words of the text, the ends of lines counted.

    Returns:
        "bits_per_character", "bits_per_token" and, where the text's words are words, "perplexity_per_word": not where
        they have more than `LONGEST_WORD` characters on average, as what white space separates has in Chinese.

    Example:

    >>> told = summary(np.full(6, np.log(2.0)), num_characters=3, num_words=2)
    >>> {name: round(value, 6) for name, value in told.items()}
    {'bits_per_character': 2.0, 'perplexity_per_word': 8.0, 'bits_per_token': 1.0}
    """
    has_words = num_characters <= LONGEST_WORD * num_words
    return {
        "bits_per_character": bits_per_character(nats, num_characters),
        **({"perplexity_per_word": perplexity(nats, num_words)} if has_words else {}),
        "bits_per_token": float(np.mean(nats) / math.log(2.0)),
    }
