import io
import os
import zipfile

import numpy as np
import pytest

from toolkit.files import arrays


def npy(array, shape=None, pickle=False):
    """The bytes of a .npy file, its header perhaps of another shape."""
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=pickle)
    content = file.getvalue()
    if shape is not None:
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(header, {"descr": array.dtype.str, "fortran_order": False, "shape": shape})
        content = header.getvalue() + array.tobytes()
    return content


ARRAY = np.arange(12.0).reshape(3, 4)


@pytest.mark.parametrize("array", [ARRAY, ARRAY.T, ARRAY[:0], np.array(3), np.array(["a", "bc"]), ARRAY > 2])
def test_reads_what_numpy_writes(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(arrays.read(tmp_path / "a.npy"), array)
    np.savez_compressed(tmp_path / "a.npz", first=array, second=ARRAY)
    with arrays.Arrays(tmp_path / "a.npz") as file:
        assert file.header("first") == (array.shape, array.dtype)
        np.testing.assert_array_equal(file.read("first"), array)
        assert set(file.read_all()) == {"first", "second"}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_reads_in_blocks(tmp_path, monkeypatch, save):
    big_endian = np.arange(70, dtype=">i4").reshape(7, 5, 2)
    save(tmp_path / "a.npz", first=big_endian, column=ARRAY.T, number=np.array(3), none=ARRAY[:0])
    monkeypatch.setattr(arrays, "_BLOCK", 100)
    with arrays.Arrays(tmp_path / "a.npz", bound=None) as file:
        blocks = [*file.blocks("first")]
        assert [len(block) for block in blocks] == [2, 2, 2, 1] and file.read("first").dtype == blocks[0].dtype
        np.testing.assert_array_equal(np.concatenate(blocks), big_endian)
        assert not [*file.blocks("none")]
        for name in ("column", "number"):
            with pytest.raises(ValueError, match=rf"a\.npz, {name}, is of shape .*expected rows"):
                next(file.blocks(name))


def test_blocks_of_a_damaged_array(tmp_path):
    numbers = np.random.default_rng(0).integers(0, 256, 5000).astype("uint8")
    np.savez(tmp_path / "a.npz", x=numbers)
    content = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "a.npz").write_bytes(content.replace(numbers.tobytes()[900:950], bytes(50)))
    with arrays.Arrays(tmp_path / "a.npz") as file, pytest.raises(ValueError, match=r"a\.npz: x.npy in it.*CRC"):
        list(file.blocks("x"))


DAMAGED = {
    "more than is there": (npy(ARRAY, (300, 4)), r"shape \(300, 4\) of float64, 9600 bytes, and 96 are there"),
    "a giant": (npy(ARRAY, (1 << 40, 4)), "would take 32768.0 GB"),
    "overflow": (npy(ARRAY, (1 << 62, 1 << 62)), "would take"),
    "less than nothing": (npy(ARRAY, (-3, -4)), r"header says shape \(-3, -4\)"),
    "objects": (npy(np.array([{}], object), pickle=True), "Python objects, which could run code"),
    "text": (b"not an array", "is not a NumPy array"),
    "cut in its header": (npy(ARRAY)[:40], "is not a NumPy array"),
    "cut in its data": (npy(ARRAY)[:-1], "cut short"),
    "a header that is code": (
        npy(ARRAY).replace(b"'descr'", b"exit()."),
        "is not a NumPy array",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_arrays(tmp_path, name):
    content, why = DAMAGED[name]
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(ValueError, match=rf"a\.npy.*{why}"):
        arrays.read(tmp_path / "a.npy")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", content)
    with arrays.Arrays(tmp_path / "a.npz", remedy="Remove it.") as file:
        with pytest.raises(ValueError, match=rf"a\.npz, x,.*{why}.*Remove it\."):
            file.read("x")
        with pytest.raises(ValueError, match=r"a\.npz, x,"):
            next(file.blocks("x"))


def test_sparse_files_are_bounded(tmp_path):
    with open(tmp_path / "a.npy", "wb") as file:
        file.write(npy(ARRAY, (1 << 37,)))
        os.truncate(file.fileno(), 1 << 40)
    with pytest.raises(ValueError, match="would take 1024.0 GB"):
        arrays.read(tmp_path / "a.npy")


def test_together_arrays_are_bounded(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", **{f"x{i}": np.zeros(100_000) for i in range(4)})
    with (
        arrays.Arrays(tmp_path / "a.npz", bound=2_000_000) as file,
        pytest.raises(ValueError, match="take 2.3 MB"),
    ):
        file.read_all()


def test_no_npz(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\3\4 something")
    with pytest.raises(ValueError, match=r"a\.npz is not weights, or damaged: File is not a zip file"):
        arrays.Arrays(tmp_path / "a.npz", "weights")
    np.savez(tmp_path / "b.npz", x=ARRAY)
    with arrays.Arrays(tmp_path / "b.npz") as file, pytest.raises(ValueError, match="has no array y; it has x"):
        file.read("y")


@pytest.mark.parametrize("array", [ARRAY, ARRAY.T])
def test_maps_what_numpy_writes(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    found = arrays.mapped(tmp_path / "a.npy")
    np.testing.assert_array_equal(found, array)
    assert isinstance(found, np.memmap) and not found.flags.writeable
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrays.limits, "_allowed", 10)
        np.testing.assert_array_equal(arrays.mapped(tmp_path / "a.npy"), array)  # no size is too large


def test_what_cannot_be_mapped(tmp_path):
    for name, content in {"cut": npy(ARRAY, (300, 4)), "objects": npy(np.array([{}], object), pickle=True)}.items():
        (tmp_path / f"{name}.npy").write_bytes(content)
    np.save(tmp_path / "nothing.npy", ARRAY[:0])
    for name, told in (
        ("cut", "is cut short"),
        ("objects", "Python objects"),
        ("nothing", "holds nothing"),
    ):
        with pytest.raises(ValueError, match=f"{name}.npy .*{told}"):
            arrays.mapped(tmp_path / f"{name}.npy", "x")
