import os

import pytest

from toolkit.files import binary


def test_reads(tmp_path):
    (tmp_path / "file").write_bytes(b"\x00\xff")
    (tmp_path / "link").symlink_to("file")
    assert binary.read(tmp_path / "file") == binary.read(tmp_path / "link") == b"\x00\xff"


def test_refuses_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_bytes(b"123")
    for name, kind, why in (
        ("pipe", ValueError, "pipe or a device"),
        ("empty", ValueError, "is empty; expected a photo"),
        ("loop", OSError, "cannot be read: Too many levels"),
        ("", ValueError, "is a folder"),
        ("none", FileNotFoundError, "no such file; expected a photo"),
        ("file/below", FileNotFoundError, "no such file"),
        ("a\0b", ValueError, "cannot be a path"),
        ("n" * 300, OSError, "cannot be read: File name too long"),
    ):
        with pytest.raises(kind, match=why):
            binary.check(f"{tmp_path}/{name}", "a photo")
    with pytest.raises(ValueError, match="there is no such user"):
        binary.read("~nosuchuser/file")


def test_bound(tmp_path):
    (tmp_path / "file").write_bytes(b"123")
    with pytest.raises(ValueError, match="max_gigabytes"):
        binary.read(tmp_path / "file", bound=2)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission(tmp_path):
    (tmp_path / "file").write_bytes(b"123")
    (tmp_path / "file").chmod(0)
    with pytest.raises(OSError, match="Permission denied"):
        binary.read(tmp_path / "file")


def test_holes(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"a text" * 1000)
    binary.check_holes(path)
    os.truncate(path, 1 << 40)
    with pytest.raises(ValueError, match=r"text \(1024.0 GB\) has a hole at byte \d+, where nothing was ever written"):
        binary.check_holes(path)


def test_paths_between_commas(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a,b", "c", "d, e,f", "b"):
        (tmp_path / name).write_bytes(b"1")
    for names, expected in (
        ("c,a,b", ["c", "a,b"]),
        ("b, d, e,f ,none,c", ["b", "d, e,f", "none", "c"]),
        (f"{tmp_path}/a,b,", [f"{tmp_path}/a,b"]),
        (" ,, ", []),
        ("a\0,b", ["a\0", "b"]),
    ):
        assert list(binary.separated(names)) == expected
    with pytest.raises(ValueError, match="there is no such user"):
        list(binary.separated("~nosuchuser/a,b"))
