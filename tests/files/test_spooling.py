import errno
import os
import tempfile

import pytest

from toolkit.files import spooling


def test_bytes_come_back_and_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spooled = spooling.Spooled([b"one ", b"", b"two" * 1_000_000])
    with spooled() as first, spooled() as second:
        assert first.read(5) == b"one t" and second.read() == b"one " + b"two" * 1_000_000
    assert not list(tmp_path.iterdir())


def test_a_full_folder_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def full(handle, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    open_before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match=rf"The temporary folder {tmp_path} is full. Set TMPDIR"):
        spooling.Spooled([b"a piece"])
    assert len(os.listdir("/proc/self/fd")) == open_before and not list(tmp_path.iterdir())


def test_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="No temporary file can be written: No such file or directory. Set TMPDIR"):
        spooling.Spooled([])


def test_what_cannot_fit_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spooling.check_room(1, "a text")
    with pytest.raises(OSError, match=rf"a text takes 4194304.0 GB in the temporary folder {tmp_path}, which has"):
        spooling.check_room(1 << 52, "a text")
