import dataclasses

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, as_rows, fill, parts_of, rows, written
from toolkit.data.strokes import embedded_writers
from toolkit.data.strokes.lines import ALPHABET, Line, from_strokes, to_strokes
from toolkit.data.strokes.loading import lines_of, load, read, statistics


@pytest.fixture(scope="module")
def embedded():
    return load("embedded:300", batch_size=8, seed=2, text=True)


def test_embedded_splits_hold_the_lines_once(embedded):
    expected = as_rows(embedded_writers.written_lines(300, seed=2))
    parts = [rows(part) for part in parts_of(embedded)]
    assert [len(part) for part in parts] == [270, 15, 15]
    assert sorted(sum(parts, []), key=repr) == expected
    assert [part.num_examples for part in parts_of(embedded)] == [270, 15, 15]
    assert [part.steps_per_epoch for part in parts_of(embedded)] == [34, 2, 2]


def test_texts_of_the_splits_are_disjoint(monkeypatch):
    line = embedded_writers.written_lines(300, seed=2)
    texts = ["the same", "another", "a third"]
    repeated = [Line(one.offsets, texts[n % 3] if n % 4 else one.text) for n, one in enumerate(line)]
    monkeypatch.setattr(embedded_writers, "written_lines", lambda *_: repeated)
    splits = load("embedded:300", batch_size=8, seed=2, text=True)
    train, validation, test = ({text for text, _ in rows(part)} for part in parts_of(splits))
    assert not train & validation and not train & test and not validation & test
    assert set(texts) <= test and train and validation


def test_batch_is_padded_and_masked(embedded):
    batch = embedded.train.peek()
    offsets, mask, text = batch["offsets"], batch["mask"], batch["text"]
    assert (offsets.dtype, mask.dtype, text.dtype) == (np.float32, bool, np.int32)
    assert offsets.shape == (8, mask.shape[1], 3) and text.shape[0] == 8
    lengths = mask.sum(axis=1)
    assert lengths.max() == mask.shape[1] and len(set(lengths)) > 1
    np.testing.assert_array_equal(mask, np.arange(mask.shape[1]) < lengths[:, None])
    assert not offsets[~mask].any()
    assert all(line[length - 1, 2] == 1 for line, length in zip(offsets, lengths, strict=True))
    assert not text[:, -1].any() and text[:, -2].any(), "one zero at the end of the longest text"
    assert set(map(chr, text[text > 0])) <= set(ALPHABET)
    # Lines of like length stand together: little is padding.
    masks = [part["mask"] for part in embedded.train.dataset(num_epochs=1).as_numpy_iterator()]
    assert sum(map(np.sum, masks)) > 0.85 * sum(map(np.size, masks))


def test_without_text():
    splits = load("embedded:40", **OPTIONS, text=False)
    assert set(splits.train.peek()) == {"offsets", "mask"} == set(splits.train.dataset().element_spec)
    assert [offsets for _, offsets in rows(splits.test)] == [
        line.offsets.tobytes()
        for line in sorted(embedded_writers.written_lines(40)[:2], key=lambda one: repr(one.offsets.tobytes()))
    ]


def test_only_training_is_shuffled(embedded):
    def epochs(part):
        first, second = (part.dataset(step).take(1).as_numpy_iterator() for step in (0, part.steps_per_epoch))
        return next(first)["offsets"].tobytes() == next(second)["offsets"].tobytes()

    assert epochs(embedded.validation) and epochs(embedded.test) and not epochs(embedded.train)


def test_resume_is_the_tail_of_the_whole(embedded):
    def read(**span):
        return [batch["offsets"].tobytes() for batch in embedded.train.dataset(**span).as_numpy_iterator()]

    assert read(start_step=30, num_epochs=2) == read(num_epochs=2)[30:]


@pytest.mark.parametrize("lines", ["5", "19", "-40", "many", "2e3", "²", "40:", "40:x", "40:4:2"])
def test_embedded_wants_a_number_of_lines(lines):
    with pytest.raises(ValueError, match=f"--data=embedded:{lines}: expected a number of lines, at least 20"):
        load(f"embedded:{lines}", **OPTIONS, text=True)


