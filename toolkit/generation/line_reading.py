"""Reading lines of handwriting with a recogniser."""

from collections.abc import Sequence

import keras
import numpy as np

from toolkit.generation import ctc_decoding


def read_lines(
    model: keras.Model, lines: Sequence[np.ndarray], alphabet: str, *, beam_width: int = 25, batch_size: int = 32
) -> tuple[list[str], list[str]]:
    """Reads lines, those of like length together.

    Args:
        model: What `models.handwriting_recognition.recognition` returned, trained.
        lines: Offsets of each line (points, 3), in the data's unit.
        alphabet: The character of class i + 1.
        beam_width: Beginnings kept by the beam search.
        batch_size: Lines read at once.

    Returns:
        What is read greedily in each line, and by beam search.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting_recognition.recognition("ab", units=4, num_layers=1)
    >>> [len(texts) for texts in read_lines(network, [np.zeros((9, 3)), np.zeros((0, 3))], "ab")]
    [2, 2]

    Reference: Graves et al. 2009, "A novel connectionist system for unconstrained handwriting recognition".
    """
    greedy, beam, order = [""] * len(lines), [""] * len(lines), np.argsort([len(line) for line in lines])
    for first in range(0, len(lines), batch_size):
        chosen = order[first : first + batch_size]
        longest = max(1, *(len(lines[i]) for i in chosen))
        longest += -longest % 32  # a few lengths only: each new one traces the network again
        offsets, mask = np.zeros((len(chosen), longest, 3), "float32"), np.zeros((len(chosen), longest), bool)
        for row, i in enumerate(chosen):
            offsets[row, : len(lines[i])], mask[row, : len(lines[i])] = lines[i], True
        mask[:, 0] = True  # a line without a point
        # Not predict_on_batch, which gives each replica of a mirrored model the whole batch.
        logits = model.predict((offsets, mask), batch_size=len(chosen), verbose=0)
        for i, one, other in zip(
            chosen,
            ctc_decoding.greedy(logits, alphabet),
            ctc_decoding.beam_search(logits, alphabet, beam_width),
            strict=True,
        ):
            greedy[i], beam[i] = one, other
    return greedy, beam


def probabilities_along(model: keras.Model, offsets: np.ndarray, text: str, alphabet: str) -> np.ndarray:
    """Says how probable each character of a text is at each point of a line.

    Args:
        model: The recogniser, which gives classes to every second point.
        offsets: The line, (points, 3).
        text: Characters of the alphabet.
        alphabet: The character of class i + 1.

    Returns:
        (points, characters).

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting_recognition.recognition("ab", units=4, num_layers=1)
    >>> probabilities_along(network, np.zeros((9, 3), "float32"), "aba", "ab").shape
    (9, 3)
    """
    logits = model((offsets[None], np.ones((1, len(offsets)), bool)))[0]
    probabilities = np.asarray(keras.ops.softmax(logits))[:, [1 + alphabet.index(character) for character in text]]
    return np.repeat(probabilities, 2, axis=0)[: len(offsets)]
