import dataclasses
import functools
import io
import re
import zipfile

import numpy as np
import pytest

from toolkit.data import embedded_writers
from toolkit.data.strokes import ALPHABET, READERS, check_offsets, from_strokes, load, read, statistics, to_strokes

OPTIONS = {"batch_size": 4, "seed": 0}


@functools.cache
def written():
    """Lines to be put into files."""
    return embedded_writers.lines(40, seed=5)


def fill(folder, count=40, text=True):
    """A folder of NAME.npy and NAME.txt."""
    folder.mkdir(exist_ok=True)
    for number, line in enumerate(written()[:count]):
        np.save(folder / f"{number:03}.npy", line.offsets)
        if text:
            (folder / f"{number:03}.txt").write_text(f"{line.text}\n", encoding="utf-8")
    return folder


def rows(batches):
    """Each line of an epoch, its padding cut off: (text or None, offsets)."""
    found = []
    for batch in batches.dataset(num_epochs=1).as_numpy_iterator():
        for number, (offsets, mask) in enumerate(zip(batch["offsets"], batch["mask"], strict=True)):
            text = "".join(map(chr, batch["text"][number])).rstrip("\0") if "text" in batch else None
            found.append((text, offsets[mask].tobytes()))
    return sorted(found, key=repr)


def as_rows(lines):
    return sorted(((line.text, line.offsets.tobytes()) for line in lines), key=repr)


@pytest.fixture(scope="module")
def embedded():
    return load("embedded:300", batch_size=8, seed=2, text=True)


def parts_of(splits):
    return splits.train, splits.validation, splits.test


def test_embedded_splits_hold_the_lines_once(embedded):
    expected = as_rows(embedded_writers.lines(300, seed=2))
    parts = [rows(part) for part in parts_of(embedded)]
    assert [len(part) for part in parts] == [270, 15, 15]
    assert sorted(sum(parts, []), key=repr) == expected
    assert [part.num_examples for part in parts_of(embedded)] == [270, 15, 15]
    assert [part.steps_per_epoch for part in parts_of(embedded)] == [34, 2, 2]


def test_texts_of_the_splits_are_disjoint(monkeypatch):
    line = embedded_writers.lines(300, seed=2)
    texts = ["the same", "another", "a third"]
    repeated = [embedded_writers.Line(one.offsets, texts[n % 3] if n % 4 else one.text) for n, one in enumerate(line)]
    monkeypatch.setattr(embedded_writers, "lines", lambda *_: repeated)
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
        for line in sorted(embedded_writers.lines(40)[:2], key=lambda one: repr(one.offsets.tobytes()))
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
    with pytest.raises(ValueError, match="at least one line, writer"):
        load("embedded:60:0", **OPTIONS, text=True)


def test_embedded_has_ten_thousand_lines_by_default(monkeypatch):
    asked = []
    monkeypatch.setattr(embedded_writers, "lines", lambda *args: asked.append(args) or written())
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
    lines = embedded_writers.lines(100)
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


def test_from_strokes_and_back():
    random = np.random.default_rng(0)
    strokes = [random.normal(size=(count, 2)) * 30 for count in (5, 1, 2, 17, 1)]
    offsets = from_strokes(strokes)
    assert offsets.dtype == np.float32 and offsets.shape == (26, 3)
    assert np.flatnonzero(offsets[:, 2]).tolist() == [4, 5, 7, 24, 25] and not offsets[0, :2].any()
    for one, two in zip(to_strokes(offsets), strokes, strict=True):
        np.testing.assert_allclose(one, two - strokes[0][0], atol=1e-4)
    np.testing.assert_allclose(from_strokes(to_strokes(offsets)), offsets, atol=1e-5)


def test_to_strokes_of_an_unfinished_line():
    """A pen that is still down at the end, as after a cut; and a first offset that is not zero."""
    strokes = to_strokes(np.array([[1, 1, 0], [1, 0, 1], [2, 0, 0], [0, 3, 0]]))
    assert [stroke.tolist() for stroke in strokes] == [[[1, 1], [2, 1]], [[4, 1], [4, 4]]]


