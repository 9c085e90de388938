"""A hand of one's own: the shipped model trained on with 24 recorded lines of a face and a hand that it has never seen.

Run with `./run test -m claims -n 0 -s tests/claims/test_own_hand.py`, which prints the figures.
"""

import functools
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
from HersheyFonts import HersheyFonts

from toolkit import generation
from toolkit.data.strokes.embedded_writers import written_lines
from toolkit.data.strokes.files import read_file
from toolkit.data.strokes.lines import ALPHABET, from_strokes
from toolkit.data.strokes.resampling import resample
from toolkit.generation.strokes import Writer
from toolkit.metrics.handwriting_style import nearer_its_primer, style
from toolkit.training import networks

pytestmark = pytest.mark.claims
ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "saved_models" / "handwriting_synthesis"
FACE = "futural"
TEXTS = [
    "What is written here,",
    "nobody has recorded:",
    "a few new words, 35 or",
    "Even Mary liked it so",
    "under the old bridge",
    "Good night, my friend",
    "let us go to the sea",
    "Ask him: where is it?",
]


@functools.cache
def letters():
    """Strokes and width of each character of a face that nobody has: a plain one, each letter bent its own way."""
    face, found = HersheyFonts(), {}
    face.load_default_font(FACE)
    for character in ALPHABET:
        (glyph,), random = face.glyphs_for_text(character), np.random.default_rng([7, ord(character)])
        wave, phase = random.normal(0.0, 1.0, (2, 2, 2)) * 0.12, random.uniform(0, 2 * np.pi, (2, 2))
        strokes = []
        for points in (np.array(list(stroke), "float64") for stroke in glyph.strokes):
            if len(points) > 1:  # points close together, as a pen's events are
                along = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
                places = np.linspace(0.0, along[-1], max(2, int(along[-1] / 0.6)))
                points = np.stack([np.interp(places, along, points[:, axis]) for axis in (0, 1)], axis=1)
            if len(points):
                points = points - [glyph.left_offset, 9.0]
                strokes.append(points + 1.5 * sum(np.sin(points @ wave[i] + phase[i]) for i in range(2)))
        found[character] = strokes, glyph.char_width
    return found


def in_the_hand(text, random, height=1.35, slant=-0.25, spacing=2.5):
    """Strokes of a line: large letters that lean back."""
    strokes, x = [], 0.0
    for character in text:
        its, width = letters()[character]
        size, *shift = random.normal(0.0, 1.0, 3)
        for points in its:
            points = height * (points * (1 + 0.03 * size) + [x, 0.0] + 0.3 * np.array(shift))
            points[:, 0] -= slant * points[:, 1]
            shaking = random.normal(0.0, 0.25, (len(points) + 4, 2))
            strokes.append(
                points + np.stack([np.convolve(each, np.ones(5) / 5, "valid") for each in shaking.T], axis=1)
            )
        x += width + spacing
    return strokes


def prompts():
    """The texts that the page asks for."""
    script = (ROOT / "saved_models" / "demo" / "record.js").read_text()
    block = script.split("const PROMPTS = [")[1].split("\n];")[0]
    return [(one or two).replace("\\'", "'") for one, two in re.findall(r"'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"", block)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the hand is recorded, and the shipped model trained on with it."""
    folder, random = tmp_path_factory.mktemp("hand"), np.random.default_rng(0)
    lines = [{"text": text, "strokes": [s.round(2).tolist() for s in in_the_hand(text, random)]} for text in prompts()]
    (folder / "recordings.json").write_text(json.dumps({"unit": "pen units, y downward", "lines": lines}))
    command = f"-m recipes.handwriting_synthesis --workdir={folder / 'run'} --data=json:{folder / 'recordings.json'}"
    command += f" --points_per_character=10 --start_from={SHIPPED} --units=224 --num_mixtures=20 --num_gaussians=10"
    command += " --batch_size=4 --epochs=20 --learning_rate=0.001 --mode=train"
    subprocess.run([sys.executable, *command.split()], check=True, cwd=ROOT)
    return folder


def test_the_hand_is_learned(folder):
    """Written lines look like that hand's; before they look like others', even where a line of it primes them."""
    shipped, stage = networks.shipped(SHIPPED, "model")["network"], folder / "run" / "checkpoints" / "model"
    trained = networks.load(stage, networks.checkpoint(stage))["network"]
    random = np.random.default_rng(1)
    own = [style(from_strokes(in_the_hand(text, random)), len(text)) for text in 3 * TEXTS]
    others = [(line.writer, style(line.offsets, len(line.text))) for line in written_lines(1000)]
    primer = read_file(folder / "recordings.json"), prompts()[0]
    primer = generation.priming.fit_primer(Writer(shipped), primer, "the first line", resample=resample)
    found, mean, scale = {}, np.mean(own, axis=0), np.std(own, axis=0)
    for name, model, hand in (("shipped", shipped, None), ("primed", shipped, primer), ("trained", trained, None)):
        lines = generation.priming.write_in_hand(Writer(model), TEXTS, hand, bias=1.0, seed=0)
        styles = [style(line.offsets, len(text)) for line, text in zip(lines, TEXTS, strict=True)]
        distance = np.linalg.norm((np.mean(styles, axis=0) - mean) / scale)
        real = [("mine", each) for each in own] + others
        found[name] = distance, nearer_its_primer([("mine", each) for each in styles], real)[0]
        print(
            f"{name}: {distance:.1f} of the hand's deviations from it; nearer to it in {found[name][1]:.1f} % of pairs"
        )
    assert found["shipped"][0] > 10 and found["primed"][0] > 8 and found["trained"][0] < 5
    assert found["shipped"][1] < 20 and found["primed"][1] < 60 and found["trained"][1] > 90
