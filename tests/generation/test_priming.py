import dataclasses

import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET
from toolkit.generation import priming
from toolkit.generation.strokes import Writer, Written

LINES = embedded_writers.written_lines(60, num_writers=3, max_characters=10)


@pytest.fixture(scope="module")
def writer():
    keras.utils.set_random_seed(0)
    model = models.handwriting.synthesis(ALPHABET, units=8, num_layers=1, num_mixtures=3, num_gaussians=2)
    scale = np.concatenate([line.offsets for line in LINES])[:, :2].std(axis=0)
    model.get_layer("standardize").adapt(np.zeros(3), [*scale, 1.0])
    return Writer(model)


def test_a_primed_line_is_the_writers_own(writer):
    before = LINES[0].offsets, LINES[0].text
    (line,) = priming.write_in_hand(writer, ["as"], before, bias=0.5, seed=3)
    (expected,) = writer.write([" as"], bias=0.5, max_points=180, seed=3, prime=before)
    np.testing.assert_array_equal(line.offsets, expected.offsets)
    (line,) = priming.write_in_hand(writer, ["as"], bias=0.5, seed=3)
    (expected,) = writer.write(["as"], bias=0.5, max_points=180, seed=3)
    np.testing.assert_array_equal(line.offsets, expected.offsets)


def test_a_pen_of_another_size_is_refused(writer):
    offsets, text = LINES[0].offsets, LINES[0].text
    priming.check_primer(writer.model, (offsets, text), "here")
    scale = np.asarray(writer.model.get_layer("standardize").scale)[:2].mean()
    times = 10 * offsets[:, :2].std(axis=0).mean() / scale
    with pytest.raises(
        ValueError, match=f"here: its offsets are {times:.2g} times as large .* trained on, {scale:.3g}"
    ):
        priming.check_primer(writer.model, (offsets * [10, 10, 1], text), "here")
    with pytest.raises(ValueError, match="characters outside the model's alphabet: 'ï'"):
        priming.check_primer(writer.model, (offsets, "naïve"), "here")


@dataclasses.dataclass
class Copyist:
    """A writer that repeats its primer's offsets, or always those of one hand: perfect, and a known cheat."""

    model: keras.Model
    always: np.ndarray | None = None

    def write(self, texts, *, prime, **_):
        longest = prime[0] if self.always is None else self.always
        points = [longest[: 1 + len(longest) * len(text) // len(prime[1])] for text in texts]
        return [Written(offsets, None, True) for offsets in points]


def test_hand_kept_is_bracketed(writer):
    perfect = priming.hand_kept(Copyist(writer.model), LINES, max_points=300)
    assert set(perfect) == {
        "nearer_its_primer_percent",
        *(f"nearer_its_primer_by_{name}_percent" for name in ("slant", "height", "spacing")),
    }
    cheat = priming.hand_kept(Copyist(writer.model, always=LINES[0].offsets), LINES, max_points=300)
    assert perfect["nearer_its_primer_percent"] > 90 > 70 > cheat["nearer_its_primer_percent"]


def test_one_writer_alone_is_nearer_to_nobody(writer):
    alone = [line for line in LINES if line.writer == "writer 0"]
    assert priming.hand_kept(writer, alone, max_points=300) == {}
    assert priming.hand_kept(writer, LINES, max_points=5) == {}