@pytest.mark.parametrize("text", [True, False])
def test_npy_is_read_as_it_was_written(tmp_path, text):
    folder = fill(tmp_path, text=text)
    for source in (f"npy:{folder}", str(folder)):
        splits = load(source, **OPTIONS, text=text)
        expected = [(line.text if text else None, line.offsets.tobytes()) for line in written()]
        parts = [rows(part) for part in parts_of(splits)]
        assert [len(part) for part in parts] == [36, 2, 2]
        assert sorted(sum(parts, []), key=repr) == sorted(expected, key=repr)


def test_npy_is_split_by_the_seed(tmp_path):
    folder = fill(tmp_path)
    tests = [rows(load(f"npy:{folder}", batch_size=4, seed=seed, text=True).test) for seed in (0, 0, 1, 2)]
    assert tests[0] == tests[1] and tests[0] != tests[2] != tests[3]


def test_npy_of_three_lines_is_enough(tmp_path):
    splits = load(f"npy:{fill(tmp_path, 3)}", **OPTIONS, text=True)
    assert [part.num_examples for part in parts_of(splits)] == [1, 1, 1]


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64"])
def test_npy_of_other_numbers(tmp_path, dtype):
    folder = fill(tmp_path, 3)
    offsets = np.round(written()[0].offsets).astype(dtype)
    np.save(folder / "000.npy", offsets)
    splits = load(f"npy:{folder}", **OPTIONS, text=False)
    assert offsets.astype("float32").tobytes() in [found for part in parts_of(splits) for _, found in rows(part)]


@pytest.mark.parametrize("text", [True, False])
@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda folder: folder / "none", FileNotFoundError, "--data=npy:.*none: no such file or folder"),
    (lambda folder: folder, FileNotFoundError, r"the folder holds no .npy file. Expected NAME.npy \(points, 3\)"),
    (lambda folder: fill(folder / "x", 3) / "001.npy", ValueError, "001.npy is a file. Expected a folder"),
    (lambda folder: fill(folder, 2), ValueError, "2 lines; at least 3 are needed, for train, validation and test"),
    (lambda folder: "", ValueError, "--data=npy: its path is missing. Expected --data=npy:PATH"),
])  # fmt: skip
def test_npy_folder_is_wrong(tmp_path, make, error, message, text):
    with pytest.raises(error, match=message):
        load(f"npy:{make(tmp_path)}", **OPTIONS, text=text)


def replaced(row, column, value):
    offsets = written()[0].offsets.copy()
    offsets[row, column] = value
    return offsets


def positions():
    offsets = written()[0].offsets.copy()
    offsets[:, :2] = np.cumsum(offsets[:, :2], axis=0)
    return offsets


