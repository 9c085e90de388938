import functools
import html
import pathlib
import re
import warnings

import numpy as np
import pytest
from HersheyFonts import HersheyFonts

from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.embedded_writers import FACES, sample_stroke, writers, written_lines
from toolkit.data.strokes.lines import ALPHABET


def assert_equal(left, right):
    assert [(line.text, line.writer) for line in left] == [(line.text, line.writer) for line in right]
    for one, two in zip(left, right, strict=True):
        assert one.offsets.dtype == two.offsets.dtype == np.float32
        np.testing.assert_array_equal(one.offsets, two.offsets)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "deep" / "cache"))
    return tmp_path / "deep" / "cache"


@pytest.fixture
def made(monkeypatch):
    """The numbers of the lines that were made, not read."""
    numbers, make = [], embedded_writers._line
    monkeypatch.setattr(embedded_writers, "_line", lambda number, *rest: numbers.append(number) or make(number, *rest))
    return numbers


@functools.cache
def thousand():
    return written_lines(1000, seed=0)


def drawn_by(writer, most=150):
    return [line for line in thousand() if line.writer == writer.name][:most]


def strokes_of(line):
    """Positions of each stroke, without the code under test."""
    positions = np.cumsum(line.offsets[:, :2].astype("float64"), axis=0)
    return np.split(positions, np.flatnonzero(line.offsets[:, 2])[:-1] + 1)


@functools.cache
def font(face):
    """The published font's own strokes, the first and last point of each at least, and advance of each character."""
    if face.startswith("EMS"):
        text = (pathlib.Path(embedded_writers.__file__).parent / "faces" / f"{face}.svg").read_text("utf-8")
        glyphs = re.findall(r'<glyph unicode="([^"]+)"[^>]*horiz-adv-x="([^"]+)"(?:[^>]* d="([^"]*)")?', text)
        drawn = {html.unescape(name): (float(advance), d.split("M")[1:]) for name, advance, d in glyphs}
        numbers = {c: [[*map(float, re.findall(r"-?[\d.]+", d))] for d in drawn[c][1]] for c in ALPHABET}
        unit = 21.0 / max(max(stroke[1::2]) for stroke in numbers["H"])
        strokes = {c: [np.array([stroke[:2], stroke[-2:]]) * [unit, -unit] for stroke in numbers[c]] for c in ALPHABET}
        return strokes, {c: drawn[c][0] * unit for c in ALPHABET}
    loaded = HersheyFonts()
    loaded.load_default_font(face)
    strokes = {
        c: [np.array(stroke, "float64") for stroke in loaded.strokes_for_text(c) if len(stroke)] for c in ALPHABET
    }
    return strokes, {c: next(iter(loaded.glyphs_for_text(c))).char_width for c in ALPHABET}


def reference_strokes(writer, text):
    strokes, _ = font(writer.face)
    return [stroke for character in text for stroke in strokes[character]]


def test_line_depends_on_seed_and_number_alone(folder):
    seven = written_lines(7, seed=3, num_writers=3)
    assert_equal(written_lines(3, seed=3, num_writers=3), seven[:3])
    other = written_lines(7, seed=4, num_writers=3)
    assert not {line.text for line in seven} & {line.text for line in other}
    assert len({line.text for line in seven}) == 7


def test_writers_depend_on_seed_and_number_alone():
    assert writers(3, seed=1) == writers(9, seed=1)[:3]
    assert [writer.face for writer in writers(12)] == [*FACES, *FACES[:2]]
    hands = [tuple(vars(writer).values())[2:] for seed in (0, 1) for writer in writers(8, seed)]
    assert len(set(hands)) == 16 and len({writer.name for writer in writers(8)}) == 8


def test_cached_copy_equals_a_fresh_one(folder, made):
    fresh = written_lines(9, seed=2, num_writers=1)
    assert made == list(range(9)) and len(list(folder.iterdir())) == 1
    assert_equal(written_lines(9, seed=2, num_writers=1), fresh)
    assert made == list(range(9)), "read, not made"
    for options in ({"seed": 3}, {"min_characters": 7}, {"max_characters": 23}, {"num_writers": 2}):
        made.clear()
        written_lines(9, **{"seed": 2, "num_writers": 1, **options})
        assert made == list(range(9)), options


