import pathlib

import numpy as np
import pytest

from toolkit.data.tables.readers import READERS, sniff

HOW = {"seed": 0, "leave_out": [], "skip_missing": False}


@pytest.mark.parametrize(
    "rest, rows, columns",
    [("", 2000, 2), ("wave", 2000, 2), ("wave:50", 50, 2), ("friedman:20", 20, 11), ("diabetes", 442, 11)],
)
def test_embedded(rest, rows, columns):
    found = READERS["embedded"](rest, **HOW)
    assert found.values.shape == (rows, columns) == (rows, len(found.names))


@pytest.mark.parametrize("rest", ["waves", "wave:5", "wave:", "diabetes:5", "wave:3000000", "wave:x", ":9"])
def test_embedded_that_are_not_there(rest):
    with pytest.raises(ValueError, match=f"--data=embedded:{rest}: expected embedded:wave, "):
        READERS["embedded"](rest, **HOW)


def test_embedded_columns_are_left_out():
    assert READERS["embedded"]("diabetes", **HOW | {"leave_out": ["sex", "s6"]}).values.shape == (442, 9)
    with pytest.raises(ValueError, match="--leave_out: embedded:diabetes has no column 'height'; it has age, sex"):
        READERS["embedded"]("diabetes", **HOW | {"leave_out": ["height"]})


def test_folders_as_published(tmp_path):
    (tmp_path / "data").mkdir()
    np.savetxt(tmp_path / "data" / "data.txt", np.eye(3))
    np.testing.assert_array_equal(READERS["uci"](str(tmp_path), **HOW).values, np.eye(3))
    np.testing.assert_array_equal(READERS["uci"](str(tmp_path / "data"), **HOW).values, np.eye(3))
    np.testing.assert_array_equal(READERS["uci"](str(tmp_path / "data" / "data.txt"), **HOW).values, np.eye(3))
    (tmp_path / "data" / "data.txt").unlink()
    with pytest.raises(FileNotFoundError, match="the folder holds no data.txt"):
        READERS["uci"](str(tmp_path), **HOW)


@pytest.mark.parametrize("name", ["uci", "csv"])
def test_a_reader_without_a_path(name):
    with pytest.raises(FileNotFoundError, match=f"--data={name}: expected {name}:F"):
        READERS[name]("", **HOW)


def test_paths_that_say_what_they_are(tmp_path):
    assert sniff(tmp_path) == "uci"
    found = [sniff(pathlib.Path(name)) for name in ("a.CSV", "a.tsv", "data.txt", "a.data", "a.xlsx")]
    assert found == ["csv", "csv", "uci", "uci", None]


# Rows and columns, the target among them.
UCI = {"bostonHousing": (506, 14), "concrete": (1030, 9), "energy": (768, 9), "kin8nm": (8192, 9),
       "power-plant": (9568, 5), "yacht": (308, 7)}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", UCI)
def test_the_real_tables(name, test_data):
    path = test_data / "uci" / name
    found = READERS["uci"](str(path), **HOW).values
    assert found.shape == UCI[name]
    np.testing.assert_array_equal(found, np.loadtxt(path / "data.txt"))
