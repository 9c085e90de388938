import bz2
import gzip
import lzma
import shutil
import subprocess
import zipfile

import pytest

from toolkit.files import archives

TEXT = b"a line of text\n" * 1000
PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_packed_files(tmp_path, suffix):
    path = tmp_path / f"text{suffix}"
    path.write_bytes(PACK[suffix](TEXT))
    assert b"".join(archives.unpacked(path)) == TEXT
    for damaged in (PACK[suffix](TEXT)[:-9], b"no such file", PACK[suffix](TEXT)[:12] + b"\xff" * 40):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"text\{suffix} is damaged"):
            list(archives.unpacked(path))


@pytest.mark.parametrize("suffix", PACK)
def test_bombs(tmp_path, suffix):
    path = tmp_path / f"zeros{suffix}"
    path.write_bytes(PACK[suffix](bytes(80 << 20)))
    with pytest.raises(ValueError, match="unpacked, would take 65.0 MB, and 64.0 MB is allowed"):
        list(archives.unpacked(path))


def test_zip_of_one_file(tmp_path):
    path = zipped(tmp_path / "text.zip", **{"a/": b"", "a/b.txt": TEXT})
    assert b"".join(archives.unpacked(path)) == TEXT
    with pytest.raises(ValueError, match="holds 2 files; expected one"):
        list(archives.unpacked(zipped(tmp_path / "two.zip", a=b"1", b=b"2")))
    bomb = zipped(tmp_path / "bomb.zip", a=bytes(80 << 20))
    with pytest.raises(ValueError, match="unpacked, would take 65.0 MB"):
        list(archives.unpacked(bomb))


def test_members(tmp_path):
    with archives.Zip(zipped(tmp_path / "a.zip", one=TEXT, two=b"2")) as archive:
        assert archive.names == ["one", "two"] and archive.size("one") == len(TEXT)
        assert archive.read("one") == TEXT
        with pytest.raises(ValueError, match=r"a\.zip: one would take"):
            archive.read("one", bound=100)


def test_what_an_archive_says_is_all_that_it_gives(tmp_path):
    """A header that says 100 bytes of a member that has 15,000."""
    path = zipped(tmp_path / "a.zip", one=TEXT)
    content = path.read_bytes()
    path.write_bytes(content.replace(len(TEXT).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    with archives.Zip(path) as archive, pytest.raises(ValueError, match=r"a\.zip: one in it cannot be read: Bad CRC"):
        archive.read("one")


def test_damaged_zip(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\3\4")
    with pytest.raises(ValueError, match=r"a\.zip is not drawings, or damaged: File is not a zip file"):
        archives.Zip(path, "drawings")
    content = zipped(path, one=TEXT).read_bytes()
    path.write_bytes(content[:40] + b"\xff" * 8 + content[48:])
    with archives.Zip(path) as archive, pytest.raises(ValueError, match=r"a\.zip: one in it"):
        archive.read("one")


@pytest.mark.skipif(not shutil.which("zip"), reason="zip is not installed")
def test_encrypted_zip(tmp_path):
    (tmp_path / "one").write_bytes(TEXT)
    subprocess.run(["zip", "-q", "-P", "secret", "a.zip", "one"], cwd=tmp_path, check=True)
    with (
        archives.Zip(tmp_path / "a.zip") as archive,
        pytest.raises(ValueError, match="it is encrypted; unpack it first"),
    ):
        archive.read("one")


def test_marked_as_encrypted(tmp_path):
    content = bytearray(zipped(tmp_path / "a.zip", one=TEXT).read_bytes())
    content[6] |= 1  # in the member's own header and in the archive's list
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ValueError, match="it is encrypted; unpack it first"):
        list(archives.unpacked(tmp_path / "a.zip"))


def test_a_directory_that_points_before_the_file_is_damage(tmp_path):
    path = zipped(tmp_path / "text.zip", text=TEXT)
    path.write_bytes(path.read_bytes()[1:])
    with pytest.raises(ValueError, match=r"text.zip.*places that are not there"):
        b"".join(archives.unpacked(path))