ONE_WAY = r"the \d+ offsets go one way, .* Are these positions instead of offsets\?"
BROKEN = {
    "NaN": (lambda: replaced(7, 1, np.nan), r"point 7 is not finite: \[.*nan"),
    "infinite": (lambda: replaced(3, 0, -np.inf), r"point 3 is not finite: \[-inf"),
    "NaN flag": (lambda: replaced(5, 2, np.nan), "point 5 is not finite"),
    "huge jump": (lambda: replaced(9, 0, 1e5), r"point 9 jumps 1e\+05, \d+ times the median offset. Is it broken"),
    "huge jump up": (lambda: replaced(11, 1, -9e4), r"point 11 jumps 9e\+04"),
    "positions": (positions, ONE_WAY),
    "positions on a page": (lambda: positions() + [900, 1500, 0], ONE_WAY),
    "pen pressure": (lambda: replaced(4, 2, 0.4), "point 4: the third column is 1 where a stroke ends .* got 0.4"),
    "negative flag": (lambda: replaced(0, 2, -1), "point 0: the third column is 1 where a stroke ends"),
    "two columns": (
        lambda: written()[0].offsets[:, :2],
        r"expected numbers of shape \(points, 3\); got float32 \(\d+, 2\)",
    ),
    "batch": (
        lambda: written()[0].offsets[None],
        r"expected numbers of shape \(points, 3\); got float32 \(1, \d+, 3\)",
    ),
    "empty": (lambda: np.zeros((0, 3)), r"expected numbers of shape \(points, 3\); got float64 \(0, 3\)"),
    "scalar": (lambda: np.float32(3), r"expected numbers of shape \(points, 3\); got float32 \(\)"),
    "words": (lambda: np.array([["1", "2", "0"]]), r"expected numbers of shape \(points, 3\); got <U1 \(1, 3\)"),
    "bool": (lambda: np.ones((4, 3), bool), ".*got bool"),
    "complex": (lambda: np.ones((4, 3), "complex64"), ".*got complex64"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_offsets_are_named(tmp_path, name):
    make, message = BROKEN[name]
    with pytest.raises(ValueError, match=f"^here: {message}"):
        check_offsets(np.asarray(make()), "here")
    folder = fill(tmp_path, 5)
    np.save(folder / "002.npy", make())
    with pytest.raises(ValueError, match=f"^{re.escape(str(folder))}/002.npy: {message}"):
        load(f"npy:{folder}", **OPTIONS, text=False)


def test_real_pens_pass():
    for line in written():
        check_offsets(line.offsets, "embedded")
    straight = from_strokes([np.stack([np.arange(40.0), np.zeros(40)], axis=1)])
    check_offsets(straight, "a dash")
    check_offsets(np.zeros((3, 3)), "a pen that rests")
    check_offsets(np.array([[9e9, 0, 0], [1, 0, 0], [0, 1, 1]]), "where the line starts is no jump")


class Trap:
    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def damaged_header():
    content = io.BytesIO()
    np.save(content, written()[0].offsets)
    return content.getvalue().replace(b"}", b" ", 1)


def archive():
    content = io.BytesIO()
    np.savez(content, offsets=written()[0].offsets)
    return content.getvalue()


def pickled():
    content = io.BytesIO()
    np.save(content, np.array([Trap(), None], dtype=object))
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [pickled(), archive(), damaged_header(), b"", b"0 0 0\n1 1 0\n", b"\x93NUMPY\x01"],
    ids=["pickle", "npz", "header", "empty", "text", "cut"],
)
def test_file_that_is_no_array_is_refused(tmp_path, content):
    (fill(tmp_path, 5) / "003.npy").write_bytes(content)
    with pytest.raises(ValueError, match="003.npy is not a NumPy array of numbers"):
        load(f"npy:{tmp_path}", **OPTIONS, text=False)


def test_cut_off_array_is_refused(tmp_path):
    file = fill(tmp_path, 5) / "003.npy"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError, match="003.npy is not a NumPy array of numbers"):
        load(f"npy:{tmp_path}", **OPTIONS, text=False)


def test_strokes_without_text_and_the_reverse(tmp_path):
    folder = fill(tmp_path, 6)
    (folder / "001.txt").unlink()
    (folder / "004.txt").unlink()
    with pytest.raises(ValueError, match="2 .npy without their .txt, such as 001.npy"):
        load(f"npy:{folder}", **OPTIONS, text=True)
    assert load(f"npy:{folder}", **OPTIONS, text=False).train.num_examples == 4
    fill(folder, 6)
    (folder / "003.npy").unlink()
    with pytest.raises(ValueError, match="1 .txt without their .npy, such as 003.txt"):
        load(f"npy:{folder}", **OPTIONS, text=True)
    assert load(f"npy:{folder}", **OPTIONS, text=False).train.num_examples == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [(b" \n", "002.txt: the text is empty"), (b"caf\xe9", "002.txt is not UTF-8 text .*position 3")],
)
def test_text_that_cannot_be_read(tmp_path, content, message):
    (fill(tmp_path, 5) / "002.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load(f"npy:{tmp_path}", **OPTIONS, text=True)


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
        dataclasses.replace(line, text=f"line {number}") for number, line in enumerate(embedded_writers.lines(200))
    ]
    strange = [dataclasses.replace(line, text="caf\u00e9 #1" if number in (50, 90) else line.text)
               for number, line in enumerate(lines)]  # fmt: skip
    monkeypatch.setattr(embedded_writers, "lines", lambda *_: strange)
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


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("embeded", "no reader 'embeded', no such path. Did you mean 'embedded'"),
        ("ptb:/data/ptb", "no reader 'ptb'.* There are: embedded, iam, omniglot, npy"),
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


