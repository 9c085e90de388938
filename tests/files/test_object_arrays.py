import io
import os
import pickle
import pickletools

import numpy as np
import pytest

from toolkit.files import object_arrays
from toolkit.files.arrays import Arrays

ROWS = [
    np.arange(6, dtype="<i2").reshape(2, 3),
    np.zeros((0, 3)),
    np.arange(4.0)[::-1],
    np.array(True),
    np.eye(2, dtype=">f4"),
]


def in_row(arrays):
    row = np.empty(len(arrays), object)
    row[:] = arrays
    return row


def read(content, size=None):
    return object_arrays.read(io.BytesIO(content), len(content) if size is None else size, "a.npy")


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_reads_what_numpy_pickles(protocol):
    found = read(pickle.dumps(in_row(ROWS), protocol=protocol))
    for one, expected in zip(found, ROWS, strict=True):
        np.testing.assert_array_equal(one, expected)
        assert one.dtype == expected.dtype and one.shape == expected.shape
    assert read(pickle.dumps(in_row([]), protocol=protocol)) == []
    (columns,) = read(pickle.dumps(in_row([np.asfortranarray(np.arange(6).reshape(2, 3))]), protocol=protocol))
    assert columns.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_reads_rows_of_both_kinds(tmp_path):
    np.savez(tmp_path / "a.npz", objects=in_row(ROWS), plain=np.arange(6).reshape(2, 3), number=np.array([7]))
    with Arrays(tmp_path / "a.npz") as file:
        assert [row.shape for row in file.read_rows("objects")] == [row.shape for row in ROWS]
        assert [row.tolist() for row in file.read_rows("plain")] == [[0, 1, 2], [3, 4, 5]]
        with pytest.raises(ValueError, match=r"a.npz has no array other; it has objects, plain"):
            file.read_rows("other")
        with pytest.raises(ValueError, match=r"a.npz, objects, is an array of Python objects, which could run code"):
            file.read("objects")
    with Arrays(tmp_path / "a.npz", bound=50) as file, pytest.raises(ValueError, match="objects, would take"):
        file.read_rows("objects")


class Calls:
    """A pickle that calls a function."""

    def __init__(self, function, *arguments):
        self.state = function, arguments

    def __reduce__(self):
        return self.state


RUNS = [
    Calls(os.system, "touch run"),
    Calls(eval, "open('run', 'w')"),
    Calls(getattr, os, "system"),
    Calls(np.load, "run.npy"),
    Calls(np.fromfile, "run.npy"),
    in_row([Calls(os.system, "touch run")]),
    [Calls(os.system, "touch run")],
    np.array([{}], object),
    np.array([1, None, "x"], object),
    np.array(["x", "yz"]),
    in_row([np.array([{}], object)]),
    in_row([np.zeros(2, [("a", "i4"), ("b", "f4")])]),
    in_row([np.array(["2001-01-01"], "datetime64[s]")]),
    in_row([np.array([1j])]),
    in_row([np.ma.array([1])]),
    np.zeros((2, 2), object),
    np.array({}, object),
    np.arange(3),
    {},
    7,
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize("number", range(len(RUNS)))
def test_nothing_else_is_read_and_nothing_runs(tmp_path, monkeypatch, number, protocol):
    monkeypatch.chdir(tmp_path)
    try:
        content = pickle.dumps(RUNS[number], protocol=protocol)
    except (pickle.PicklingError, TypeError):
        pytest.skip("cannot be written so")
    with pytest.raises(
        ValueError, match="^a.npy is an array of Python objects, of which only arrays.*nothing in it was run"
    ):
        read(content)
    assert not list(tmp_path.iterdir())


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
STEPS = {
    "names of names": b"\x80\x04\x8c\x05numpy\x8c\x12core.multiarray.os\x93.",
    "a name of bytes": b"\x80\x04C\x02osC\x06system\x93.",
    "a setting of a function": b"\x80\x02" + RECONSTRUCT + b"N}U\x08__code__Ns\x86b.",
    "an attribute of a function": b"\x80\x02" + RECONSTRUCT + b"(NNtb.",
    "a call of text": b"\x80\x02cnumpy\nndarray\n)R.",
    "an extension": b"\x80\x02\x82\x01.",
    "a person's name": b"\x80\x02U\x01xQ.",
    "nothing": b"",
    "a stop": b".",
    "noise": np.random.default_rng(0).bytes(1000),
    "a place far away": b"\x80\x02Nr\xff\xff\xff\xff.",
    "a giant of bytes": b"\x80\x05\x96\xff\xff\xff\xff\xff\x00\x00\x00.",
    "a giant of text": b"\x80\x04\x8d\xff\xff\xff\xff\xff\x00\x00\x00.",
    "a giant frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
    "tuples in tuples": b"\x80\x02N" + b"\x85" * 100_000 + b".",
}


@pytest.mark.parametrize("name", STEPS)
def test_steps_that_numpy_does_not_take(name):
    with pytest.raises(ValueError, match="^a.npy is an array of Python objects.*nothing in it was run") as raised:
        read(STEPS[name])
    assert len(str(raised.value)) < 400 and "\n" not in str(raised.value)


def test_memory_is_that_of_the_file():
    """One text of a megabyte, of which each array is to make bytes of its own."""
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"
    head = RECONSTRUCT + b"N\x85R"
    text = b"T" + (1 << 20).to_bytes(4, "little") + bytes(1 << 20) + b"q\x01"
    one = head + b"(K\x01J" + (1 << 20).to_bytes(4, "little") + b"\x85" + dtype + b"\x89%stb"
    content = b"\x80\x02" + text + b"(" + (one % b"h\x01") * 1000 + b"t."
    with pytest.raises(ValueError, match="more memory than the file has bytes"):
        read(content)


def test_numpys_pickles_take_no_other_steps():
    """Where a NumPy to come writes otherwise, this says so."""
    for protocol in (2, 3, 4):
        content = pickle.dumps(in_row(ROWS), protocol=protocol)
        steps = {opcode.code.encode("latin-1")[0] for opcode, _, _ in pickletools.genops(content)}
        assert steps <= set(object_arrays._STEPS)