def test_embedded_by_few_writers():
    names = {line.writer for part in read("embedded:60:3", seed=0, text=True) for line in part}
    assert names == {"writer 0", "writer 1", "writer 2"}
    with pytest.raises(ValueError, match="of writers, at least 1: LINES:WRITERS"):
        load("embedded:60:0", **OPTIONS, text=True)


def test_embedded_has_ten_thousand_lines_by_default(monkeypatch):
    asked, lines = [], written()
    monkeypatch.setattr(embedded_writers, "written_lines", lambda *args: asked.append(args) or lines)
    load("embedded", **OPTIONS, text=True)
    load("embedded:", batch_size=4, seed=3, text=True)
    assert asked == [(10_000, 0), (10_000, 3)]


def test_statistics_are_those_of_the_training_lines(embedded):
    parts = [row for row in rows(embedded.train)]
    points = np.concatenate([np.frombuffer(offsets, "float32").reshape(-1, 3) for _, offsets in parts])
    measured = statistics(embedded.train)
    np.testing.assert_allclose(measured.mean, [*points[:, :2].mean(axis=0, dtype="float64"), 0], rtol=1e-5)
    np.testing.assert_allclose(measured.scale, [*points[:, :2].std(axis=0, dtype="float64"), 1], rtol=1e-5)
    assert measured.mean.dtype == measured.scale.dtype == np.float32
    assert measured.points_per_character == pytest.approx(len(points) / sum(len(text) for text, _ in parts))


def test_statistics_without_text():
    assert statistics(load("embedded:20", **OPTIONS, text=False).train).points_per_character == 0


def test_too_long_lines_are_left_out_and_counted(capsys):
    lines = embedded_writers.written_lines(100)
    validation, train = lines[5:10], lines[10:]
    splits = load("embedded:100", **OPTIONS, text=True, max_points=200, max_characters=20)
    printed = capsys.readouterr().out
    for name, part, batches in [("train", train, splits.train), ("validation", validation, splits.validation)]:
        kept = [line for line in part if len(line.offsets) <= 200 and len(line.text) <= 20]
        assert 0 < len(kept) < len(part) and rows(batches) == as_rows(kept)
        assert f"embedded:100: {len(part) - len(kept)} of {len(part)} {name} lines left out: too long.\n" in printed
    longest = max(len(line.offsets) for line in lines)
    splits = load("embedded:100", **OPTIONS, text=False, max_points=longest, max_characters=1)
    assert splits.train.num_examples == 90, "without text, its length is no matter"
    assert not capsys.readouterr().out


def test_no_line_left():
    with pytest.raises(ValueError, match=r"no line left for train: of 36 that .* at most --max_points=10 points\."):
        load("embedded:40", **OPTIONS, text=False, max_points=10)
    with pytest.raises(ValueError, match=r"--max_points=600 and a text of at most 3 characters\."):
        load("embedded:40", **OPTIONS, text=True, max_characters=3)


def test_characters_outside_the_alphabet(tmp_path):
    for number in range(3):
        (fill(tmp_path, 20) / f"{number:03}.txt").write_text("na\u00efve #1", encoding="utf-8")
    with pytest.raises(
        ValueError, match="texts have characters outside --alphabet, such as 'naïve #1': '#ï'. Add them"
    ):
        load(f"npy:{tmp_path}", **OPTIONS, text=True)
    (tmp_path / "000.txt").write_text("na\u00efve #1", encoding="utf-8")
    splits = load(f"npy:{tmp_path}", **OPTIONS, text=True, alphabet=ALPHABET + "ï#")
    assert "naïve #1" in [text for part in parts_of(splits) for text, _ in rows(part)]
    assert load(f"npy:{tmp_path}", **OPTIONS, text=False)


def test_a_few_lines_outside_the_alphabet_are_left_out_and_counted(monkeypatch, capsys):
    lines = [
        dataclasses.replace(line, text=f"line {number}")
        for number, line in enumerate(embedded_writers.written_lines(200))
    ]
    strange = [dataclasses.replace(line, text="caf\u00e9 #1" if number in (50, 90) else line.text)
               for number, line in enumerate(lines)]  # fmt: skip
    monkeypatch.setattr(embedded_writers, "written_lines", lambda *_: strange)
    splits = load("embedded:200", **OPTIONS, text=True)
    assert rows(splits.train) == as_rows(
        [line for number, line in enumerate(lines) if number in {*range(20, 200)} - {50, 90}]
    )
    assert capsys.readouterr().out == (
        "embedded:200: 2 of 180 train lines left out: characters outside --alphabet, such as 'caf\u00e9 #1': "
        "'#\u00e9'.\n"
    )
    assert load("embedded:200", **OPTIONS, text=False).train.num_examples == 180


