"""Writing in a real line's hand: what may prime a network, and how well its hand is carried on."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from toolkit.generation.strokes import Writer, Written
from toolkit.metrics.handwriting_style import nearer_its_primer, style
from toolkit.models import handwriting

Primer = tuple[np.ndarray, str]
# Hands in which a network shows what it has learned, and how far from them a primer may be: that of the embedded
# writers' ink is 0.8 to 1.2 times theirs, of the distance between points 0.8 to 1.15 times.
_HANDS, _SIZES, _SPACINGS = 8, 1.35, 1.25
# With as much ink they are 0.75 to 1.7 times as tall; where only two thirds of the text are given,
# 0.6 to 1.2 times, of a half 0.5.
_LOWEST, _TALLEST = 0.65, 2.2
# Real lines are read to their last character in the last tenth of their points.
_THROUGH = 0.8
_WRITERS = 10  # whose hands are compared


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


def fit_primer(
    writer: Writer, primer: Primer, where: str, *, resample: Callable[[np.ndarray, float], np.ndarray]
) -> Primer:
    """Brings another pen's strokes to the size and spacing of points that the network has learned.

    What that is, the network itself shows: it writes the primer's text, in several hands. A primer whose ink is about
    as long as theirs, its points about as far apart, stays as it is; else it is scaled, and resampled along its way.

    Args:
        writer: Of a network that reads text.
        primer: Offsets (points, 3), in any unit, and their text.
        where: Where they come from, for messages.
        resample: Places points along strokes at a distance: `data.strokes.resampling.resample`.

    Returns:
        The primer to write with.

    Raises:
        ValueError: Where the text has characters outside the network's alphabet, is not what the strokes can be, no
            stroke of the primer moves, or the network writes nothing by itself.
    """
    offsets, text = primer
    if not _steps(offsets).sum() > 0:
        raise ValueError(f"{where}: no stroke in it moves.")
    own = [line for line in writer.write([text] * _HANDS, 1.0, max_points=40 * len(text) + 100) if line.ended]
    own = [line.offsets for line in own if _steps(line.offsets).sum() > 0]
    if len(own) <= _HANDS // 2:
        raise ValueError(f"{where}: the network does not write {text[:60]!r} by itself: train it for longer.")
    ink, spacing = (float(np.median([measure(_steps(line)) for line in own])) for measure in (np.sum, np.mean))
    there = _steps(offsets)
    if _about(there.sum(), ink, _SIZES) and _about(there.mean(), spacing, _SPACINGS):
        return primer
    scale = ink / there.sum()
    for _ in range(3):
        # Like with like: where points are far apart, corners are cut, and what is as tall has less ink.
        coarse = max(spacing, scale * there.mean())
        expected = np.median([_steps(resample(line, coarse)).sum() for line in own])
        found = _steps(resample(_scaled(offsets, scale), coarse)).sum()
        if found < 0.2 * expected:
            raise ValueError(f"{where}: its strokes go to and fro within less than a letter.")
        scale *= expected / found
    step = spacing
    for _ in range(3):  # each stroke has a whole number of steps
        fitted = resample(_scaled(offsets, scale), step)
        step *= spacing / _steps(fitted).mean()
    heights = [style(line, len(text)).height for line in own]
    times = style(fitted, len(text)).height / max(float(np.median(heights)), 1e-9)
    if not _LOWEST < times < _TALLEST:
        raise ValueError(
            f"{where}: with as much ink as {text[:60]!r} takes, it is {times:.2g} times as tall. Is that all that is "
            "written, and on one line?"
        )
    return fitted, text


def check_primer(model: keras.Model, primer: Primer, where: str) -> None:
    """Refuses a primer that the network cannot follow: its window does not end at the text's last character.

    Args:
        model: The network that is to carry the primer on.
        primer: Offsets (points, 3), in the data's unit, and their text.
        where: Where they come from, for the message.

    Raises:
        ValueError: Where the window stays behind or is through before the strokes are, or the text has characters
            outside the network's alphabet.

    Reference: Graves 2013, arXiv 1308.0850, sections 5.3 and 5.5.
    """
    offsets, text = primer
    codes = model.get_layer("characters").encode(text)
    weights = np.asarray(handwriting.alignment(model)((offsets[None], codes[None])))[0]
    reads = weights.argmax(axis=-1)
    early = np.flatnonzero(reads >= len(text))[:1] < _THROUGH * len(reads)
    if reads[-1] < len(text) - 2 or early.any():
        found = "all, and there is more" if early.any() else f"only {text[: reads[-1] + 1]!r}"
        raise ValueError(
            f"{where}: led along these strokes, the network has read, of {text[:60]!r}, {found}. Is that what is "
            "written, and on one line?"
        )


def _steps(offsets):
    """How far the pen goes from point to point inside strokes."""
    return np.hypot(*np.asarray(offsets, "float64")[1:, :2].T)[np.asarray(offsets)[:-1, 2] < 0.5]


def _scaled(offsets, times):
    return np.asarray(offsets, "float64") * [times, times, 1.0]


def _about(found, expected, times):
    return expected / times < found < expected * times


def hand_kept(writer: Writer, lines: Sequence[Any], *, max_points: int, seed: int = 0) -> dict[str, float]:
    """Measures how often a primed line looks more like its primer's hand than like another writer's.

    Of ten writers, each one's longest line primes the text of each one's fourth. Of fewer writers more lines of each
    are taken, so that there are a hundred pairs again where there are lines enough.

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
    by_writer = dict(sorted((name, lines) for name, lines in by_writer.items() if len(lines) >= 4)[:_WRITERS])
    if len(by_writer) < 2:
        return {}
    real = [(name, style(line.offsets, len(line.text))) for name, lines in by_writer.items() for line in lines[:40]]
    each = min(-(-_WRITERS // len(by_writer)), (min(map(len, by_writer.values())) - 2) // 2)  # lines of a writer
    texts, primed = [line.text for lines in by_writer.values() for line in lines[each + 2 : 2 * each + 2]], []
    for name, primer in [(name, line) for name, lines in by_writer.items() for line in lines[:each]]:
        written = write_in_hand(writer, texts, (primer.offsets, primer.text), bias=1.0, seed=seed)
        primed += [
            (name, style(line.offsets, len(text)))
            for text, line in zip(texts, written, strict=True)
            if len(line.offsets) > 1
        ]
    nearer, by_measure = nearer_its_primer(primed, real)
    by_measure = {f"nearer_its_primer_by_{name}_percent": value for name, value in by_measure.items()}
    return {"nearer_its_primer_percent": nearer, **by_measure}
