import json

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, parts_of
from toolkit.data.strokes.lines import to_strokes
from toolkit.data.strokes.loading import load, read
from toolkit.data.strokes.quickdraw import read_quickdraw

HEAD = {
    "word": "cat",
    "countrycode": "VE",
    "timestamp": "2017-03-02 23:25:10.07453 UTC",
    "recognized": True,
    "key_id": "5201136883597312",
}
STROKES = [[[0, 10], [3, 12], [9, 9]], [[200, 255]]]


def row(number=0, raw=False):
    """A line as published; each drawing is one of its own."""
    drawing = []
    for stroke in STROKES:
        points = np.array(stroke) + [number % 7, number]
        axes = [(points[:, axis] + (0.25 if raw else 0)).tolist() for axis in (0, 1)]
        drawing.append([*axes, *([[16 * n for n in range(len(points))]] if raw else [])])
    return json.dumps({**HEAD, "drawing": drawing})


def publish(folder, *names, count=60, raw=False):
    for name in names:
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("".join(f"{row(number, raw)}\n" for number in range(count)))
    return folder / names[0]


@pytest.mark.parametrize("raw", [False, True])
def test_simplified_and_raw(tmp_path, raw):
    path = publish(tmp_path, "cat.ndjson", raw=raw)
    parts = read_quickdraw(path, seed=0)
    assert [len(part) for part in parts] == [54, 3, 3]
    for line in sum(parts, []):
        assert line.offsets.dtype == np.float32 and (line.text, line.writer) == ("", "")
        for found, expected in zip(to_strokes(line.offsets), STROKES, strict=True):
            np.testing.assert_array_equal(found, expected - np.array(STROKES[0][0]))
    assert {line.name for line in sum(parts, [])} == {f"cat.ndjson, line {number}" for number in range(1, 61)}


def test_each_file_is_in_each_part(tmp_path):
    publish(tmp_path / "a", "cat.ndjson", "dog.ndjson")
    publish(tmp_path / "a" / "b", "eye.ndjson", count=20)
    (tmp_path / "a" / "._cat.ndjson").write_bytes(b"\0\5\x16")
    for source in (f"quickdraw:{tmp_path}", f"{tmp_path}/a"):
        parts = read(source, seed=0, text=False)
        assert [len(part) for part in parts] == [54 + 54 + 18, 7, 7]
        assert all({line.name[:3] for line in part} == {"cat", "dog", "eye"} for part in parts)
    splits = load(f"{tmp_path}/a/cat.ndjson", **OPTIONS, text=False)
    assert [part.num_examples for part in parts_of(splits)] == [54, 3, 3]


def test_blank_lines_a_mark_and_no_last_newline(tmp_path):
    path = tmp_path / "cat.ndjson"
    path.write_text("\ufeff" + "\r\n\r\n".join(row(number) for number in range(9)), encoding="utf-8")
    assert sum(map(len, read_quickdraw(path, seed=0))) == 9


def test_lines_and_dots(tmp_path):
    """One straight stroke goes one way, as no writing does; and a dot is a drawing too."""
    path = tmp_path / "line.ndjson"
    straight = [[list(range(100)), [0] * 100]]
    path.write_text("\n".join(json.dumps({"drawing": drawing}) for drawing in [straight, straight, [[[5], [5]]]]))
    assert sorted(len(line.offsets) for part in read_quickdraw(path, seed=0) for line in part) == [1, 100, 100]


def test_no_text(tmp_path):
    with pytest.raises(ValueError, match="QuickDraw's drawings are without text; they are for networks that read none"):
        read(f"quickdraw:{publish(tmp_path, 'cat.ndjson')}", seed=0, text=True)


EXPECTED = 'line 3: expected a drawing, {"drawing": .*'
DAMAGED = {
    "cut": (row()[:40], EXPECTED + "Invalid control character"),
    "none": ('{"word": "cat"}', EXPECTED + "it has no drawing"),
    "a list": ("[[[1, 2], [3, 4]]]", EXPECTED),
    "a number": ("7", EXPECTED),
    "no strokes": ('{"drawing": []}', EXPECTED),
    "an empty stroke": ('{"drawing": [[[], []]]}', EXPECTED + "a stroke has no points"),
    "no y": ('{"drawing": [[[1, 2]]]}', EXPECTED + "strokes are no lists of numbers"),
    "one y less": ('{"drawing": [[[1, 2], [3]]]}', EXPECTED),
    "one time less": ('{"drawing": [[[1, 2], [3, 4], [0]]]}', EXPECTED),
    "four lists": ('{"drawing": [[[1], [2], [3], [4]]]}', EXPECTED),
    "words": ('{"drawing": [[["1"], ["2"]]]}', EXPECTED),
    "truths": ('{"drawing": [[[true], [false]]]}', EXPECTED),
    "nothing": ('{"drawing": [[[null], [1]]]}', EXPECTED),
    "NaN": ('{"drawing": [[[NaN, 1], [1, 1]]]}', EXPECTED + "not all are finite"),
    "huge": ('{"drawing": [[[1e300, 1], [1, 1]]]}', EXPECTED + "not all are finite"),
    "400 digits": ('{"drawing": [[[%s], [1]]]}' % ("9" * 400), EXPECTED),
    "5000 digits": ('{"drawing": [[[%s], [1]]]}' % ("9" * 5000), EXPECTED),
    "a stroke of strokes": ('{"drawing": [[[[1]], [[2]]]]}', EXPECTED),
    "an object": ('{"drawing": {"0": [[1], [2]]}}', EXPECTED),
    "brackets": ("[" * 100_000, EXPECTED),
    "Latin-1": (b'{"word": "caf\xe9", "drawing": [[[1], [2]]]}', EXPECTED + "utf-8"),
    "two megabytes": (" " * (2 << 20) + "7", "line 3 would take 1.0 MB, and 1.0 MB is allowed"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_drawing_is_named(tmp_path, name, capsys):
    content, message = DAMAGED[name]
    path = tmp_path / "cat.ndjson"
    content = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(b"\n".join([row(0).encode(), row(1).encode(), content, row(2).encode(), row(3).encode()]))
    with pytest.raises(ValueError, match=f"^{path}, {message}.*--skip_corrupt") as raised:
        read_quickdraw(path, seed=0)
    assert len(str(raised.value)) < 600 and "\n" not in str(raised.value)
    assert sum(map(len, read_quickdraw(path, seed=0, skip_corrupt=True))) == 4
    assert "1 of 5 drawings left out, which cannot be read" in capsys.readouterr().out


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="the folder holds no .ndjson file"):
        read_quickdraw(tmp_path, seed=0)
    path = publish(tmp_path, "cat.ndjson", count=2)
    with pytest.raises(ValueError, match="cat.ndjson: 2 lines; at least 3 are needed"):
        read_quickdraw(path, seed=0)
    (tmp_path / "dog.ndjson").mkdir()
    with pytest.raises(ValueError, match="dog.ndjson is a folder; expected QuickDraw's drawings"):
        read_quickdraw(tmp_path, seed=0)


def test_memory_is_bounded(tmp_path, monkeypatch):
    path = publish(tmp_path, "cat.ndjson")
    monkeypatch.setattr("toolkit.data.strokes.quickdraw.limits.GIB", 1000)
    with pytest.raises(ValueError, match=f"quickdraw:{path} would take .*--max_gigabytes"):
        read_quickdraw(path, seed=0, skip_corrupt=True)
