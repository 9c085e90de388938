import json

import numpy as np
import pytest

from toolkit.data import tables
from toolkit.training.differences import first_difference


def written(folder, content, name="a.csv"):
    (folder / name).write_text(content, encoding="utf-8")
    return f"csv:{folder / name}"


def rows(count=20, columns=3, seed=0):
    values = np.random.default_rng(seed).normal(3.0, 5.0, (count, columns)).round(3)
    names = ["age [days]", *(f"c{number}" for number in range(1, columns - 1)), "strength (MPa)"]
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in values.tolist())]), values


def test_the_target_is_the_last_column_or_the_one_that_is_named(tmp_path):
    content, values = rows()
    source = written(tmp_path, content)
    table = tables.load(source)
    assert (table.names, table.units) == (("age", "c1"), ("days", "")) and (table.target, table.unit) == (
        "strength",
        "MPa",
    )
    assert table.labels == ("age [days]", "c1") and table.label == "strength [MPa]"
    np.testing.assert_array_equal(table.inputs, values[:, :2])
    table = tables.load(source, target="age", leave_out="c1")
    assert table.names == ("strength",) and table.unit == "days"
    np.testing.assert_array_equal(table.targets, values[:, 0])


def test_splits_are_the_published_ones():
    table = tables.load("embedded:wave:308")
    # Of yacht, 308 rows: index_test_0.txt and index_test_1.txt, as their authors' program writes them, begin so.
    np.random.seed(1)
    for number in range(3):
        permutation = np.random.choice(range(308), 308, replace=False)
        train, test = table.order(number)
        np.testing.assert_array_equal(train, permutation[: round(308 * 9.0 / 10)])
        np.testing.assert_array_equal(test, permutation[round(308 * 9.0 / 10) :])
    assert (tables.load("embedded:wave:308", seed=1).order(0)[1] != table.order(0)[1]).any()


def test_standardised_by_the_training_rows_and_back_again(tmp_path):
    content, values = rows(count=50)
    table = tables.load(written(tmp_path, content), held_out=0.3)
    split, (train, test) = table.split(1), table.order(1)
    assert len(train) == 35 and sorted([*train, *test]) == list(range(50))
    np.testing.assert_allclose(split.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(split.x_train.std(axis=0), 1)
    np.testing.assert_allclose([split.y_train.mean(), split.y_train.std()], [0, 1], atol=1e-12)
    np.testing.assert_allclose(split.inputs(split.x_test), values[test, :2])
    np.testing.assert_allclose(split.targets(split.y_test), values[test, 2])
    np.testing.assert_allclose(split.moments["x_mean"], values[train, :2].mean(axis=0))
    assert split.moments["y_scale"] == pytest.approx(values[train, 2].std())
    assert abs(split.y_test.mean()) > 1e-3, "the test rows are not standardised by themselves"


def test_batches_go_through_the_training_rows_once():
    split = tables.load("embedded:friedman:50").split(0)
    batches = split.batches(16)
    seen = list(batches.dataset(num_epochs=1))
    assert [len(y) for _, y in seen] == [16, 16, 13] and seen[0][0].dtype == "float64"
    x, y = (np.concatenate(parts) for parts in zip(*seen, strict=True))
    np.testing.assert_array_equal(np.sort(y), np.sort(split.y_train))
    order = [int(np.flatnonzero(split.y_train == each)[0]) for each in y]
    np.testing.assert_array_equal(x, split.x_train[order])


def test_columns_that_say_nothing_are_left_out(tmp_path):
    lines = ["a,b,same,y", *(f"{number},{number % 3},7.1,{number**2}" for number in range(20))]
    table = tables.load(written(tmp_path, "\n".join(lines)))
    assert table.names == ("a", "b") and table.constant == ("same",)
    # The same in all training rows only: it stays, unscaled.
    lines = ["a,y", *(f"{int(number == 3)},{number}" for number in range(20))]
    table = tables.load(written(tmp_path, "\n".join(lines)))
    number = next(number for number in range(100) if 3 in table.order(number)[1])
    split = table.split(number)
    assert split.x_scale.tolist() == [1.0] and np.isfinite(split.x_test).all() and split.x_test.max() == 1


@pytest.mark.parametrize(
    "content, how, told",
    [
        (rows()[0], {"target": "strenght"}, "has no such column. Did you mean 'strength'? It has 'age', 'c1', 'stren"),
        (rows()[0], {"target": "price"}, "--target=price: "),
        (rows(count=1)[0], {}, "holds 1 row of numbers; expected 10 or more"),
        (rows(count=9)[0], {}, "holds 9 rows of numbers; expected 10 or more"),
        ("a,y\n" + "1,5\n2,5\n" * 9, {}, "the target 'y' is 5 in all 18 rows: there is nothing to tell"),
        ("a,y\n" + "1,5\n1,6\n" * 9, {}, "all columns but the target are the same in every row"),
        (rows()[0], {"held_out": 1.0}, "--held_out=1.0: expected a share over 0 and under 1"),
    ],
)
def test_what_is_refused(tmp_path, content, how, told):
    with pytest.raises(ValueError) as error:
        tables.load(written(tmp_path, content), **how)
    assert told in str(error.value)


def test_a_split_without_anything_to_tell(tmp_path):
    table = tables.load(written(tmp_path, "a,y\n" + "".join(f"{n},{int(n == 3)}\n" for n in range(20))))
    number = next(number for number in range(100) if 3 in table.order(number)[1])
    with pytest.raises(ValueError, match=f"In split {number} all 18 training rows have the same 'y'"):
        table.split(number)


def test_contents_tell_tables_apart(tmp_path):
    content, _ = rows()
    first = json.loads(json.dumps(tables.load(written(tmp_path, content)).contents))
    assert not first_difference(first, tables.load(written(tmp_path, content, "moved.csv"), seed=3).contents)
    other = tables.load(written(tmp_path, content.replace(content.split(",")[-1], "7"), "b.csv")).contents
    assert "figures" in first_difference(first, other)
    assert "columns" in first_difference(first, tables.load(written(tmp_path, content), target="c1").contents)
