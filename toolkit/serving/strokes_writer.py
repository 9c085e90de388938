"""Signatures of a network that writes pen strokes, with a text or without one."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from toolkit.data.strokes.lines import Line, padded
from toolkit.export.signatures import signature
from toolkit.lazy import keras
from toolkit.serving.served import Served

STROKES = "pen units: x and y offset, 1 where a stroke ends"


def strokes_writer(
    model: "keras.Model",
    *,
    num_steps: int,
    max_points: int,
    num_characters: int = 0,
    text: str = "",
    bias: float = 0.0,
    seed: int = 0,
    measured: Iterable[Line] = (),
    typical: Iterable[Line] = (),
) -> Served:
    """Offers what a handwriting network does: it writes whole lines or single points, and scores real lines.

    `generate` writes a line, with fresh noise at each call; `generate_from_noise` the same from noise that is given;
    `step` is one point of it, for a program that draws while it writes; `score` says how likely a real line is. For a
    network that reads text each takes "text".

    Args:
        model: What `models.handwriting.synthesis` or `prediction` returned, trained.
        num_steps: Most points that `generate` writes.
        max_points: Points of the longest line that `score` takes.
        num_characters: Characters that a text may have, the zero at its end among them; 0 for a network without text.
        text: What is written where Keras, SavedModel and TFLite are compared; "": the alphabet's first characters.
        bias: Sampling bias there.
        seed: Seed of the noise and states there.
        measured: Lines whose nats a point each file is measured by; none: nothing is measured.
        typical: Lines on which int8's ranges are measured, read only then; each is led along point by point.

    Returns:
        `Served`.

    Raises:
        ValueError: Where the network reads text and `num_characters` is 0, or the reverse.

    Example:

    >>> from toolkit import models
    >>> network = models.handwriting.prediction(units=8, num_layers=1, num_mixtures=3)
    >>> sorted(strokes_writer(network, num_steps=20, max_points=30).signatures)
    ['generate', 'generate_from_noise', 'score', 'step']

    Reference: Graves 2013, arXiv 1308.0850, sections 4 and 5.
    """
    from toolkit.generation.strokes import Writer

    writer = Writer(model)
    if writer.reads_text != (num_characters > 0):
        raise ValueError(
            f"num_characters={num_characters}: this network reads {'a' if writer.reads_text else 'no'} text."
        )

    def scored(line):
        return _given(writer, line.text, num_characters) | padded(line.offsets, max_points)

    lines, random = list(map(scored, measured)), np.random.default_rng(seed)
    alphabet = model.get_layer("characters").alphabet if writer.reads_text else ""
    example = _given(writer, (text or alphabet[:8])[: num_characters - 1], num_characters)
    example["bias"] = np.array([bias], "float32")
    noise = writer.noise(1, num_steps, seed)
    start = {name: random.standard_normal((1, size)).astype("float32") for name, size in writer.state_sizes.items()}
    return Served(
        signatures=_signatures(writer, num_steps, max_points, num_characters),
        trackables=(model,),
        examples={
            "generate": example,
            "generate_from_noise": {**example, "noise": noise},
            "step": {**example, "noise": noise[:, 0], "offset": np.zeros((1, 3), "float32"), **start},
            **({"score": lines[-1]} if lines else {}),
        },
        calibrate=lambda: _calibration(writer, typical, scored, num_steps),
        measure=(lambda call: _measure(call, lines)) if lines else None,
        card={"alphabet": alphabet} if alphabet else {},
    )


def _given(writer, text, num_characters) -> dict[str, np.ndarray]:
    """The text as the signatures take it; nothing for a network without."""
    if not writer.reads_text:
        return {}
    return {"text": writer.model.get_layer("characters").encode(text, num_characters)[None]}


def _signatures(writer, num_steps, max_points, num_characters) -> Mapping:
    text = {"text": ((1, num_characters), "int32", "Unicode code points, 0 = padding")} if num_characters else {}
    bias = ((1,), "float32", "0 = as the data, 2 = neat")
    num_noise, kinds = writer.distribution.num_noise, ("float32", "uniform, normal, normal, uniform")
    states = {name: ((1, size), "float32", "zeros at first") for name, size in writer.state_sizes.items()}

    def generate(bias, text=None, noise=None):
        line = writer.generate(text, bias, num_steps=num_steps, noise=noise, batch_size=1)
        return {"strokes": line["strokes"], "length": line["length"]}

    def step(bias, noise, offset, text=None, **state):
        characters = None if text is None else writer.characters(text)
        point, state, weights = writer.step(offset, state, characters, bias, noise)
        new = {f"next_{name}": value for name, value in state.items()}
        read = {} if weights is None else {"weights": weights}
        return {"next_offset": point, "stroke": writer.standardize.inverse(point), **read, **new}

    units = {"strokes": STROKES, "length": "points, the most where no end" if text else "points"}
    return {
        "generate": signature(generate, **text, bias=bias, outputs=units, random=True),
        "generate_from_noise": signature(
            generate, **text, bias=bias, noise=((1, num_steps, num_noise), *kinds), outputs=units
        ),
        "step": signature(
            step,
            **text,
            bias=bias,
            noise=((1, num_noise), *kinds),
            offset=((1, 3), "float32", "next_offset of the step before, zeros at first"),
            **states,
            outputs={"stroke": "pen units"} | ({"weights": "how much each character is read"} if text else {}),
        ),
        "score": signature(
            writer.score,
            strokes=((1, max_points, 3), "float32", STROKES),
            length=((1,), "int32", "points"),
            **text,
            outputs={"log_loss": "nats a line, of offsets in standard deviations"},
        ),
    }


def _calibration(writer, typical, scored, num_steps) -> Iterator[Mapping[str, Mapping[str, np.ndarray]]]:
    """Each line as a whole, and then as its points: what was drawn before, and the states after it."""
    for seed, line in enumerate(typical):
        scoring, noise = scored(line), writer.noise(1, num_steps, seed)
        given = {key: scoring[key] for key in scoring if key == "text"} | {"bias": np.zeros(1, "float32")}
        yield {"score": scoring, "generate": given, "generate_from_noise": {**given, "noise": noise}}
        codes = scoring["text"][0] if writer.reads_text else None
        for t, (offset, state) in enumerate(writer.along(line.offsets, codes)):
            yield {"step": {**given, "noise": noise[:, t], "offset": offset, **state}}


def _measure(call, lines) -> dict[str, float]:
    nats = sum(call("score", **line)["log_loss"][0] for line in lines)
    return {"log_loss_nats_per_point": nats / sum(line["length"][0] for line in lines)}
