"""Pen strokes with known ground truth: writers made of single-stroke faces, each with a hand of its own."""

import dataclasses
import functools
import hashlib
import os
import pathlib
import platform
import re
import warnings
from xml.etree import ElementTree

import numpy as np

from toolkit.data.strokes.lines import ALPHABET, MOST_POINTS, Line
from toolkit.files import arrays, limits, writing

# Faces that a person's pen could follow. Hershey's others trace stems twice, hold no Latin letters, or share most of
# theirs with these; the EMS faces lie in faces/ (Evil Mad Scientist Laboratories, SIL Open Font License).
HERSHEY_FACES = ("futural", "scripts", "cursive")
EMS_FACES = ("EMSReadability", "EMSElfin", "EMSNixish", "EMSAllure", "EMSFelix", "EMSTech", "EMSOsmotron")
FACES = HERSHEY_FACES + EMS_FACES
_CAPITALS = 21.0  # pen units from the baseline to the top of an H
_FORMAT = 2  # of the cached files
MOST_LINES, MOST_WRITERS = 1_000_000, 10_000


@dataclasses.dataclass(frozen=True)
class Writer:
    """A hand.

    Args:
        name: The writer's name.
        face: One of `FACES`.
        height: Size of the writing: 1 has capitals of 21 pen units and an x-height of about 14.
        width: Stretch of the letters along the line.
        slant: How far a letter leans to the right, as the tangent of its angle.
        spacing: Pen units added between letters.
        tremor: Standard deviation of the pen's shaking, in pen units.
        drift: Standard deviation of the baseline's slope.
        speed: Pen units between two points.
    """

    name: str
    face: str
    height: float
    width: float
    slant: float
    spacing: float
    tremor: float
    drift: float
    speed: float


def writers(num_writers: int = len(FACES), seed: int = 0) -> list[Writer]:
    """Writers drawn from a seed, the faces in turn.

    Args:
        num_writers: How many.
        seed: Equal seeds give equal writers; the first ones do not depend on `num_writers`.

    Returns:
        The writers.

    Example:

    >>> [writer.face for writer in writers(3)]
    ['futural', 'scripts', 'cursive']
    """
    drawn = []
    for number in range(num_writers):
        random = np.random.default_rng([seed, 1, number])
        drawn.append(
            Writer(
                name=f"writer {number}",
                face=FACES[number % len(FACES)],
                height=float(random.uniform(0.85, 1.15)),
                width=float(random.uniform(0.85, 1.1)),
                slant=float(random.uniform(-0.15, 0.4)),
                spacing=float(random.uniform(-1.0, 1.5)),
                tremor=float(random.uniform(0.1, 0.3)),
                drift=float(random.uniform(0.0, 0.02)),
                speed=float(random.uniform(4.4, 5.4)),
            )
        )
    return drawn


def written_lines(
    num_lines: int = 10_000,
    seed: int = 0,
    *,
    min_characters: int = 6,
    max_characters: int = 24,
    num_writers: int = len(FACES),
) -> list[Line]:
    """Makes lines of English by several writers; line i does not depend on how many lines are made.

    The words are those of this Python's own documentation, with numbers and punctuation among them. What was made once
    is kept in TOOLKIT_CACHE, or toolkit/ in the user's cache folder.

    Args:
        num_lines: How many.
        seed: Seed of the writers, texts and tremor.
        min_characters: Least characters in a line.
        max_characters: Most characters in a line.
        num_writers: How many writers take turns.

    Returns:
        The lines, offsets in pen units.

    Raises:
        ValueError: Where a number is less than 1 or too large, or `min_characters` more than `max_characters`.

    Example:

    >>> written_lines(2, seed=1)[1].offsets.shape[1]
    3
    """
    if min(num_lines, num_writers, min_characters) < 1 or min_characters > max_characters:
        raise ValueError(
            "Expected at least one line, writer and character, and min_characters up to max_characters; got "
            f"{num_lines} lines, {num_writers} writers, {min_characters} to {max_characters} characters."
        )
    if num_lines > MOST_LINES or num_writers > MOST_WRITERS:
        raise ValueError(
            f"Expected at most {MOST_LINES:,} lines and {MOST_WRITERS:,} writers; got {num_lines} and {num_writers}."
        )
    # Another Python may have other words.
    key = repr(
        (_FORMAT, platform.python_version(), num_lines, seed, min_characters, max_characters, num_writers, FACES)
    )
    cache = _cache_folder() / f"embedded_writers_{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
    found = _read_cache(cache)
    if found is None:
        hands, made = writers(num_writers, seed), {}

        def hand(number):
            return made.get(number) or made.setdefault(number, _Hand(hands[number]))

        found = [_line(number, seed, hand, num_writers, min_characters, max_characters) for number in range(num_lines)]
        _write_cache(cache, found)
    return found


