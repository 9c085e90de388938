import dataclasses

import keras
import numpy as np
import pytest

from toolkit import models
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET, Line
from toolkit.data.strokes.resampling import resample
from toolkit.generation import priming
from toolkit.generation.strokes import Writer, Written
from toolkit.metrics.handwriting_style import style

LINES = embedded_writers.written_lines(60, num_writers=3, max_characters=10)
# Of a short word the slant is hardly to be told, and each Python has words of its own.
LONGEST = max(LINES, key=lambda line: len(line.offsets))


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


def check_same_hand(changed, line):
    """A piece of handwriting at another size or density is as tall, and its points as far apart, as before."""
    (size, spacing), (expected_size, expected_spacing) = (
        (priming._steps(offsets).sum(), priming._steps(offsets).mean()) for offsets in (changed, line.offsets)
    )
    np.testing.assert_allclose(size, expected_size, rtol=0.2)
    np.testing.assert_allclose(spacing, expected_spacing, rtol=0.03)
    ours, others = (style(offsets, len(line.text)) for offsets in (changed, line.offsets))
    np.testing.assert_allclose(ours[1:], others[1:], rtol=0.15)
    assert abs(ours.slant - others.slant) < 0.1


@pytest.mark.parametrize("times", [0.05, 0.5, 1.0, 2.0, 20.0])
@pytest.mark.parametrize("spacing", [None, 0.5, 3.0, 7.0])
def test_any_pen_is_brought_to_what_the_network_has_learned(writer, times, spacing):
    """Learned here: to write as this very line is."""
    line = LONGEST
    learned = Copyist(writer.model, always=line.offsets)
    offsets = line.offsets if spacing is None else resample(line.offsets, spacing)
    primer = (offsets * [times, times, 1.0]).astype("float32"), line.text
    found = priming.fit_primer(learned, primer, "here", resample=resample)
    assert found[1] == line.text
    if found[0] is primer[0]:
        assert times == 1.0 and spacing in (None, 7.0), "what fits stays as it is"
    else:
        check_same_hand(found[0], line)


def test_a_far_lift_changes_no_size(writer):
    """A second line of text, and a late dot: the standard deviation of all offsets is of the lift alone."""
    line = LONGEST
    offsets = np.concatenate([line.offsets * [20, 20, 1], [[-90_000, 5000, 1]]])
    found, _ = priming.fit_primer(
        Copyist(writer.model, always=line.offsets), (offsets, line.text), "here", resample=resample
    )
    check_same_hand(found[:-1], line)


@pytest.mark.parametrize(("offsets", "message"), [
    (np.zeros((5, 3)), "no stroke in it moves"),
    (np.eye(5, 3) * 0 + [1, 1, 1], "no stroke in it moves"),
    (np.tile([[1e-3, 0, 0], [-1e-3, 0, 0]], (900, 1)), "go to and fro within less than a letter"),
])  # fmt: skip
def test_what_is_no_writing_is_refused(writer, offsets, message):
    learned = Copyist(writer.model, always=LINES[0].offsets)
    with pytest.raises(ValueError, match=f"^here: .*{message}"):
        priming.fit_primer(learned, (offsets, LINES[0].text), "here", resample=resample)


def test_more_than_the_text_is_told(writer):
    """Three lines' strokes as one line's, beside each other and below each other."""
    line = LINES[0]
    learned = Copyist(writer.model, always=line.offsets)
    for back, message in (
        (np.zeros(3), "times as tall. Is that all"),
        ([-line.offsets[:, 0].sum(), 60, 0], "one line"),
    ):
        again = line.offsets.copy()
        again[0] += back
        offsets = np.concatenate([line.offsets, again, again])
        with pytest.raises(ValueError, match=f"^here: with as much ink .*{message}"):
            priming.fit_primer(learned, (offsets, line.text), "here", resample=resample)


def test_a_network_that_writes_nothing_is_told(writer):
    learned = Copyist(writer.model, always=np.zeros((9, 3)))
    with pytest.raises(ValueError, match="here: the network does not write '.*' by itself: train it for longer"):
        priming.fit_primer(learned, (LINES[0].offsets, LINES[0].text), "here", resample=resample)


def test_a_primer_is_read_to_its_end(writer):
    """The untrained window moves a twenty-fifth of a character a point, whatever is written."""
    offsets = np.zeros((100, 3), "float32")
    priming.check_primer(writer.model, (offsets, "abcd"), "here")
    with pytest.raises(ValueError, match="here: led along .* read, of 'a{30}', only 'a{6,10}'. Is that"):
        priming.check_primer(writer.model, (offsets, "a" * 30), "here")
    with pytest.raises(ValueError, match="here: led along .* read, of 'ab', all, and there is more"):
        priming.check_primer(writer.model, (offsets, "ab"), "here")
    with pytest.raises(ValueError, match="characters outside the model's alphabet: 'ï'"):
        priming.check_primer(writer.model, (offsets, "naïve"), "here")


@dataclasses.dataclass
class Copyist:
    """A writer that repeats its primer's offsets, or always those of one hand: perfect, and a known cheat."""

    model: keras.Model
    always: np.ndarray | None = None

    def write(self, texts, bias=0.0, *, prime=None, **_):
        if prime is None:
            return [Written(self.always, None, True) for _ in texts]
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
    # 88.9 of the words of Python 3.13, above 90 of those of 3.11.
    assert perfect["nearer_its_primer_percent"] > 85 > 70 > cheat["nearer_its_primer_percent"]


@pytest.mark.parametrize("num_writers, num_lines, expected", [(2, 12, 100), (2, 7, 16), (10, 4, 100), (12, 4, 100)])
def test_few_writers_give_as_many_pairs(writer, num_writers, num_lines, expected):
    """Pairs of primer and text, no line being both."""

    class Counting(Copyist):
        def write(self, texts, bias=0.0, *, prime=None, **_):
            counted.extend((prime[1], text.strip()) for text in texts)
            return super().write(texts, bias, prime=prime)

    counted, random = [], np.random.default_rng(0)
    lines = [
        Line(random.normal(size=(40, 3)), "a" * (1 + number), f"writer {name}")
        for name in range(num_writers)
        for number in range(num_lines)
    ]
    priming.hand_kept(Counting(writer.model), lines, max_points=300)
    assert len(counted) == expected and not {primer for primer, _ in counted} & {text for _, text in counted}


def test_one_writer_alone_is_nearer_to_nobody(writer):
    alone = [line for line in LINES if line.writer == "writer 0"]
    assert priming.hand_kept(writer, alone, max_points=300) == {}
    assert priming.hand_kept(writer, LINES, max_points=5) == {}
