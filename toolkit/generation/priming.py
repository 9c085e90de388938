"""Writing in a real line's hand: what may prime a network, and how well its hand is carried on."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from toolkit.generation.strokes import Writer, Written
from toolkit.metrics.handwriting_style import nearer_its_primer, style

Primer = tuple[np.ndarray, str]


def write_in_hand(
    writer: Writer,
    texts: Sequence[str],
    primer: Primer | None = None,
    *,
    bias: float | Sequence[float] = 0.0,
    seed: int = 0,
) -> list[Written]:
    """Writes texts as a real line's hand would go on, a space after what that line says.

    Args:
        writer: Of a network that reads text.
        texts: The texts; each may take 40 points a character of the longest, and 100.
        primer: The real line's offsets (points, 3), in the data's unit, and its text; None: in any hand.
        bias: Sampling bias, for all or for each text.
        seed: Seed of the noise.

    Returns:
        A line for each text, without the primer.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting.synthesis(" abc", units=8, num_layers=1, num_mixtures=3, num_gaussians=2)
    >>> line, = write_in_hand(Writer(network), ["ab"], (np.zeros((9, 3)), "c"))
    >>> line.weights.shape[1]  # the space and the text
    3

    Reference: Graves 2013, arXiv 1308.0850, section 5.5.
    """
    space = " " if primer is not None and " " in writer.model.get_layer("characters").alphabet else ""
    most = 40 * max(map(len, texts)) + 100
    return writer.write([space + text for text in texts], bias=bias, max_points=most, seed=seed, prime=primer)


def check_primer(model: keras.Model, primer: Primer, where: str) -> None:
    """Refuses strokes of another tablet, larger or more dense: the network has never seen such a pen.

    Args:
        model: The network that is to carry them on.
        primer: Offsets (points, 3) and their text.
        where: Where they come from, for the message.

    Raises:
        ValueError: Where the offsets are not half to twice as large as those of the training, or the text has
            characters outside the network's alphabet.
    """
    model.get_layer("characters").encode(primer[1])
    trained_with = float(np.mean(np.asarray(model.get_layer("standardize").scale)[:2]))
    times = float(primer[0][:, :2].std(axis=0).mean()) / trained_with
    if not 0.5 < times < 2.0:
        raise ValueError(
            f"{where}: its offsets are {times:.2g} times as large as those the network was trained on, "
            f"{trained_with:.3g} a point. Scale the strokes, or take every so many points."
        )


def hand_kept(writer: Writer, lines: Sequence[Any], *, max_points: int, seed: int = 0) -> dict[str, float]:
    """Measures how often a primed line looks more like its primer's hand than like another writer's.

    Of up to ten writers, each writer's longest line primes the text of each writer's fourth one.

    Args:
        writer: Of a network that reads text.
        lines: Real lines: `data.strokes.Line`, or what else has offsets, text and writer.
        max_points: Points of the longest line to take.
        seed: Seed of the noise.

    Returns:
        "nearer_its_primer_percent" and the same by each measure of style; nothing where fewer than two writers have
        four lines.

    Reference: Graves 2013, arXiv 1308.0850, section 5.5.
    """
    alphabet, by_writer = set(writer.model.get_layer("characters").alphabet), {}
    for line in sorted(lines, key=lambda line: -len(line.text)):
        if line.writer and len(line.offsets) <= max_points and set(line.text) <= alphabet:
            by_writer.setdefault(line.writer, []).append(line)
    by_writer = dict(sorted((name, lines) for name, lines in by_writer.items() if len(lines) >= 4)[:10])
    if len(by_writer) < 2:
        return {}
    real = [(name, style(line.offsets, len(line.text))) for name, lines in by_writer.items() for line in lines[:40]]
    texts, primed = [lines[3].text for lines in by_writer.values()], []
    for name, lines in by_writer.items():
        written = write_in_hand(writer, texts, (lines[0].offsets, lines[0].text), bias=1.0, seed=seed)
        primed += [
            (name, style(line.offsets, len(text)))
            for text, line in zip(texts, written, strict=True)
            if len(line.offsets) > 1
        ]
    nearer, by_measure = nearer_its_primer(primed, real)
    by_measure = {f"nearer_its_primer_by_{name}_percent": value for name, value in by_measure.items()}
    return {"nearer_its_primer_percent": nearer, **by_measure}
