import numpy as np
import pytest
from scipy import stats

from toolkit.methods.study_summary import curves, intervals, means_by, spread, summary

AXES = ["objective", "strength", "seed"]


def rows():
    random = np.random.default_rng(0)
    for objective in ("beta", "factor"):
        for strength in (1.0, 2.0, 4.0):
            for seed in range(4):
                gap = 0.1 * strength + 0.01 * random.standard_normal() + (objective == "factor")
                cell = {"objective": objective, "strength": strength, "seed": seed}
                yield {**cell, "gap": gap, "loss": seed - 5.0 * gap, "odd": np.inf if seed else 1.0}


def test_tables_of_what_agrees_and_of_what_explains_it():
    table = list(rows())
    found = summary(table, AXES, [["objective"], ["objective", "strength"], ["seed"]])
    assert found.scores == ["gap", "loss"], "what is not finite is left out"
    expected = stats.spearmanr([row["gap"] for row in table], [row["loss"] for row in table]).statistic
    assert found.correlation_rows()[0] == {"score": "gap", "gap": 1.0, "loss": pytest.approx(expected)}
    gap, loss = found.explained_rows()
    assert list(gap) == ["score", "objective", "objective and strength", "seed"] and gap["score"] == "gap"
    groups = [np.array([row["gap"] for row in table if row["objective"] == name]) for name in ("beta", "factor")]
    between = sum(len(group) * (group.mean() - np.mean(np.concatenate(groups))) ** 2 for group in groups)
    assert gap["objective"] == pytest.approx(between / (24 * np.var(np.concatenate(groups))))
    assert gap["objective and strength"] > 0.99 > gap["objective"] > 0.5 and gap["seed"] < 0.05 < loss["seed"]
    for name, values in zip(("beta", "factor"), groups, strict=True):
        np.testing.assert_array_equal(found.values["gap"][name], values)


@pytest.mark.parametrize("table", [[], [{"seed": 0, "gap": 1.0}], [{"seed": 0}, {"seed": 1}]])
def test_too_little_to_compare(table):
    with pytest.raises(ValueError, match="expected 2 rows or more, with finite scores beside seed"):
        summary(table, ["seed"], [["seed"]])


def test_intervals_are_those_of_students_t():
    random = np.random.default_rng(0)
    rows = [
        {"alpha": alpha, "noise": 0.3, "seed": seed, "loss": random.normal(), "error": random.random()}
        for alpha in (0.0, 1.0)
        for seed in range(5)
    ]
    found = intervals(rows, ["noise", "alpha"], over="seed")
    assert [(row["noise"], row["alpha"], row["values"]) for row in found] == [(0.3, 0.0, 5), (0.3, 1.0, 5)]
    for row in found:
        for name in ("loss", "error"):
            values = [each[name] for each in rows if each["alpha"] == row["alpha"]]
            expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
            assert row[name] == pytest.approx(np.mean(values))
            assert (row[f"{name}_low"], row[f"{name}_high"]) == pytest.approx(tuple(expected))
    (single,) = intervals(rows[:1], ["alpha"], over="seed")
    assert single["loss_low"] == single["loss"] == single["loss_high"] == rows[0]["loss"]
    with pytest.raises(ValueError, match="expected one row or more"):
        intervals([], ["alpha"], over="seed")


def test_spread_and_means_are_numpys():
    random = np.random.default_rng(0)
    cells = [{"seed": seed, "loss": random.normal()} for seed in range(5)]
    losses = [cell["loss"] for cell in cells]
    [found] = spread(cells, over="seed")
    expected = {"measure": "loss", "mean": np.mean(losses), "least": np.min(losses), "most": np.max(losses)}
    assert found == {name: value if name == "measure" else pytest.approx(value) for name, value in expected.items()}
    splits = [{"split": n, "model": model, "error": random.normal()} for n in range(4) for model in ("own", "line")]
    found = means_by(splits, of="model", over="split", plain="own")
    own, line = ([row["error"] for row in splits if row["model"] == model] for model in ("own", "line"))
    assert found == {
        "error": pytest.approx(np.mean(own)),
        "error_standard_error": pytest.approx(np.std(own) / 2),
        "line_error": pytest.approx(np.mean(line)),
    }


def test_curves_have_the_intervals_of_each_number():
    found = [
        {"by": by, "seed": seed, "mean": 1.0, "right_at_20": seed, "right_at_100": gain + 2 * seed}
        for by, gain in (("chance", 0.0), ("doubt", 5.0))
        for seed in range(3)
    ]
    found = intervals(found, ["by"], over="seed")
    lines = curves(found, "by", "right")
    assert list(lines) == ["chance", "doubt"]
    for by, gain in (("chance", 0.0), ("doubt", 5.0)):
        (at_20, *twenty), (at_100, *hundred) = lines[by]
        assert (at_20, at_100) == (20, 100)
        for points, values in ((twenty, np.arange(3.0)), (hundred, gain + 2 * np.arange(3.0))):
            low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
            np.testing.assert_allclose(points, [values.mean(), low, high])
    with pytest.raises(ValueError, match="there is no wrong_at_NUMBER among by, values"):
        curves(found, "by", "wrong")
