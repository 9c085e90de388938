import os

import h5py
import numpy as np
import pytest

from toolkit.files import hdf5, limits
from toolkit.files.hdf5 import Hdf5

ARRAY = np.arange(210.0).reshape(70, 3)


@pytest.mark.parametrize(
    "how", [{}, {"chunks": (11, 2), "compression": "gzip", "shuffle": True}, {"compression": "lzf", "fletcher32": True}]
)
def test_reads_what_h5py_writes(tmp_path, monkeypatch, how):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("numbers", data=ARRAY, **how)
        file.create_group("others")
    with Hdf5(tmp_path / "a.h5") as file:
        assert file.names == ["numbers", "others"] and file.header("numbers") == ((70, 3), np.dtype("float64"))
        np.testing.assert_array_equal(file.read("numbers"), ARRAY)
        assert len([*file.blocks("numbers")]) == 1
        monkeypatch.setattr(hdf5, "_BLOCK", 200)
        blocks = [*file.blocks("numbers")]
        assert len(blocks[0]) == (how.get("chunks") or (8,))[0] or "lzf" in how.values()
        np.testing.assert_array_equal(np.concatenate(blocks), ARRAY)
        monkeypatch.setattr(hdf5, "_LARGEST_BLOCK", 100)
        assert {len(block) for block in file.blocks("numbers")} == {4, 2}
        with pytest.raises(ValueError, match=r"a\.h5, numbers, would take 1.6 kB"):
            file.read("numbers", bound=1000)


def elsewhere(folder):
    with h5py.File(folder / "other.h5", "w") as file:
        file["numbers"] = ARRAY


def linked(file, folder):
    elsewhere(folder)
    file["numbers"] = h5py.ExternalLink("other.h5", "/numbers")


def virtual(file, folder):
    elsewhere(folder)
    layout = h5py.VirtualLayout(shape=ARRAY.shape, dtype="f8")
    layout[:] = h5py.VirtualSource(folder / "other.h5", "numbers", shape=ARRAY.shape)
    file.create_virtual_dataset("numbers", layout)


def external(file, folder):
    (folder / "secret").write_bytes(ARRAY.tobytes())
    file.create_dataset("numbers", ARRAY.shape, "f8", external=str(folder / "secret"))


def filtered(file, folder):
    how = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    how.set_chunk((10, 3))
    how.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, b"numbers", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((70, 3)), how)


WRONG = {
    "none": (lambda file, folder: file.create_group("others"), "has no array numbers; it has others"),
    "a group": (lambda file, folder: file.create_group("numbers"), "numbers, is a group"),
    "a link": (linked, "numbers, is a link, perhaps to another file"),
    "a link inside": (lambda file, folder: file.update({"numbers": h5py.SoftLink("/x")}), "numbers, is a link"),
    "virtual": (virtual, "has its numbers in other files"),
    "external": (external, "has its numbers in other files"),
    "of texts": (lambda file, folder: file.create_dataset("numbers", data=["a", "b"]), "is of object; expected plain"),
    "empty": (lambda file, folder: file.create_dataset("numbers", data=h5py.Empty("f8")), "expected plain numbers"),
    "of a foreign filter": (filtered, "is packed by the filter 32015"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_refused(tmp_path, name):
    make, told = WRONG[name]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        make(file, tmp_path)
    with Hdf5(tmp_path / "a.h5") as file:
        for read in (file.header, file.read, lambda each: next(file.blocks(each))):
            with pytest.raises(ValueError, match=rf"a\.h5.*{told}"):
                read("numbers")


def test_a_single_number_has_no_blocks(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["number"] = 3.0
    with Hdf5(tmp_path / "a.h5") as file, pytest.raises(ValueError, match=r"a\.h5, number, is a single number"):
        next(file.blocks("number"))


def test_damaged_files(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("numbers", data=ARRAY, compression="gzip", chunks=(70, 3))
    content = path.read_bytes()
    path.write_bytes(content[:-100])
    with pytest.raises(ValueError, match=r"a\.h5 is damaged, or cannot be read as HDF5: .*truncated"):
        Hdf5(path)
    path.write_bytes(b"words" * 300)
    with pytest.raises(ValueError, match=r"a\.h5 is no HDF5 file; expected 3D Shapes"):
        Hdf5(path, "3D Shapes")
    packed = content.rindex(b"x\x5e") if b"x\x5e" in content else content.rindex(b"x\x9c")
    path.write_bytes(content[: packed + 40] + bytes(60) + content[packed + 100 :])
    with Hdf5(path) as file:
        for read in (file.read, lambda name: next(file.blocks(name))):
            with pytest.raises(ValueError, match=r"a\.h5 is damaged, or cannot be read as HDF5"):
                read("numbers")


def test_giants_are_not_allocated(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("numbers", (1 << 30, 1 << 30), "u1", chunks=(1, 1 << 20), compression="gzip")
    with Hdf5(tmp_path / "a.h5") as file:
        assert file.header("numbers")[0] == (1 << 30, 1 << 30)
        with pytest.raises(ValueError, match="would take 1073741824.0 GB"):
            file.read("numbers")
        with pytest.raises(ValueError, match="a row, would take 1.0 GB"):
            next(file.blocks("numbers"))
    assert limits.allowed(limits.GIB) == limits.GIB and os.path.getsize(tmp_path / "a.h5") < 10_000