class _Hand:
    """A writer's glyphs, sampled at the pen's speed."""

    def __init__(self, writer):
        self.writer = writer
        read = _hershey_glyphs if writer.face in HERSHEY_FACES else _svg_glyphs
        self.glyphs = {}
        for character, (strokes, width) in read(writer.face).items():
            sampled = [sample_stroke(stroke * [writer.width, 1.0] * writer.height, writer.speed) for stroke in strokes]
            self.glyphs[character] = sampled, width * writer.width * writer.height


def _hershey_glyphs(name):
    """For each character its strokes, baseline at zero and y growing downward, and its width."""
    from HersheyFonts import HersheyFonts

    face, glyphs = HersheyFonts(), {}
    face.load_default_font(name)
    for character in ALPHABET:
        (glyph,) = face.glyphs_for_text(character)
        strokes = [np.array(list(stroke), "float64") for stroke in glyph.strokes]
        # Hershey's zero is the middle of the capitals' height.
        glyphs[character] = [stroke - [glyph.left_offset, 9.0] for stroke in strokes if len(stroke)], glyph.char_width
    return glyphs


def _svg_glyphs(name):
    """The same from an SVG font whose outlines are open paths."""
    from fontTools.pens.recordingPen import RecordingPen
    from fontTools.svgLib.path import parse_path

    tree = ElementTree.parse(pathlib.Path(__file__).parent / "faces" / f"{name}.svg")
    (font,) = tree.iter("{http://www.w3.org/2000/svg}font")
    drawn = {}
    for glyph in font.iter("{http://www.w3.org/2000/svg}glyph"):
        pen, strokes = RecordingPen(), []
        parse_path(glyph.get("d", ""), pen)
        for verb, points in pen.value:
            if verb == "moveTo":
                strokes.append([points[0]])
            elif verb == "lineTo":
                strokes[-1].append(points[0])
            elif verb == "curveTo":
                strokes[-1].extend(_cubic(np.array([strokes[-1][-1], *points])))
        drawn[glyph.get("unicode")] = [np.array(stroke) * [1.0, -1.0] for stroke in strokes], glyph.get("horiz-adv-x")
    scale = _CAPITALS / -min(stroke[:, 1].min() for stroke in drawn["H"][0])
    return {
        character: ([stroke * scale for stroke in drawn[character][0]], float(drawn[character][1]) * scale)
        for character in ALPHABET
    }


def _cubic(points):
    """Eight points along a cubic Bezier curve, without its first."""
    t = np.linspace(0.0, 1.0, 9)[1:, None]
    return np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1) @ points