def test_spacing_resamples_along_the_stroke(tmp_path):
    corner = np.array([[0, 0], [1, 0], [2, 0], [7, 0], [30, 0], [30, 1], [30, 21]])
    for number in range(3):
        np.save(tmp_path / f"{number}.npy", from_strokes([corner, [[50, 50]], [[60, 60], [60, 60]]]))
    offsets = load(f"npy:{tmp_path}", batch_size=1, seed=0, text=False, spacing=10).train.peek()["offsets"][0]
    strokes = to_strokes(offsets)
    np.testing.assert_allclose(strokes[0], [[0, 0], [10.2, 0], [20.4, 0], [30, 0.6], [30, 10.8], [30, 21]], atol=1e-5)
    assert [len(stroke) for stroke in strokes] == [6, 1, 1]
    np.testing.assert_allclose(np.concatenate(strokes[1:]), [[50, 50], [60, 60]], atol=1e-5)
    # What is too long is decided by the points that are left.
    short = load(f"npy:{tmp_path}", batch_size=1, seed=0, text=False, spacing=10, max_points=8)
    assert short.train.num_examples == 1
    with pytest.raises(ValueError, match="no line left for train"):
        load(f"npy:{tmp_path}", batch_size=1, seed=0, text=False, max_points=8)
    with pytest.raises(ValueError, match="spacing must be at least 0; got -1"):
        load(f"npy:{tmp_path}", batch_size=1, seed=0, text=False, spacing=-1)


def test_points_per_character_whatever_the_unit(tmp_path):
    for unit in (1.0, 0.02, 300.0):
        line = unit * np.array([[0.0, 0.0], [30.0, 0.0], [30.0, 20.0]])
        folder = tmp_path / str(unit)
        folder.mkdir()
        for number in range(3):
            np.save(folder / f"{number}.npy", from_strokes([line, [[50.0 * unit, 50.0 * unit]]]))
            (folder / f"{number}.txt").write_text("ab")
        how = {"seed": 0, "text": True, "points_per_character": 6.0}
        (read_line,), *_ = read(f"npy:{folder}", **how)
        # 12 points, one of them the dot and one the stroke's first: 10 steps of 5 units.
        steps = np.hypot(*read_line.offsets[1:11, :2].T)
        assert len(read_line.offsets) == 12
        np.testing.assert_allclose(steps, 5.0 * unit, rtol=1e-5)
        assert load(f"npy:{folder}", batch_size=1, **how).train.peek()["mask"].sum() == 12
        with pytest.raises(ValueError, match="has 2 strokes in 2 characters, .* --points_per_character=1 nothing"):
            read(f"npy:{folder}", **how | {"points_per_character": 1.0})
    for wrong in ({"points_per_character": -1.0}, {"spacing": 1.0}, {"text": False}, {"points_per_character": np.nan}):
        with pytest.raises(ValueError, match="--points_per_character=.*: expected at least 0, of texts"):
            read(f"npy:{folder}", **how | wrong)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("embeded", "no reader 'embeded', no such path. Did you mean 'embedded'"),
        ("ptb:/data/ptb", "no reader 'ptb'.* There are: embedded, iam, inkml, inkml_whole, omniglot, quickdraw, "),
    ],
)
def test_unknown_source(source, message):
    with pytest.raises(ValueError, match=message):
        load(source, **OPTIONS, text=True)


def test_bare_path_of_something_else(tmp_path):
    (tmp_path / "lines.csv").touch()
    for path in (tmp_path, tmp_path / "lines.csv"):
        with pytest.raises(ValueError, match="exists, but it is not plain what it holds"):
            load(str(path), **OPTIONS, text=True)


def test_lines_of_batches(embedded):
    assert as_rows(lines_of(embedded.train)) == rows(embedded.train)
    without = load("embedded:40", **OPTIONS, text=False).test
    assert [text for text, _ in as_rows(lines_of(without))] == ["", ""]
    assert [offsets for _, offsets in as_rows(lines_of(without))] == [offsets for _, offsets in rows(without)]
