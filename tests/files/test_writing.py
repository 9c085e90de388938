import json
import os
import pathlib
import signal
import subprocess
import sys

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


# Each kills the writing of "new" over a folder "old"; what is then there, and after one more writing, is checked.
KILLED_AT = {
    "writing": "write(kill)",
    "before the swap": "writing._exchange = kill; write()",
    "after the swap": "swap = writing._exchange; writing._exchange = lambda *a: swap(*a) and kill(); write()",
    "between two renames": "writing._exchange = lambda *_: False; move = os.replace; "
    "os.replace = lambda a, b: (move(a, b), kill()); write()",
}


@pytest.mark.parametrize("moment", KILLED_AT)
def test_killed_at_any_moment_one_whole_folder_is_left(tmp_path, moment):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "a.txt").write_text("old")
    code = f"""
import os, pathlib, signal, sys
from toolkit.files import writing

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def write(before_end=lambda: None):
    with writing.replaced(pathlib.Path(sys.argv[1]), ["a.txt"], "ours") as new:
        (new / "a.txt").write_text("new")
        before_end()

{KILLED_AT[moment]}
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert done.returncode == -signal.SIGKILL
    expected = "new" if moment == "after the swap" else "old"
    if moment == "between two renames":  # Only where a system cannot swap: the next writing puts the old one back.
        assert not folder.exists()
        with pytest.raises(KeyError), writing.replaced(folder, ["a.txt"], "ours"):
            raise KeyError
    assert (folder / "a.txt").read_text() == expected
    with writing.replaced(folder, ["a.txt"], "ours") as new:
        (new / "a.txt").write_text("newer")
    assert (folder / "a.txt").read_text() == "newer"
    assert os.listdir(tmp_path) == ["model"]


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "b\n.txt").write_text("precious")
    with pytest.raises(ValueError, match=r"is not ours: it holds b\\x0a.txt. Give a folder of its own"):
        with writing.replaced(tmp_path, ["a.txt"], "ours"):
            pytest.fail("nothing should be made")
    assert os.listdir(tmp_path) == ["b\n.txt"]


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to("target")
    with writing.replaced(tmp_path / "link", ["a.txt"], "ours") as new:
        (new / "a.txt").write_text("new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target" / "a.txt").read_text() == "new"


def test_a_full_disk_leaves_the_folder_that_was_there(small_disk):
    folder = small_disk / "model"
    for size, before in ((1 << 20, "nothing was there before"), (10, ""), (1 << 20, "what it held before is intact")):
        try:
            with writing.replaced(folder, ["a.bin"], "ours") as new:
                (new / "a.bin").write_bytes(bytes(size))
        except OSError as error:
            assert str(error) == f"{folder} could not be written: No space left on device; {before}."
        else:
            assert not before
    assert os.listdir(small_disk) == ["model"] and (folder / "a.bin").read_bytes() == bytes(10)


def test_an_error_of_what_is_read_meanwhile_stays_as_it_is(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.txt"), writing.replaced(tmp_path / "model", [], "ours"):
        pathlib.Path(tmp_path / "none.txt").read_text()
    with pytest.raises(OSError, match="model could not be written: No such file or directory; nothing was there"):
        with writing.replaced(tmp_path / "model", [], "ours") as new:
            (new / "gone" / "a.txt").write_text("a")
    assert not os.listdir(tmp_path)