# Two strokes as the tablet gives them, y growing upward from the canvas' upper edge; the time is in milliseconds.
DRAWING = (
    "START\n"
    + "".join(f"{10 + x:.6f},{-20.5 - x:.6f},{7 * x}\n" for x in range(31))
    + "BREAK\n"
    + "".join(f"{70 - x:.6f},{-30.0:.6f},{900 + 7 * x}\n" for x in range(21))
    + "BREAK\n"
)


def publish(path, **changed):
    """Two alphabets of two characters by twenty people each, as published; `changed` files by their stem."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("strokes/", "")
        file.writestr("strokes/.DS_Store", b"\0\xff")
        file.writestr("__MACOSX/strokes/Greek/character01/._0001_01.txt", b"\0\xff")
        for number, character in enumerate(["Greek/character01", "Greek/character02", "N_Ko/character01"], 1):
            file.writestr(f"strokes/{character}/._{number:04}_01.txt", b"\0\xff")
            for drawer in range(1, 21):
                stem = f"{number:04}_{drawer:02}"
                file.writestr(f"strokes/{character}/{stem}.txt", changed.get(f"_{stem}", DRAWING))
    return path


def test_omniglot_as_published(tmp_path):
    path = publish(tmp_path / "strokes.zip")
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    for source in (f"omniglot:{path}", str(path), f"omniglot:{tmp_path}/unpacked", f"{tmp_path}/unpacked"):
        splits = load(source, **OPTIONS, text=False)
        assert [part.num_examples for part in parts_of(splits)] == [48, 6, 6]
    train, validation, test = READERS["omniglot"](str(path), 0, False)
    assert {line.writer for line in train} == {f"drawer {number}" for number in range(1, 17)}
    assert {line.writer for line in validation} == {"drawer 17", "drawer 18"}
    assert {line.writer for line in test} == {"drawer 19", "drawer 20"}


def test_omniglot_drawing_in_pen_offsets(tmp_path):
    line = READERS["omniglot"](str(publish(tmp_path / "strokes.zip")), 0, False)[0][0]
    down, left = (stroke + [10, 20.5] for stroke in to_strokes(line.offsets))
    # Points four units apart: 30·√2 in eleven parts, 20 in five. y grows downward.
    np.testing.assert_allclose(down, np.linspace([10, 20.5], [40, 50.5], 12), atol=1e-4)
    np.testing.assert_allclose(left, np.linspace([70, 30], [50, 30], 6), atol=1e-4)


def test_omniglot_has_no_text(tmp_path):
    with pytest.raises(ValueError, match="single characters without text"):
        load(f"omniglot:{publish(tmp_path / 'strokes.zip')}", **OPTIONS, text=True)


@pytest.mark.parametrize(
    "row", ["1.5,2.5", "1,2,3,4", "a,b,c", "1.0 2.0 3", "nan,1,2", "1,-inf,2", "5,1e12,0", "BREAK;"]
)
def test_omniglot_malformed_line_is_named(tmp_path, row):
    lines = DRAWING.splitlines()
    lines.insert(5, row)
    path = publish(tmp_path / "strokes.zip", _0002_07="\r\n".join(lines))
    with pytest.raises(ValueError) as raised:
        load(f"omniglot:{path}", **OPTIONS, text=False)
    assert str(raised.value) == (
        f"{path}: strokes/Greek/character02/0002_07.txt, line 6: expected 'x,y,time' on a canvas of 105, START or "
        f"BREAK; got {row!r}."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "an empty drawing: no point between START and BREAK"),
        ("START\nBREAK\nBREAK\n", "an empty drawing: no point between START and BREAK"),
        (b"START\n\xff\xfe\nBREAK\n", " is not UTF-8 text"),
    ],
)
def test_omniglot_drawing_is_wrong(tmp_path, content, message):
    path = publish(tmp_path / "strokes.zip", _0003_20=content)
    with pytest.raises(ValueError, match=f"N_Ko/character01/0003_20.txt:?.*{message}"):
        load(f"omniglot:{path}", **OPTIONS, text=False)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path / "unpacked")
    with pytest.raises(ValueError, match=f"unpacked/strokes/N_Ko/character01/0003_20.txt:?.*{message}"):
        load(f"omniglot:{tmp_path}/unpacked", **OPTIONS, text=False)


def test_omniglot_drawing_of_few_points(tmp_path):
    """A dot is a stroke of one point; the last BREAK may be missing, and a stroke may be empty."""
    path = publish(tmp_path / "strokes.zip", _0001_01="START\n5,-5,0\nBREAK\nBREAK\n6,-9,40\n6,-9,50")
    line = READERS["omniglot"](str(path), 0, False)[0][0]
    assert line.offsets.tolist() == [[0, 0, 1], [1, 4, 1]]


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    """One byte of a compressed drawing is another."""
    place = content.index(b"0002_07.txt") + 40
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


@pytest.mark.parametrize("damage", [cut, flipped, lambda content: b"<html>404</html>", lambda content: b""])
def test_omniglot_damaged_archive(tmp_path, damage):
    path = publish(tmp_path / "strokes.zip")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"strokes.zip.*(not a whole zip file|is damaged).*Fetch it again"):
        load(f"omniglot:{path}", **OPTIONS, text=False)


def test_omniglot_images_instead_of_strokes(tmp_path):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images/Greek/character01/0001_01.png", b"\x89PNG")
        file.extractall(tmp_path / "unpacked")
    (tmp_path / "empty").mkdir()
    for source in (path, f"omniglot:{path}", tmp_path / "unpacked", f"omniglot:{tmp_path}/empty"):
        with pytest.raises(
            FileNotFoundError, match="holds no drawings .* Expected the published strokes.*not the images"
        ):
            load(str(source), **OPTIONS, text=False)


def test_omniglot_path_is_wrong(tmp_path):
    with pytest.raises(FileNotFoundError, match="--data=omniglot:.*none.zip: no such file or folder"):
        load(f"omniglot:{tmp_path}/none.zip", **OPTIONS, text=False)
    with pytest.raises(ValueError, match="--data=omniglot: its path is missing"):
        load("omniglot", **OPTIONS, text=False)


def test_omniglot_by_too_few_people(tmp_path):
    publish(tmp_path / "strokes.zip")
    with zipfile.ZipFile(tmp_path / "strokes.zip") as file:
        file.extractall(tmp_path, [f"strokes/Greek/character01/0001_{drawer:02}.txt" for drawer in range(1, 18)])
    with pytest.raises(ValueError, match="no line left for test: of 0 that were there"):
        load(f"omniglot:{tmp_path}/strokes", **OPTIONS, text=False)


def test_real_omniglot(test_data):
    path = test_data / "omniglot" / "strokes_background_small1.zip"
    parts = READERS["omniglot"](str(path), 0, False)
    assert [len(part) for part in parts] == [136 * 16, 136 * 2, 136 * 2]
    # Each split has each character: in the files' order, drawer and number of strokes are those of the files.
    with zipfile.ZipFile(path) as file:
        contents = {name: file.read(name).decode() for name in sorted(file.namelist()) if name.endswith(".txt")}
    assert len({name.rpartition("/")[0] for name in contents}) == 136
    for part, drawers in zip(parts, (range(1, 17), (17, 18), (19, 20)), strict=True):
        expected = [
            (f"drawer {drawer}", sum(stroke.count(",") > 0 for stroke in content.split("BREAK")))
            for name, content in contents.items()
            if (drawer := int(name[-6:-4])) in drawers
        ]
        assert [(line.writer, int(line.offsets[:, 2].sum())) for line in part] == expected
    lines = sum(parts, [])
    lengths = np.array([len(line.offsets) for line in lines])
    assert 40 < np.median(lengths) < 70 and lengths.min() >= 5 and lengths.max() < 250
    size = np.array([np.ptp(np.cumsum(line.offsets[:, :2], axis=0), axis=0).max() for line in lines])
    assert 50 < np.median(size) < 105, "most of the canvas' 105 units"


def test_real_omniglot_images_are_refused(test_data):
    path = test_data / "omniglot" / "images_background_small1.zip"
    with pytest.raises(FileNotFoundError, match="not the images"):
        load(str(path), **OPTIONS, text=False)
