"""Hostile tables: what a spreadsheet, another program or a hurried person leaves in them."""

import numpy as np
import pytest

from tests.faults.hostile import check_answer, table, unchanged
from toolkit.data.tables import load
from toolkit.data.tables.report import examine


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


ROWS = "".join(f"{number},{number % 7},{number % 5}\n" for number in range(40))


def read(source, **how):
    found = load(source, **how)
    found.split(0)
    examine(found)


CONTENTS = {
    "good": ("a,b,y\n" + ROWS, "works"),
    "quoted numbers": ("a,b,y\n" + "".join(f'"{n}",{n % 7},"{n % 5}"\n' for n in range(40)), "works"),
    "spaces round all": ("a , b , y\n" + ROWS.replace(",", " , "), "works"),
    "no end of line": ("a,b,y\n" + ROWS[:-1], "works"),
    "blank lines": ("\n\na,b,y\n\n" + ROWS.replace("\n", "\n\n"), "works"),
    "a column of ends": ("a,b,y,\n" + ROWS.replace("\n", ",\n"), "column 'column 4': no value"),
    "names of any language": ("età,温度 [°C],y\n" + ROWS, "works"),
    "a name of kilobytes": ("a" * 100_000 + ",b,y\n" + ROWS, "works"),
    "a name beyond csv": ("a" * 200_000 + ",b,y\n" + ROWS, "is not CSV: field larger"),
    "a thousand columns": (",".join(f"c{n}" for n in range(1000)) + "\n" + "1,2\n", "line 2: 2 values; expected 1000"),
    "a name of two lines": ('"a\nb",c,y\n' + ROWS.replace("7", "x"), "column 'a\\nb': 'x' is no number"),
    "an empty name": (",b,y\n" + ROWS, "works"),
    "two empty names": (",,y\n" + ROWS, "works"),
    "a unit alone": ("[m],b,y\n" + ROWS, "works"),
    "a name twice": ("y,b,y\n" + ROWS, "two columns that are called 'y'"),
    "only a header": ("a,b,y\n", "holds 0 rows of numbers; expected 10"),
    "one row": ("a,b,y\n1,2,3\n", "holds 1 row of numbers"),
    "one column": ("y\n" + "1\n" * 40, "has one column, 'y'"),
    "no numbers": ("a,b,y\n" + "x,y,z\n" * 40, "line 2, column 'a': 'x' is no number"),
    "a word in the middle": ("a,b,y\n" + ROWS.replace("20,", "twenty,"), "line 22, column 'a': 'twenty' is no number"),
    "an error of a spreadsheet": ("a,b,y\n" + ROWS.replace("20,", "#DIV/0!,"), "'#DIV/0!' is no number"),
    "a formula": ("a,b,y\n" + ROWS.replace("20,", "=1+1,"), "'=1+1' is no number"),
    "a date": ("a,b,y\n" + ROWS.replace("20,", "2024-01-01,"), "'2024-01-01' is no number"),
    "hexadecimal": ("a,b,y\n" + ROWS.replace("20,", "0x14,"), "'0x14' is no number"),
    "thousands": ('a,b,y\n' + ROWS.replace("20,", '"1,000",'), "'1,000' is no number"),
    "a missing value": ("a,b,y\n" + ROWS.replace("20,", "NA,"), "line 22, column 'a': no value; so have 1 of 40 rows"),
    "a missing target": ("a,b,y\n" + ROWS.replace("20,6,0", "20,6,?"), "line 22, column 'y': no value"),
    "a column of nothing": ("a,b,y\n" + "1,,3\n" * 40, "column 'b': no value; so have 40 of 40 rows"),
    "infinity": ("a,b,y\n" + ROWS.replace("20,", "inf,"), "line 22, column 'a': inf is beyond"),
    "a huge number": ("a,b,y\n" + ROWS.replace("20,", "1e200,"), "1e+200 is beyond 1e+100"),
    "the largest number": ("a,b,y\n" + ROWS.replace("20,", "1e100,"), "works"),
    "tiny numbers": ("a,b,y\n" + ROWS.replace("20,", "1e-320,"), "works"),
    "a million digits": ("a,b,y\n" + ROWS.replace("20,", "9" * 100_000 + ","), "inf is beyond"),
    "a constant column": ("a,b,y\n" + "".join(f"{n},4.2,{n % 3}\n" for n in range(40)), "works"),
    "nearly constant": ("a,b,y\n" + "".join(f"{n},{1 + n * 2**-52!r},{n % 3}\n" for n in range(40)), "works"),
    "only constant columns": ("a,b,y\n" + "".join(f"1,2,{n % 3}\n" for n in range(40)), "the same in every row"),
    "a constant target": ("a,b,y\n" + "".join(f"{n},{n % 3},5\n" for n in range(40)), "the target 'y' is 5 in all 40"),
    "a rare target": ("a,b,y\n" + "".join(f"{n},2,{0 if n else 1e-300}\n" for n in range(40)), ""),
    "all rows alike but one": ("a,b,y\n" + "1,2,3\n" * 39 + "2,3,4\n", ""),
    "rows twice": ("a,b,y\n" + ROWS + ROWS, "works"),
    "the header twice": ("a,b,y\n" + ROWS + "a,b,y\n" + ROWS, "line 42, column 'a': 'a' is no number"),
    "semicolons": ("a;b;y\n" + ROWS.replace(",", ";"), "works"),
    "tabs": ("a\tb\ty\n" + ROWS.replace(",", "\t"), "works"),
    "bars": ("a|b|y\n" + ROWS.replace(",", "|"), "has one column, 'a|b|y'"),
    "commas for a header of semicolons": ("a;b;y\n" + ROWS, "line 2: 1 values; expected 3"),
    "a quote that never ends": ('a,b,y\n"' + ROWS, "is not CSV"),
    "nothing but quotes": ('""""""\n' * 40, ""),
    "Arabic digits": ("a,b,y\n" + ROWS.replace("3", "٣"), "works"),
}  # fmt: skip


