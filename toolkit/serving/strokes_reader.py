"""Signatures of a network that reads pen strokes."""

from collections.abc import Iterable

from toolkit.data.strokes.lines import FARTHEST, Line, padded
from toolkit.export.signatures import signature
from toolkit.lazy import keras
from toolkit.lazy import tensorflow as tf
from toolkit.serving.served import Served


def strokes_reader(
    model: "keras.Model",
    alphabet: str,
    *,
    max_points: int,
    measured: Iterable[Line] = (),
    typical: Iterable[Line] = (),
) -> Served:
    """Offers what a recogniser does: `recognize` gives a line's text, `log_probabilities` those of each class.

    Args:
        model: What `models.handwriting_recognition.recognition` returned, trained.
        alphabet: The character of class i + 1.
        max_points: Points of the longest line that it takes.
        measured: Lines with texts, by whose character error rate each file is measured; none: nothing is measured.
        typical: Lines on which int8's ranges are measured, read only then.

    Returns:
        `Served`.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting_recognition.recognition("ab", units=4, num_layers=1)
    >>> sorted(strokes_reader(network, "ab", max_points=30).signatures)
    ['log_probabilities', 'recognize']

    Reference: Graves et al. 2009, "A novel connectionist system for unconstrained handwriting recognition".
    """
    from toolkit.metrics.character_error_rate import character_error_rate

    def each(line):
        return dict.fromkeys(("recognize", "log_probabilities"), padded(line.offsets, max_points))

    def measure(call):
        codes = [call("recognize", **padded(line.offsets, max_points))["text"][0] for line in lines]
        read = ["".join(map(chr, row[row > 0])) for row in codes]
        return {"character_error_rate_percent": character_error_rate([line.text for line in lines], read)}

    lines = list(measured)
    return Served(
        signatures=_signatures(model, alphabet, max_points),
        trackables=(model,),
        examples=each(lines[-1]) if lines else {},
        calibrate=lambda: map(each, typical),
        measure=measure if lines else None,
        # A logarithm of a small probability is large, and float32's rounding with it.
        tolerance=1e-3,
        card={"alphabet": alphabet},
    )


def _signatures(model, alphabet, max_points) -> dict:
    from toolkit.generation import ctc_decoding

    def logits_of(strokes, length):
        strokes = tf.where(tf.abs(strokes) <= FARTHEST, strokes, 0.0)  # nor what is no number
        return model((strokes, tf.range(max_points)[None] < length[:, None]))

    def recognize(strokes, length):
        return {"text": ctc_decoding.greedy_codes(logits_of(strokes, length), alphabet)}

    def log_probabilities(strokes, length):
        return {"log_probabilities": tf.nn.log_softmax(logits_of(strokes, length))}

    strokes = ((1, max_points, 3), "float32", "pen units: x and y offset, 1 where a stroke ends; zeros after the end")
    takes = {"strokes": strokes, "length": ((1,), "int32", "points")}
    return {
        "recognize": signature(recognize, **takes, outputs={"text": "Unicode code points, zeros after the end"}),
        "log_probabilities": signature(
            log_probabilities, **takes, outputs={"log_probabilities": "blank, then the alphabet"}
        ),
    }
