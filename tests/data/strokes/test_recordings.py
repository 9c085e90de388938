import json

import numpy as np
import pytest

from tests.data.strokes.drawn import OPTIONS, parts_of, rows
from toolkit.data.strokes.files import read_lines, write_file
from toolkit.data.strokes.lines import Line
from toolkit.data.strokes.loading import load, read

JUMP = [[0, 0], [1, 1], [2, 2], [3, 1], [4, 0], [9e9, 1]]


def recorded(path, num_lines=40, **more):
    """A file as the page saves it, of lines that all differ."""
    lines = [
        {"text": f"line {number}", "strokes": [[[0, 0], [2, number]], [[5, 5], [7, 9], [8, 9.25]]]}
        for number in range(num_lines)
    ]
    path.write_text(json.dumps({"unit": "pen units, y downward", "lines": lines, **more}))
    return path


def test_offsets_and_texts_are_those_of_the_file(tmp_path):
    path = recorded(tmp_path / "recordings.json")
    for source in (f"json:{path}", str(path), f"json:{tmp_path}", str(tmp_path)):
        splits = load(source, **OPTIONS, text=True)
        parts = [rows(part) for part in parts_of(splits)]
        assert [len(part) for part in parts] == [36, 2, 2]
        expected = [
            (f"line {n}", np.array([[0, 0, 0], [2, n, 1], [3, 5 - n, 0], [2, 4, 0], [1, 0.25, 1]], "float32").tobytes())
            for n in range(40)
        ]
        assert sorted(sum(parts, [])) == sorted(expected)


def test_what_is_written_is_read(tmp_path):
    offsets = np.array([[0, 0, 0], [2, 1, 1], [3, 4, 0], [1.5, 0, 1]], "float32")
    write_file(tmp_path / "lines.json", [Line(offsets, "ab"), Line(offsets[:2], "c")])
    found = read_lines(tmp_path / "lines.json")
    assert [line.text for line in found] == ["ab", "c"]
    np.testing.assert_array_equal(found[0].offsets, offsets)
    assert found[1].name == "lines.json, line 2"


def test_three_writers_are_held_out_whole(tmp_path):
    for name in "abc":
        (tmp_path / name).mkdir()
        recorded(tmp_path / name / "recordings.json", 5, writer=name)
    parts = read(f"json:{tmp_path}", seed=0, text=True)
    assert sorted({line.writer for line in part}.pop() for part in parts) == ["a", "b", "c"]
    assert [len(part) for part in parts] == [5, 5, 5]


@pytest.mark.parametrize(("content", "message"), [
    ({"lines": 3}, "lines is int, expected list"),
    ([[[0, 0], [1, 1]]], "it holds list, expected fields"),
    ({"strokes": [[[0, 0], [1, 1]]]}, "it has no lines"),
    ({"lines": [3]}, "line 1 of its lines is not"),
    ({"lines": [{"text": 3, "strokes": [[[0, 0], [1, 1]]]}]}, "line 1 of its lines is not"),
    ({"lines": [{"text": "a", "strokes": [[[0, 0], [1, 1]]]}] * 2 + [{"text": "a"}]}, "line 3 of its lines holds no"),
    ({"lines": [{"text": "a", "strokes": [[[0, 0], [1, "b"]]]}]}, "line 1 of its lines: stroke 0 is not a list"),
    ({"lines": [{"strokes": [[[0, 0], [1, 1]]]}] * 4}, "4 lines without text, such as a.json, line 1"),
    ({"lines": [{"text": "a", "strokes": [[[0, 0], [1, 1]]]}] * 2}, "2 lines; at least 3 are needed"),
    ({"lines": [{"text": "a", "strokes": [JUMP]}] * 3}, "line 1 of its lines: point 5"),
])  # fmt: skip
def test_what_is_wrong_is_named(tmp_path, content, message):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=message):
        load(f"json:{tmp_path / 'a.json'}", **OPTIONS, text=True)


def test_an_empty_folder_and_a_damaged_file(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="the folder holds no .json file"):
        load(f"json:{tmp_path / 'empty'}", **OPTIONS, text=True)
    recorded(tmp_path / "a.json")
    (tmp_path / "b.json").write_text('{"lines": [')
    with pytest.raises(ValueError, match="b.json, line 1, is not lines of handwriting in JSON.*--skip_corrupt"):
        load(f"json:{tmp_path}", **OPTIONS, text=True)
    assert load(f"json:{tmp_path}", **OPTIONS, text=True, skip_corrupt=True).train.num_examples == 36
    assert "1 of 2 files left out" in capsys.readouterr().out
