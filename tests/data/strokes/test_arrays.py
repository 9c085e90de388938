import io
import re

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, fill, parts_of, rows, written
from toolkit.data.strokes.lines import check_offsets
from toolkit.data.strokes.loading import load


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
    offsets[:15, 2] = 0  # all inside one stroke, whichever words this Python has
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
    "huge jump": (
        lambda: replaced(9, 0, 1e5),
        r"point 9 jumps 1e\+05 inside a stroke, \d+ times the median offset. Is it broken",
    ),
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
    with pytest.raises(ValueError, match=r"003.npy is (not a|an array of Python|empty; expected a) .*--skip_corrupt"):
        load(f"npy:{tmp_path}", **OPTIONS, text=False)


def test_cut_off_array_is_refused(tmp_path):
    file = fill(tmp_path, 5) / "003.npy"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError, match="003.npy is cut short or damaged"):
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
    [(b" \n", "002.txt: the text is empty"), (b"caf\xe9", r"002.txt, line 1: byte 3 \(0xe9\) is not UTF-8")],
)
def test_text_that_cannot_be_read(tmp_path, content, message):
    (fill(tmp_path, 5) / "002.txt").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load(f"npy:{tmp_path}", **OPTIONS, text=True)
