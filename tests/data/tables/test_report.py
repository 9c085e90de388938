import numpy as np
import pytest

from toolkit.data import tables
from toolkit.data.tables.report import examine


def found_in(folder, values, names=None):
    names = names or [*(f"c{number}" for number in range(1, values.shape[1])), "y [m]"]
    np.savetxt(folder / "a.csv", values, delimiter=",", header=",".join(names), comments="", fmt="%.17g")
    return examine(tables.load(f"csv:{folder / 'a.csv'}"))


def drawn(count=200, columns=3):
    return np.random.default_rng(0).uniform(1.0, 2.0, (count, columns))


def test_figures(tmp_path):
    values = drawn()
    found = found_in(tmp_path, values)
    table, columns = found.report.sections["table"], found.report.sections["columns"]
    assert (
        table["rows"] == 200 and table["rows_of_a_split"] == {"train": 180, "test": 20} and table["target"] == "y [m]"
    )
    assert list(columns) == ["c1", "c2", "y [m]"] and columns["c2"]["values"] == 200
    assert columns["c1"]["mean"] == pytest.approx(values[:, 0].mean())
    assert columns["y [m]"]["greatest"] == values[:, 2].max()
    assert not found.report.changes and "Ready: 180 rows of 2 columns to train on." in str(found.report)
    np.testing.assert_array_equal(found.inputs, values[:, :2])


def changed(column, change):
    values = drawn()
    values[:, column] = change(values[:, column])
    return values


def with_copies():
    values = drawn()
    values[100:, :2] = values[:100, :2]
    return values


@pytest.mark.parametrize(
    "values, told",
    [
        (
            changed(0, lambda c: np.where(np.arange(200) == 5, 1e6, c)),
            "More than 10 standard deviations from the mean: values of 'c1'",
        ),
        (changed(1, lambda c: c + 1.7e9), "the exported float32 would round what differs: subtract a number from 'c2'"),
        (changed(1, lambda c: 0 * c + 3), "Left out, being the same in every row: 'c2'"),
        (with_copies(), "of 20 test rows have the columns of a training row"),
        (with_copies(), "Up to 2 rows have the same columns"),
        (np.column_stack([drawn()[:, :1], 5 * drawn()[:, :1], drawn()[:, 2]]), "what another does: 'c1', 'c2'"),
    ],
)
def test_what_looks_wrong(tmp_path, values, told):
    assert any(told in change for change in found_in(tmp_path, values).report.changes)


def test_rows_that_stand_twice_are_counted(tmp_path):
    table = found_in(tmp_path, with_copies()).report.sections["table"]
    assert table["rows_whose_columns_stand_there_before"] == 100
