import json

import pytest

from toolkit.files import writing


def test_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.json"
    writing.write_json(path, {"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}

    def cut(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        writing.write_whole(path, cut)
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"] and json.loads(path.read_text()) == {"a": 1}


def test_a_full_disk_is_said(small_disk):
    path = small_disk / "a.bin"
    writing.write_bytes(path, b"before")
    with pytest.raises(OSError, match=r"a\.bin could not be written: No space left.*what it held before is intact"):
        writing.write_bytes(path, bytes(1 << 20))
    assert path.read_bytes() == b"before"


def test_links_are_replaced(tmp_path):
    (tmp_path / "target").write_text("precious")
    (tmp_path / "error.txt").symlink_to("target")
    writing.write_text(tmp_path / "error.txt", "an error")
    assert (tmp_path / "target").read_text() == "precious"
    assert (tmp_path / "error.txt").read_text() == "an error" and not (tmp_path / "error.txt").is_symlink()


def test_json_has_no_nan(tmp_path):
    writing.write_json(tmp_path / "a.json", {"a": [float("nan"), (1.5, float("-inf"))], "b": {"c": 1e308}})
    assert json.loads((tmp_path / "a.json").read_text(), parse_constant=pytest.fail) == {
        "a": [None, [1.5, None]],
        "b": {"c": 1e308},
    }


def test_a_folder_that_is_gone_is_said(tmp_path):
    with pytest.raises(OSError, match="its folder is gone"):
        writing.write_text(tmp_path / "gone" / "a.txt", "text")


def test_names_that_are_no_text(tmp_path):
    writing.write_text(tmp_path / "a.txt", "caf\udce9.png")
    assert (tmp_path / "a.txt").read_text() == "caf\\udce9.png"