@pytest.mark.parametrize("content, expected", table((name, *each) for name, each in CONTENTS.items()))
def test_contents(content, expected, tmp_path):
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    with unchanged(tmp_path):
        check_answer(lambda: read("csv:a.csv"), ["a.csv", "In split 0"], expected)


def many(count):
    return ",".join(f"a column of a long name that says much {number}" for number in range(count))


ASKED = {
    "a target that is not there": ({"target": "z"}, "--target=z: --data=csv:a.csv has no such column. It has 'a', 'b'"),
    "a target nearly there": ({"target": "Y"}, "has no such column"),
    "a target of two": ({"target": "a,b"}, "--target=a,b"),
    "a target left out": ({"target": "y", "leave_out": "y"}, "--target=y"),
    "another target": ({"target": "a"}, "works"),
    "all left out": ({"leave_out": "a,b,y"}, "has no column"),
    "all but one left out": ({"leave_out": "a,b"}, "has one column, 'y'"),
    "left out and not there": ({"leave_out": "c"}, "--leave_out: a.csv has no column 'c'"),
    "left out twice": ({"leave_out": "a,a"}, "works"),
    "nothing left out": ({"leave_out": ",, ,"}, "works"),
    "a name of a megabyte": ({"target": "y" * (1 << 20)}, "--target="),
    **{f"held out {share}": ({"held_out": share}, "--held_out=") for share in (0.0, 1.0, -1.0, np.nan, np.inf)},
    "next to nothing held out": ({"held_out": 1e-9}, "works"),
    "next to all held out": ({"held_out": 1 - 1e-9}, "works"),
}  # fmt: skip


@pytest.mark.parametrize("how, expected", table((name, *each) for name, each in ASKED.items()))
def test_what_is_asked_for(how, expected, tmp_path):
    (tmp_path / "a.csv").write_text("a,b,y\n" + ROWS)
    check_answer(lambda: read("csv:a.csv", **how), ["a.csv", "--held_out"], expected)


def test_many_columns_are_named_in_one_line(tmp_path):
    (tmp_path / "a.csv").write_text(many(5000) + "\n" + ",".join("1" * 5000) + "\n")
    check_answer(lambda: read("csv:a.csv", leave_out="z"), ["a.csv"], "and 4992 more")


FORMS = {
    "csv:": "expected csv:FILE", "uci:": "expected uci:F", "csv:none.csv": "no such file", "uci:none": "no such file",
    "csv:.": "is a folder", "uci:.": "holds no data.txt", "csv:/dev/null": "a device", "uci:/dev/zero": "a device",
    "a.csv": "works", "csv:a.csv,a.csv": "no such file", "csv:a\0b": "cannot be a path", "csv:" + "n" * 300: "too long",
    "csv:~nosuchuser/a": "no such user", "uci:~nosuchuser/a": "no such user", "uci:a.csv": "'a' is no number",
    "embedded:wave:9": "expected embedded", "embedded:wave:1e5": "expected embedded", "embedded:²": "expected embedded",
    "embedded:wave:" + "9" * 400: "expected embedded", "embedded:diabetes:5": "expected embedded", "": "no reader",
    "embedded:friedman:10": "works", "tables:a.csv": "no reader", "cvs:a.csv": "Did you mean 'csv'",
}  # fmt: skip


@pytest.mark.parametrize("source, expected", table((repr(source[:30]), source, told) for source, told in FORMS.items()))
def test_forms_of_data(source, expected, tmp_path):
    (tmp_path / "a.csv").write_text("a,b,y\n" + ROWS)
    check_answer(lambda: read(source), [source.partition(":")[2][:150] or "--data", "--data=", "'a\\x00b'"], expected)


def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path):
    values = np.random.default_rng(0).normal(size=(100_000, 6))
    (tmp_path / "a.csv").write_text(
        "a,b,c,d,e,y\n" + "".join(",".join(map(str, row)) + "\n" for row in values.tolist())
    )
    check_answer(lambda: read("csv:a.csv"), ["a.csv"], "works")
