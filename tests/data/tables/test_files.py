import numpy as np
import pytest

from toolkit.data.tables.files import listed, read_csv, read_plain, read_rows


def written(folder, content, name="a.csv"):
    (folder / name).write_text(content, encoding="utf-8")
    return str(folder / name)


def test_names_units_and_numbers(tmp_path):
    path = written(tmp_path, '"age, whole [days]";strength (MPa);\n28;79.99;1e3\n 3 ;-61,5;0\n'.replace(",5", ".5"))
    found = read_csv(path)
    assert found.names == ("age, whole", "strength", "column 3") and found.units == ("days", "MPa", "")
    np.testing.assert_array_equal(found.values, [[28, 79.99, 1000], [3, -61.5, 0]])
    assert found.values.dtype == np.float64 and found.num_skipped == 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_and_ends_of_lines(tmp_path, separator, end):
    lines = [f"a{separator}b", f"1{separator}2", "", f"3{separator}4", ""]
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + end.join(lines).encode())
    np.testing.assert_array_equal(read_csv(str(tmp_path / "a.csv")).values, [[1, 2], [3, 4]])


def test_the_same_as_numpy(tmp_path):
    values = np.random.default_rng(0).normal(size=(50, 4))
    np.savetxt(tmp_path / "a.txt", values, header="a comment")
    np.testing.assert_array_equal(read_plain(str(tmp_path / "a.txt")).values, np.loadtxt(tmp_path / "a.txt"))
    np.savetxt(tmp_path / "b.csv", values, delimiter=",", header="a,b,c,d", comments="")
    np.testing.assert_array_equal(read_csv(str(tmp_path / "b.csv")).values, np.loadtxt(tmp_path / "a.txt"))
    np.savetxt(tmp_path / "c.txt", values, delimiter=",")
    assert read_plain(str(tmp_path / "c.txt")).names == ("x1", "x2", "x3", "y")


def test_what_is_left_out(tmp_path):
    path = written(tmp_path, "a,word,b\n1,x,2\n?,y,3\n4,z,NaN\n5,,6\n")
    found = read_csv(path, leave_out=["word"], skip_missing=True)
    assert found.names == ("a", "b") and found.num_skipped == 2
    np.testing.assert_array_equal(found.values, [[1, 2], [5, 6]])


WRONG = {
    "a missing value": ("a,b\n1,2\n3,\n,4\n", "line 3, column 'b': no value; so have 2 of 3 rows. Fill them in"),
    "a word": ("a,b\n1,2\n3,male\n", "line 3, column 'b': 'male' is no number. Write numbers for words, or leave the"),
    "a decimal comma": ('a;b\n1;"2,5"\n', "line 2, column 'b': '2,5' is no number"),
    "an underscore": ("a,b\n1,1_000\n", "line 2, column 'b': '1_000' is no number"),
    "a huge number": ("a,b\n1,2\n1e300,2\n", "line 3, column 'a': 1e+300 is beyond 1e+100"),
    "infinity": ("a,b\n1,2\n3,-inf\n", "line 3, column 'b': -inf is beyond"),
    "beyond float64": ("a,b\n1,1e999\n", "line 2, column 'b': inf is beyond"),
    "a short row": ("a,b\n1,2\n3\n", "line 3: 1 values; expected 2"),
    "a long row": ("a,b\n\n1,2,3\n", "line 3: 3 values; expected 2"),
    "one column": ("a\n1\n", "has one column, 'a'; expected 2 or more"),
    "a name twice": ("a,b,a\n1,2,3\n", "has two columns that are called 'a'"),
    "no header": ("1,2\n3,4\n", "line 1, holds numbers where names of columns are expected. A table without a header"),
    "only commas": (",,,\n,,,\n", "has one column, 'column 1'"),
    "white space": ("  \n \n", "holds only white space"),
    "an open quote": ('a,b\n1,"2\n', "is not CSV: unexpected end of data"),
    "text after a quote": ('a,b\n1,"2"3\n', "line 2, is not CSV"),
}


@pytest.mark.parametrize("content, told", WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_csv(tmp_path, content, told):
    path = written(tmp_path, content)
    with pytest.raises(ValueError) as error:
        read_csv(path)
    assert told in str(error.value) and str(error.value).startswith(path)


@pytest.mark.parametrize(
    "content, told",
    [
        ("age height\n1 2\n", "line 1, column 'x1': 'age' is no number. A table with a header: --data=csv:"),
        ("1 2\n3 four\n", "line 2, column 'y': 'four' is no number. Write numbers for words"),
        ("1 2 3\n4 5\n", "line 2: 2 values; expected 3"),
        ("# nothing\n", "holds no numbers"),
        ("1\n2\n", "has one column, 'y'"),
    ],
)
def test_what_is_wrong_with_bare_numbers(tmp_path, content, told):
    path = written(tmp_path, content, "a.txt")
    with pytest.raises(ValueError) as error:
        read_plain(path)
    assert told in str(error.value) and str(error.value).startswith(path)


def test_columns_to_leave_out_that_are_not_there(tmp_path):
    path = written(tmp_path, "a,b,c\n1,2,3\n")
    with pytest.raises(ValueError, match="--leave_out: .*a.csv has no column 'd'; it has 'a', 'b', 'c'"):
        read_csv(path, leave_out=["d"])
    with pytest.raises(ValueError, match="has no column; expected 2 or more"):
        read_csv(path, leave_out=["a", "b", "c"])


def test_many_columns_are_named_in_part():
    assert listed([f"c{number}" for number in range(100)]).endswith("'c7' and 92 more")


def test_rows_by_their_names(tmp_path):
    path = written(tmp_path, "name;b [m];a (s);b\nfirst;1;2;\nsecond;3;4;\n".replace(";b\n", ";c\n"))
    np.testing.assert_array_equal(read_rows(path, ["a", "b"]), [[2, 1], [4, 3]])


@pytest.mark.parametrize(
    "content, told",
    [
        ("a,c\n1,2\n", "has no column 'b'; it has 'a', 'c'"),
        ("a,b,b\n1,2,3\n", "has 2 columns 'b'; it has 'a', 'b', 'b'"),
        ("a,b\n", "holds names of columns and no row"),
        ("a,b\n1,\n", "line 2, column 'b': no value; so have 1 of 1 rows"),
        ("a,b\n1,x\n", "line 2, column 'b': 'x' is no number"),
        ("a,b\n1,1e200\n", "line 2, column 'b': 1e+200 is beyond"),
    ],
)
def test_rows_that_cannot_be_predicted(tmp_path, content, told):
    path = written(tmp_path, content)
    with pytest.raises(ValueError) as error:
        read_rows(path, ["a", "b"])
    assert told in str(error.value) and str(error.value).startswith(path)