def sample_stroke(stroke: np.ndarray, speed: float) -> np.ndarray:
    """Places points along a stroke, its ends and sharp corners among them.

    Args:
        stroke: The pen's positions (points, 2).
        speed: Distance between two new points.

    Returns:
        (new points, 2).

    Raises:
        ValueError: Where these would be more than a million.

    Example:

    >>> sample_stroke(np.array([[0.0, 0.0], [4.0, 0.0]]), 2.0).tolist()
    [[0.0, 0.0], [2.0, 0.0], [4.0, 0.0]]
    """
    if len(stroke) == 1:
        return stroke
    steps = np.diff(stroke, axis=0)
    lengths = np.hypot(*steps.T)
    stroke, steps = stroke[np.r_[True, lengths > 0]], steps[lengths > 0]
    lengths = lengths[lengths > 0]
    if not len(lengths):
        return stroke[:1]
    cosine = np.sum(steps[1:] * steps[:-1], axis=1) / (lengths[1:] * lengths[:-1])
    corners = [0, *(np.flatnonzero(cosine < 0.5) + 1), len(stroke) - 1]
    along = np.r_[0.0, np.cumsum(lengths)]
    if along[-1] / speed > MOST_POINTS:
        raise ValueError(f"a stroke {along[-1]:.3g} units long; a line has at most {MOST_POINTS:,} points.")
    places = [0.0]
    for start, end in zip(along[corners[:-1]], along[corners[1:]], strict=True):
        places.extend(np.linspace(start, end, max(1, round((end - start) / speed)) + 1)[1:])
    return np.stack([np.interp(places, along, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _line(number, seed, hands, num_hands, min_characters, max_characters):
    random = np.random.default_rng([seed, 2, number])
    hand = hands(random.integers(num_hands))
    writer = hand.writer
    text = _text(random, min_characters, max_characters)
    strokes, x = [], 0.0
    wobble = random.normal(0.0, 1.0, (len(text), 3))
    for character, (dx, dy, size) in zip(text, wobble, strict=True):
        sampled, width = hand.glyphs[character]
        strokes.extend(stroke * (1 + 0.03 * size) + [x + 0.3 * dx, 0.3 * dy] for stroke in sampled)
        x += width + writer.spacing
    points = np.concatenate(strokes)
    ends = np.zeros(len(points), "float32")
    ends[np.cumsum([len(stroke) for stroke in strokes]) - 1] = 1.0
    points[:, 0] -= writer.slant * points[:, 1]
    points[:, 1] += random.normal(0.0, writer.drift) * points[:, 0]
    shaking = random.normal(0.0, writer.tremor, (len(points) + 2, 2))
    points += (shaking[:-2] + 2 * shaking[1:-1] + shaking[2:]) / np.sqrt(6.0)
    offsets = np.diff(points, axis=0, prepend=points[:1])
    return Line(np.concatenate([offsets, ends[:, None]], axis=1).astype("float32"), text, writer.name)


@functools.cache
def _words():
    from pydoc_data.topics import topics

    return re.findall(r"[A-Za-z]+", " ".join(topics[name] for name in sorted(topics)))


def _text(random, min_characters, max_characters):
    words = _words()
    most_words = max(6, max_characters // 4)
    while True:
        start, count = random.integers(len(words) - 8), random.integers(1, most_words + 1)
        parts = []
        for word in words[start : start + count]:
            kind = random.random()
            if kind < 0.06:
                word = str(random.integers(10 ** random.integers(1, 5)))
            elif kind < 0.14:
                word = word.capitalize()
            elif kind < 0.16:
                word = word.upper()
            elif kind < 0.18:
                word = f'"{word}"'
            elif kind < 0.20:
                word = f"({word})"
            elif kind < 0.22:
                word = f"{word}'s"
            elif kind < 0.23:
                word = f"{word}-{words[random.integers(len(words))]}"
            elif kind < 0.26:
                # English has few of Q, X or Z: initials have them all.
                word = "".join(chr(ord("A") + letter) for letter in random.integers(26, size=2))
            mark = random.random()
            word += next((mark_ for limit, mark_ in _MARKS if mark < limit), "")
            parts.append(word)
        text = " ".join(parts)
        if min_characters <= len(text) <= max_characters:
            return text


_MARKS = ((0.08, ","), (0.16, "."), (0.18, "?"), (0.195, "!"), (0.21, ":"), (0.22, ";"))


def _cache_folder():
    named = os.environ.get("TOOLKIT_CACHE")
    if named:
        return pathlib.Path(named)
    return pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "toolkit"


def _read_cache(path):
    try:
        with arrays.Arrays(path, bound=64 * limits.GIB) as file:
            points, lengths, texts, names = file.read_all(("points", "lengths", "texts", "writers")).values()
        parts = np.split(points, np.cumsum(lengths)[:-1])
        return [Line(part, str(text), str(name)) for part, text, name in zip(parts, texts, names, strict=True)]
    except (OSError, ValueError, TypeError, IndexError):  # not there, or damaged: it is only a copy
        return None


def _write_cache(path, made):
    content = {
        "points": np.concatenate([line.offsets for line in made]),
        "lengths": [len(line.offsets) for line in made],
        "texts": [line.text for line in made],
        "writers": [line.writer for line in made],
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writing.write_whole(path, lambda file: np.savez(file, **content))
    except OSError as error:
        warnings.warn(f"The lines are made anew each time: {path.parent} cannot be written ({error}).", stacklevel=3)
