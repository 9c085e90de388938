import itertools
import os

import pytest

from toolkit.files.names import natural_order, printable, visible


@pytest.mark.parametrize(
    "name, expected",
    [
        (b"caf\xe9", "caf\\xe9"),
        ("café 犬 $x$".encode(), "café 犬 $x$"),
        (b"two\nlines\t\x1b[31m", "two\\x0alines\\x09\\x1b[31m"),
        ("\N{NEXT LINE}".encode(), "\\x85"),
        ("خانه\N{ZERO WIDTH NON-JOINER}ها".encode(), "خانه\N{ZERO WIDTH NON-JOINER}ها"),
        (b"\xff\xfe", "\\xff\\xfe"),
    ],
)
def test_names(name, expected):
    found = printable(os.fsdecode(name))
    assert found == expected and found.encode()
    assert printable(found) == found


def test_numbers_in_names_are_ordered_as_numbers():
    assert sorted(["b2", "a10", "a9", "10", "9"], key=natural_order) == ["9", "10", "a9", "a10", "b2"]
    # Whatever order a set gives them in, names that differ only in zeros come in one.
    for names in itertools.permutations(["s1", "s01", "s001", "s"]):
        assert sorted(names, key=natural_order) == ["s", "s001", "s01", "s1"]


def test_files_that_are_hidden_are_not_found(tmp_path):
    for name in ("b.npz", "a/c.NPZ", "a/._c.npz", ".cache/d.npz", "e.txt", "a/f.npz.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / ".up").mkdir()
    (tmp_path / ".up" / "g.npz").touch()
    assert visible(tmp_path, ".npz") == [tmp_path / "a" / "c.NPZ", tmp_path / "b.npz"]
    assert visible(tmp_path / ".up", ".npz") == [tmp_path / ".up" / "g.npz"], "named by the user"
    assert visible(tmp_path / "none", ".npz") == []
