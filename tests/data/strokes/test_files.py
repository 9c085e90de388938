import json

import numpy as np
import pytest

from toolkit.data.strokes.embedded_writers import written_lines
from toolkit.data.strokes.files import read_file, write_file


def test_what_was_written_is_read(tmp_path):
    line = written_lines(1, seed=7)[0]
    write_file(tmp_path / "line.json", [line])
    content = json.loads((tmp_path / "line.json").read_text())
    assert content["lines"][0]["text"] == line.text
    read = read_file(tmp_path / "line.json")
    np.testing.assert_array_equal(read[:, 2], line.offsets[:, 2])
    # Positions are rounded to hundredths.
    np.testing.assert_allclose(np.cumsum(read[:, :2], axis=0), np.cumsum(line.offsets[:, :2], axis=0), atol=0.02)
    assert [path.name for path in tmp_path.iterdir()] == ["line.json"]


@pytest.mark.parametrize(
    "content",
    [
        [[[1, 1], [3, 2]], [[6, 6]]],
        {"strokes": [[[1, 1, 0.5], [3, 2, 0.7]], [[6, 6, 0.9]]]},
        [[{"x": 1, "y": 1}, {"x": 3, "y": 2}], [], [{"x": 6, "y": 6, "t": 3}]],
    ],
)
def test_forms_of_json(tmp_path, content):
    path = tmp_path / "strokes.json"
    path.write_text(json.dumps(content))
    assert read_file(path).tolist() == [[0, 0, 0], [2, 1, 1], [3, 4, 1]]


def test_an_array(tmp_path):
    offsets = np.array([[7.0, 7.0, 0.0], [2.0, 1.0, 1.0]])
    np.save(tmp_path / "a.npy", offsets)
    assert read_file(tmp_path / "a.npy").tolist() == [[0, 0, 0], [2, 1, 1]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.json", b"{", "is not JSON"),
        ("a.json", b"[]", "holds no strokes"),
        ("a.json", b'{"lines": []}', "holds no strokes"),
        ("a.json", b"[[[1, 2], [3]]]", r"stroke 0 is not a list of \[x, y\]"),
        ("a.json", b'[[[1, 2]], ["ab"]]', "stroke 1 is not"),
        ("a.npy", b"nothing", "is not a NumPy array"),
    ],
)
def test_damaged_files_are_named(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{name}.*{message}"):
        read_file(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="missing.json"):
        read_file(tmp_path / "missing.json")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("times", [[], [[0, 9, 20, 31, 40, 52, 66, 71]]])
def test_strokes_by_axis(tmp_path, named, times):
    """QuickDraw's, simplified and raw, are what the same points are."""
    strokes = [np.array([[1, 2], [4, 4], [9, 8], [7, 6], [2, 3], [1, 1], [0, 4], [3, 3]]), np.array([[6, 6], [7, 1]])]
    rows = [[*stroke.T.tolist(), *(row[: len(stroke)] for row in times)] for stroke in strokes]
    path = tmp_path / "cat.json"
    path.write_text(json.dumps({"word": "cat", "drawing": rows} if named else rows))
    by_axis = read_file(path)
    path.write_text(json.dumps([stroke.tolist() for stroke in strokes]))
    np.testing.assert_array_equal(by_axis, read_file(path))


def test_what_could_be_either_is_refused(tmp_path):
    path = tmp_path / "either.json"
    path.write_text("[[[1, 2, 3], [4, 5, 6]]]")
    with pytest.raises(ValueError, match='either.json: .*Both can be. Write each point as {"x": x, "y": y}'):
        read_file(path)
    path.write_text("[[[1, 2], [4, 5]], [[1, 3], [2, 4]]]")
    assert read_file(path)[:, :2].tolist() == [[0, 0], [3, 3], [-3, -2], [1, 1]], "as it is documented"


def test_an_array_of_another_pens_flags(tmp_path, capsys):
    line = written_lines(1, seed=7)[0].offsets
    np.save(tmp_path / "a.npy", np.concatenate([line[:, :2], 1 - line[:, 2:]], axis=1))
    np.testing.assert_array_equal(read_file(tmp_path / "a.npy")[1:], line[1:])
    assert "a.npy: 1 of 1 lines have 1 where the pen is down" in capsys.readouterr().out