def test_another_python_may_have_other_words(folder, made, monkeypatch):
    written_lines(2, num_writers=1)
    monkeypatch.setattr("platform.python_version", lambda: "3.99.0")
    written_lines(2, num_writers=1)
    assert made == [0, 1, 0, 1]


def flip(content, place):
    damaged = bytearray(content)
    damaged[int(len(damaged) * place)] ^= 0xFF
    return bytes(damaged)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"not a zip file",
        lambda content: b"\x93NUMPY\x01\x00garbage",
        lambda content: content[: len(content) // 2],
        lambda content: flip(content, 0.5),
        lambda content: content[:-30] + bytes(30),
    ],
)
def test_damaged_cache_is_made_anew(folder, made, damage):
    fresh = written_lines(4, num_writers=1)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert_equal(written_lines(4, num_writers=1), fresh)
    assert made == [0, 1, 2, 3] * 2
    assert_equal(written_lines(4, num_writers=1), fresh)
    assert made == [0, 1, 2, 3] * 2, "whole again"


@pytest.mark.parametrize("keep", [slice(0, 3), slice(1, 4)])
def test_cache_of_something_else_is_made_anew(folder, made, keep):
    fresh = written_lines(4, num_writers=1)
    (file,) = folder.iterdir()
    with np.load(file) as held:
        arrays = {name: held[name] for name in held}
    np.savez(file, **{**arrays, "texts": arrays["texts"][keep]})
    assert_equal(written_lines(4, num_writers=1), fresh)
    assert made == [0, 1, 2, 3] * 2


def test_unwritable_cache_only_warns(tmp_path, monkeypatch):
    expected = written_lines(3, num_writers=1)
    (tmp_path / "file").touch()
    monkeypatch.setenv("TOOLKIT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.warns(UserWarning, match="made anew each time: .*cache cannot be written") as caught:
        assert_equal(written_lines(3, num_writers=1), expected)
    assert caught[0].filename == __file__


def test_cache_is_in_the_users_folder_unless_named(tmp_path, monkeypatch):
    monkeypatch.delenv("TOOLKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    written_lines(1, num_writers=1)
    assert len(list((tmp_path / "xdg" / "toolkit").iterdir())) == 1
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    written_lines(1, num_writers=1)
    assert len(list((tmp_path / ".cache" / "toolkit").iterdir())) == 1


@pytest.mark.parametrize(
    "options",
    [{"num_lines": 0}, {"num_writers": 0}, {"min_characters": 0}, {"min_characters": 25}, {"max_characters": 5}],
)
def test_impossible_numbers_are_refused(folder, options):
    with pytest.raises(ValueError, match="Expected at least one line, writer and character, and min_characters up to"):
        written_lines(**{"num_lines": 2, **options})


@pytest.mark.parametrize(("least", "most"), [(1, 1), (12, 12), (90, 100)])
def test_lengths_of_texts(folder, least, most):
    texts = [line.text for line in written_lines(4, min_characters=least, max_characters=most, num_writers=1)]
    assert all(least <= len(text) <= most for text in texts)


def test_texts_are_english_in_the_alphabet():
    texts = [line.text for line in thousand()]
    assert set("".join(texts)) == set(ALPHABET) and len(set(ALPHABET)) == len(ALPHABET)
    assert all(6 <= len(text) <= 24 and text == text.strip() for text in texts)
    assert len(set(texts)) > 980
    words = " ".join(texts).split()
    assert {"the", "is", "of", "function"} < set(words)


def test_every_writer_writes_about_as_much():
    counts = [sum(line.writer == writer.name for line in thousand()) for writer in writers()]
    assert sum(counts) == 1000 and min(counts) > 70


def test_offsets_are_well_formed():
    for line in thousand():
        assert line.offsets.ndim == 2 and line.offsets.shape[1] == 3 and np.isfinite(line.offsets).all()
        assert set(line.offsets[:, 2]) <= {0.0, 1.0} and line.offsets[-1, 2] == 1.0
        assert not line.offsets[0, :2].any()


def test_strokes_are_those_of_the_text():
    hands = {writer.name: writer for writer in writers()}
    for line in thousand()[:200]:
        assert len(strokes_of(line)) == len(reference_strokes(hands[line.writer], line.text))


@pytest.mark.parametrize("writer", writers(), ids=lambda writer: writer.name)
def test_hand_is_seen_in_the_strokes(writer):
    """Height, width and slant by least squares, from each stroke's first to last point, against the font's own."""
    reference, drawn = [], []
    for line in drawn_by(writer):
        reference += [stroke[-1] - stroke[0] for stroke in reference_strokes(writer, line.text)]
        drawn += [stroke[-1] - stroke[0] for stroke in strokes_of(line)]
    (width, _), (lean, height) = np.linalg.lstsq(np.array(reference), np.array(drawn), rcond=None)[0]
    assert height == pytest.approx(writer.height, abs=0.02)
    assert width == pytest.approx(writer.width * writer.height, abs=0.02)
    assert -lean / height == pytest.approx(writer.slant, abs=0.03)


@pytest.mark.parametrize("writer", writers(), ids=lambda writer: writer.name)
def test_pen_keeps_its_speed(writer):
    """Between ends and corners, the pen goes about `speed` a point; round a curve and between near corners, less."""
    inside = []
    for line in drawn_by(writer, 60):
        for stroke in strokes_of(line):
            inside.extend(np.hypot(*np.diff(stroke, axis=0).T))
    assert np.median(inside) == pytest.approx(writer.speed, rel=0.2)
    assert np.quantile(inside, 0.99) < 1.7 * writer.speed


def test_spacing_and_letters_make_the_length():
    """A line's length is that of the font's setting, stretched, and the writer's spacing."""
    for writer in writers():
        _, advance = font(writer.face)
        errors = []
        for line in drawn_by(writer, 20):
            expected = sum(advance[c] for c in line.text) * writer.width * writer.height
            expected += writer.spacing * len(line.text)
            positions = np.concatenate(strokes_of(line))
            errors.append((np.ptp(positions[:, 0] + writer.slant * positions[:, 1])) / expected)
        assert np.median(errors) == pytest.approx(1.0, abs=0.08)


def test_sampled_stroke_keeps_ends_and_corners():
    corner = np.array([[0.0, 0.0], [10.0, 0.0], [10.0, 7.0]])
    sampled = sample_stroke(corner, 2.0)
    # 10 in five parts, 7 in four: the nearest whole numbers.
    expected = [[x, 0] for x in (0, 2, 4, 6, 8, 10)] + [[10, y] for y in (1.75, 3.5, 5.25, 7)]
    np.testing.assert_allclose(sampled, expected)


def test_sampled_stroke_is_even_round_a_bend():
    angles = np.linspace(0, np.pi, 200)
    arc = 20 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    sampled = sample_stroke(arc, 3.0)
    assert len(sampled) == round(20 * np.pi / 3.0) + 1
    np.testing.assert_allclose(np.hypot(*sampled.T), 20.0, atol=0.01)
    np.testing.assert_allclose(np.hypot(*np.diff(sampled, axis=0).T), 3.0, rtol=0.01)
    np.testing.assert_allclose(sampled[[0, -1]], arc[[0, -1]], atol=1e-12)


@pytest.mark.parametrize(
    ("stroke", "expected"),
    [
        ([[3, 4]], [[3, 4]]),
        ([[3, 4], [3, 4], [3, 4]], [[3, 4]]),
        ([[0, 0], [0, 0], [1, 0], [1, 0]], [[0, 0], [1, 0]]),
        ([[0, 0], [8, 0], [0, 0]], [[0, 0], [4, 0], [8, 0], [4, 0], [0, 0]]),
    ],
)
def test_sampled_stroke_of_few_points(stroke, expected):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(sample_stroke(np.array(stroke, "float64"), 4.0), expected)


@pytest.mark.parametrize("numbers", [(1_000_001, 1), (20, 10_001)])
def test_numbers_beyond_any_need_are_refused_at_once(numbers):
    with pytest.raises(ValueError, match="Expected at most 1,000,000 lines and 10,000 writers; got"):
        written_lines(numbers[0], num_writers=numbers[1])
